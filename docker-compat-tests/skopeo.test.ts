/**
 * Images go between our engine and skopeo, both ways: the same ids, the same digests. Not by skopeo's `docker-daemon:`, for
 * which Debian 12's skopeo asks for API 1.22; dockerd refuses that as we do.
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { dockerRegistry } from '../packages/images/src/testing/docker-registry.ts'
import { startDaemon } from './support/daemon.ts'
import { busyboxRootfs, importImage } from './support/images.ts'
import { docker, dockerTs, run } from './support/programs.ts'

const skopeo = '/usr/bin/skopeo'
const options = { skip: existsSync(skopeo) ? false : 'skopeo is not installed' }

t.test('skopeo', options, async (t) => {
  const daemon = await startDaemon()
  const directory = mkdtempSync(join(tmpdir(), 'dts-skopeo-'))
  t.teardown(async () => {
    const left = await daemon.stop()
    rmSync(directory, { recursive: true, force: true })
    if (left.length > 0) throw new Error(`left on the machine:\n${left.join('\n')}`)
  })
  const id = await importImage(daemon.socket, busyboxRootfs(), 'busybox:latest')
  const environment = { DOCKER_HOST: daemon.host }
  const cli = async (...argv: string[]) => {
    const result = await run(dockerTs, argv, { environment })
    if (result.status !== 0) throw new Error(`docker-ts ${argv.join(' ')}: ${result.stderr}`)
    return result.stdout.trim()
  }
  const copy = (...argv: string[]) =>
    execFileSync(skopeo, ['--insecure-policy', 'copy', '-q', ...argv], { encoding: 'utf8', stdio: 'pipe' })
  const inspect = (name: string): { Digest?: string; rootfs?: { diff_ids: string[] } } =>
    JSON.parse(execFileSync(skopeo, ['inspect', '--tls-verify=false', name], { encoding: 'utf8' }))
  const config = (name: string): string =>
    execFileSync(skopeo, ['inspect', '--config', '--raw', '--tls-verify=false', name], { encoding: 'utf8' })
  const idOf = (name: string) => cli('image', 'inspect', '-f', '{{.Id}}', name)

  t.test('what we save, skopeo reads as a Docker and as an OCI archive', async (t) => {
    const saved = join(directory, 'saved.tar')
    await cli('save', '-o', saved, 'busybox:latest')
    const original = await run(docker, ['image', 'inspect', '-f', '{{index .RootFS.Layers 0}}', 'busybox'], {
      environment,
    })
    for (const name of [`docker-archive:${saved}`, `oci-archive:${saved}`]) {
      t.match(JSON.parse(config(name)), { rootfs: { diff_ids: [original.stdout.trim()] } }, name)
    }
  })

  t.test('what skopeo writes, we load: the same image', async (t) => {
    const saved = join(directory, 'again.tar')
    await cli('save', '-o', saved, 'busybox:latest')
    const forms = {
      'docker-archive': `docker-archive:${join(directory, 'd.tar')}:copy:docker`,
      'oci-archive': `oci-archive:${join(directory, 'o.tar')}:docker.io/library/copy:oci`,
    }
    for (const [form, target] of Object.entries(forms)) {
      copy(`docker-archive:${saved}`, target)
      const file = target.split(':')[1] ?? ''
      t.match(await cli('load', '-i', file), 'Loaded image: copy:', form)
      const name = form === 'docker-archive' ? 'copy:docker' : 'copy:oci'
      // Skopeo writes the configuration anew for OCI: then its digest is what the image is.
      const written = `sha256:${createHash('sha256')
        .update(config(`${form}:${file}`))
        .digest('hex')}`
      t.equal(await idOf(name), written, `${form}: the id is the configuration's digest`)
      if (form === 'docker-archive') t.equal(written, id, 'the same image')
      t.equal(await cli('run', '--rm', '--network', 'none', name, 'echo', 'runs'), 'runs')
      await cli('rmi', name)
    }
  })

  t.test('through a registry: pushed by one and pulled by the other, the digests stay', async (t) => {
    const { host } = await dockerRegistry(t)
    await cli('tag', 'busybox', `${host}/ours:1`)
    const pushed = /digest: (sha256:[a-f0-9]{64})/.exec(await cli('push', `${host}/ours:1`))?.[1]
    t.equal(inspect(`docker://${host}/ours:1`).Digest, pushed)
    const insecure = ['--src-tls-verify=false', '--dest-tls-verify=false']
    // Compressed anew by skopeo: another manifest of the same image.
    const gzip = ['--dest-compress-format', 'gzip', '--dest-compress']
    copy(...insecure, ...gzip, `docker://${host}/ours:1`, `docker://${host}/theirs:1`)
    const theirs = inspect(`docker://${host}/theirs:1`).Digest
    await cli('pull', `${host}/theirs:1`)
    t.equal(await idOf(`${host}/theirs:1`), id)
    await cli('tag', `${host}/theirs:1`, `${host}/back:1`)
    await cli('push', `${host}/back:1`)
    t.ok([theirs, pushed].includes(inspect(`docker://${host}/back:1`).Digest), 'a digest that was there before')

    // Pulled where nothing of it is: the digest survives pull, push, save and load.
    await cli('rmi', '-f', id)
    await cli('pull', `${host}/theirs:1`)
    await cli('tag', `${host}/theirs:1`, `${host}/whole:1`)
    await cli('push', `${host}/whole:1`)
    t.equal(inspect(`docker://${host}/whole:1`).Digest, theirs, 'pull and push')
    const saved = join(directory, 'whole.tar')
    await cli('save', '-o', saved, `${host}/whole:1`)
    await cli('rmi', '-f', id)
    await cli('load', '-i', saved)
    await cli('tag', `${host}/whole:1`, `${host}/loaded:1`)
    await cli('push', `${host}/loaded:1`)
    t.equal(inspect(`docker://${host}/loaded:1`).Digest, theirs, 'save, load and push')
  })
})
