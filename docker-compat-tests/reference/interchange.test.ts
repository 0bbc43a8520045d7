/** Images go between our engine and a real dockerd, by archives and through a registry: the same ids, layers and digests. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import t from 'tap'
import { dockerRegistry } from '../../packages/images/src/testing/docker-registry.ts'
import { startDaemon } from '../support/daemon.ts'
import { busyboxRootfs, importImage } from '../support/images.ts'
import { docker, run } from '../support/programs.ts'
import { noReference, startReference } from '../support/reference-daemon.ts'

if (noReference) t.pass('not compared', { skip: noReference })
else await exchange()

async function exchange(): Promise<void> {
  t.setTimeout(600_000)
  const ours = await startDaemon()
  const reference = await startReference()
  const directory = mkdtempSync(join(tmpdir(), 'dts-interchange-'))
  const { host } = await dockerRegistry(t)
  const client =
    (socket: string) =>
    async (...argv: string[]) => {
      const result = await run(docker, argv, { environment: { DOCKER_HOST: `unix://${socket}` } })
      if (result.status !== 0) throw new Error(`docker ${argv.join(' ')}: ${result.stderr}`)
      return result.stdout.trim()
    }
  const engines = { ours: client(ours.socket), reference: client(reference.socket) }
  const shown = (engine: keyof typeof engines, name: string) =>
    engines[engine](
      'image',
      'inspect',
      '-f',
      '{{.Id}} {{.RootFS.Layers}} {{.Created}} {{.Config.Labels}} {{json .RepoDigests}}',
      name,
    )
  const tar = busyboxRootfs()
  await importImage(reference.socket, tar, 'base:1')
  await importImage(ours.socket, tar, 'base:2')
  rmSync(dirname(tar), { recursive: true })
  // A layer on top, and a step that makes none.
  for (const [engine, base] of [
    ['reference', 'base:1'],
    ['ours', 'base:2'],
  ] as const) {
    await engines[engine]('create', '--name', 'made', base, 'true')
    await engines[engine]('cp', '/etc/hostname', 'made:/hostname')
    await engines[engine]('commit', '-c', 'ENV A=1', 'made', `${engine}:1`)
    await engines[engine]('rm', 'made')
    await engines[engine]('create', '--name', 'empty', `${engine}:1`, 'true')
    await engines[engine]('commit', '-c', 'LABEL b=2', 'empty', `${engine}:1`)
    await engines[engine]('rm', 'empty')
  }

  for (const [from, to] of [
    ['reference', 'ours'],
    ['ours', 'reference'],
  ] as const) {
    t.test(`an archive of ${from} is the same image in ${to}, and back again`, async (t) => {
      const name = `${from}:1`
      const file = join(directory, `${from}.tar`)
      await engines[from]('save', '-o', file, name)
      t.equal(await engines[to]('load', '-i', file), `Loaded image: ${name}`)
      const wanted = await shown(from, name)
      t.equal(await shown(to, name), wanted)
      const again = join(directory, `${from}-again.tar`)
      await engines[to]('save', '-o', again, name)
      await engines[from]('rmi', name)
      await engines[from]('load', '-i', again)
      t.equal(await shown(from, name), wanted)
    })
    t.test(`what ${from} pushes ${to} pulls, pushes and saves under the same digests`, async (t) => {
      const name = `${host}/${from}:1`
      await engines[from]('tag', `${from}:1`, name)
      await engines[from]('push', name)
      await engines[to]('rmi', `${from}:1`)
      await engines[to]('pull', name)
      const wanted = await shown(from, name)
      t.equal(await shown(to, name), wanted)
      await engines[to]('tag', name, `${host}/${from}:2`)
      await engines[to]('push', `${host}/${from}:2`)
      // It writes each manifest anew, as Docker's; ours stays as it came.
      if (to === 'ours') t.equal(await shown(to, `${host}/${from}:2`), wanted, 'no other digest of the repository')
      const file = join(directory, `${from}-pulled.tar`)
      await engines[to]('save', '-o', file, name)
      await engines[from]('rmi', `${from}:1`, name)
      await engines[from]('load', '-i', file)
      const ids = (text: string) => text.slice(0, text.lastIndexOf(' '))
      t.equal(ids(await shown(from, name)), ids(wanted))
    })
  }

  t.test('nothing is left', async (t) => {
    rmSync(directory, { recursive: true })
    await reference.stop()
    t.same(await ours.stop(), [])
  })
}
