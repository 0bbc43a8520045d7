/** Files of containers by dockerode: archives in and out, changes, export, commit. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import t from 'tap'
import { call } from '../support/call.ts'
import { dockerode, image, leavesNothing, refusal, startWithImage, text } from '../support/sdk.ts'

const daemon = await startWithImage()
const docker = dockerode(daemon)

/** A tar with the one file `note`. */
function noteTar(content: string): Buffer {
  const directory = mkdtempSync(join(tmpdir(), 'dts-note-'))
  writeFileSync(join(directory, 'note'), content)
  const tar = execFileSync('tar', ['-C', directory, '--owner=0', '--group=0', '-cf', '-', 'note'])
  rmSync(directory, { recursive: true })
  return tar
}

async function bytes(stream: NodeJS.ReadableStream): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks)
}

const listed = (tar: Buffer) => execFileSync('tar', ['-tf', '-'], { input: tar, encoding: 'utf8' }).trim().split('\n')

for (const state of ['created', 'running'] as const) {
  t.test(`files go into a ${state} container and come out`, async (t) => {
    const container = await docker.createContainer({ Image: image, Cmd: ['sleep', '1000'] })
    if (state === 'running') await container.start()
    await container.putArchive(noteTar('written'), { path: '/tmp' })
    const tar = await bytes(await container.getArchive({ path: '/tmp/note' }))
    t.same(listed(tar), ['note'])
    t.equal(execFileSync('tar', ['-xOf', '-', 'note'], { input: tar, encoding: 'utf8' }), 'written')
    const info = (await container.infoArchive({ path: '/tmp/note' })) as unknown as PassThrough & {
      headers: Record<string, string>
    }
    info.resume()
    const stat = JSON.parse(Buffer.from(info.headers['x-docker-container-path-stat'] ?? '', 'base64').toString())
    t.match(stat, { name: 'note', size: 7, linkTarget: '' })
    await container.remove({ force: true })
  })
}

t.test('what is missing is told', async (t) => {
  const container = await docker.createContainer({ Image: image, Cmd: ['true'] })
  t.same(await refusal(container.getArchive({ path: '/none' })), [
    404,
    `Could not find the file /none in container ${container.id}`,
  ])
  t.equal((await refusal(container.putArchive(noteTar('x'), { path: '/none' })))[0], 404)
  await container.remove()
})

t.test('changes, export and commit', async (t) => {
  const container = await docker.createContainer({ Image: image, Cmd: ['sh', '-c', 'echo x >/new; rm /etc/group'] })
  await container.start()
  await container.wait()
  const changes = (await container.changes()) as { Path: string; Kind: number }[]
  t.same(
    changes.filter(({ Path }) => /^\/(new|etc\/group)$/.test(Path)).sort((a, b) => a.Kind - b.Kind),
    [
      { Path: '/new', Kind: 1 },
      { Path: '/etc/group', Kind: 2 },
    ],
  )
  const exported = listed(await bytes(await container.export()))
  t.ok(exported.includes('new') && !exported.includes('etc/group'))
  const { Id } = (await container.commit({
    repo: 'kept',
    tag: '1',
    comment: 'c',
    author: 'a',
    changes: 'ENV X=1',
  })) as {
    Id: string
  }
  t.match(await docker.getImage('kept:1').inspect(), { Id, Comment: 'c', Author: 'a', Config: { Env: ['X=1'] } })
  const older = await call(daemon.socket, 'GET', '/v1.44/images/kept:1/json')
  const { Hostname, Cmd } = (await container.inspect()).Config
  t.match(older.json, { Container: container.id, ContainerConfig: { Hostname, Cmd, Image: image, OnBuild: null } })
  const newer = await call(daemon.socket, 'GET', '/v1.45/images/kept:1/json')
  t.notOk('Container' in (newer.json as object) || 'ContainerConfig' in (newer.json as object))
  const output = new PassThrough()
  const said = text(output)
  const [, ran] = await docker.run('kept:1', ['sh', '-c', 'cat /new; echo $X'], output, { Tty: true })
  t.equal(await said, 'x\r\n1\r\n')
  await ran.remove()
  await container.remove()
})

leavesNothing(t, daemon)
