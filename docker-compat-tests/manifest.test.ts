/** `docker-ts manifest` on a real registry: what docker's own command writes, keeps and prints, the two sharing their lists. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { dockerRegistry } from '../packages/images/src/testing/docker-registry.ts'
import { layout, multiPlatform } from '../packages/images/src/testing/multi-platform.ts'
import { digest } from '../packages/images/src/testing/test-images.ts'
import { newestClient } from './cli/reference-client.ts'
import { startDaemon } from './support/daemon.ts'
import { dockerTs, run } from './support/programs.ts'

const made = multiPlatform('app')
const daemon = await startDaemon()
const { host } = await dockerRegistry(t)
const directory = mkdtempSync(join(tmpdir(), 'dts-manifest-'))
const configOf = (name: string) => join(directory, name)

async function client(program: string, config: string, ...argv: string[]) {
  const environment = { DOCKER_HOST: daemon.host, DOCKER_CONFIG: configOf(config) }
  const { stdout, stderr, status } = await run(program, argv, { environment })
  return { stdout, stderr, status }
}
const ours = (...argv: string[]) => client(dockerTs, 'ours', 'manifest', ...argv)

async function seed() {
  const environment = { DOCKER_HOST: daemon.host }
  await run(dockerTs, ['load'], { environment, input: layout('docker.io/library/app:1', made) })
  for (const architecture of ['amd64', 'arm64']) {
    for (const repository of ['app', 'other']) {
      const name = `${host}/${repository}:${architecture}`
      await run(dockerTs, ['tag', 'app:1', name], { environment })
      const pushed = await run(dockerTs, ['push', '--platform', `linux/${architecture}`, name], { environment })
      if (pushed.status !== 0) throw new Error(pushed.stderr)
    }
  }
}
await seed()

t.test('a list is created, annotated, pushed with the other repository it names, and read back', async (t) => {
  const list = `${host}/app:all`
  const [amd64, arm64] = [`${host}/app:amd64`, `${host}/other:arm64`]
  t.same(await ours('create', list, amd64, arm64), {
    stdout: `Created manifest list ${list}\n`,
    stderr: '',
    status: 0,
  })
  t.match(await ours('create', list, amd64), { stderr: /refusing to amend an existing manifest list/, status: 1 })
  const annotate = ['--variant', 'v8', '--os-features', 'a,b', '--os-version', '1']
  t.equal((await ours('annotate', ...annotate, list, arm64)).status, 0)
  t.match(await ours('annotate', '--arch', 'foo', list, arm64), {
    stderr: /manifest entry for image has unsupported os\/arch combination: \/foo/,
  })
  const shown = await ours('inspect', list)
  const platform = {
    architecture: 'arm64',
    os: 'linux',
    'os.version': '1',
    'os.features': ['a', 'b'],
    variant: 'v8',
  }
  t.match(JSON.parse(shown.stdout), {
    manifests: [{ digest: made.manifests.amd64 }, { digest: made.manifests.arm64, platform }],
  })
  t.same(await ours('push', '-p', list), {
    stdout: `Pushed ref ${host}/app@${made.manifests.arm64} with digest: ${made.manifests.arm64}\n${digest(shown.stdout.trimEnd())}\n`,
    stderr: '',
    status: 0,
  })
  t.same(readdirSync(join(configOf('ours'), 'manifests')), [])
  t.equal((await ours('inspect', list)).stdout, shown.stdout, 'the registry has what was shown')
  t.match(await ours('push', list), { stderr: `No such manifest: ${list}\n`, status: 1 })
  t.match(await ours('inspect', `${host}/app:none`), { stderr: `no such manifest: ${host}/app:none\n`, status: 1 })
})

const newest = newestClient()
const skip = 'reason' in newest ? newest.reason : false
t.test('docker says, keeps and pushes the same, and goes on with a list of ours', { skip }, async (t) => {
  const docker = 'path' in newest ? newest.path : ''
  const [app, other] = [`${host}/app`, `${host}/other`]
  const scripts = [
    ['create', '--insecure', `${app}:c`, `${app}:amd64`, `${other}:arm64`],
    ['create', '--insecure', `${app}:c`, `${app}:amd64`],
    ['create', '--insecure', '-a', `${app}:c`, `${app}:arm64`],
    ['create', '--insecure', `${app}:d`, `${app}:none`],
    ['create', 'BAD', 'x'],
    ['inspect', `${app}:c`],
    ['inspect', '-v', `${app}:c`],
    ['inspect', '--insecure', `${app}:amd64`],
    ['inspect', '--insecure', '-v', `${app}:arm64`],
    ['inspect', `${app}:c`, `${app}:amd64`],
    ['inspect', `${app}:c`, `${app}:none`],
    ['annotate', '--os-features', 'a,b', '--variant', 'v8', `${app}:c`, `${app}:arm64`],
    ['annotate', '--os-features', 'b,c', '--os-version', '2', `${app}:c`, `${app}:arm64`],
    ['annotate', '--os', 'plan9', `${app}:c`, `${app}:arm64`],
    ['annotate', `${app}:c`, `${app}:none`],
    ['annotate', 'BAD', 'x'],
    ['push', '--insecure', `${app}:c`],
    ['rm', `${app}:c`, 'nosuch:1'],
    ['push', `${app}:c`],
    ['inspect', '--insecure', '-v', `${app}:c`],
    ['create', '--insecure', `${app}:e`, `${app}:c`],
    ['create', '--insecure', 'elsewhere.example/x', `${app}:amd64`],
    ['push', '--insecure', 'elsewhere.example/x'],
    ['inspect', 'elsewhere.example/x'],
  ]
  for (const argv of scripts) {
    const wanted = await client(docker, 'theirs', 'manifest', ...argv)
    t.same(await client(dockerTs, 'same', 'manifest', ...argv), wanted, argv.join(' '))
  }
  await client(dockerTs, 'shared', 'manifest', 'create', '--insecure', `${app}:f`, `${app}:amd64`)
  await client(docker, 'shared', 'manifest', 'create', '--insecure', '-a', `${app}:f`, `${app}:arm64`)
  const pushed = await client(docker, 'shared', 'manifest', 'push', '--insecure', `${app}:f`)
  t.same(await client(dockerTs, 'shared', 'manifest', 'push', '--insecure', `${app}:f`), pushed)
})

t.test('nothing is left on the machine', async (t) => {
  rmSync(directory, { recursive: true, force: true })
  t.same(await daemon.stop(), [])
})
