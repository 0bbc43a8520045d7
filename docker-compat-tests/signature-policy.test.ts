/** A signature policy on a real daemon: what clients see of it, and its reload by SIGHUP. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { scriptedRegistry } from '../packages/images/src/testing/scripted-registry.ts'
import {
  makeKey,
  payloadOf,
  signatureManifest,
  signed,
  writePolicy,
} from '../packages/images/src/testing/signatures.ts'
import { digest, makeImage, tar } from '../packages/images/src/testing/test-images.ts'
import { root, startDaemon } from './support/daemon.ts'
import { docker, dockerTs, run } from './support/programs.ts'

const directory = mkdtempSync(join(tmpdir(), 'dts-policy-'))
const registry = await scriptedRegistry(t)
const image = `${registry.host}/app:1`
const manifest = registry.add('app', '1', makeImage({ layers: [{ tar: tar({ name: 'a', type: 'file', data: 'a' }) }] }))
const path = writePolicy(directory, { default: 'refuse' })
const daemon = await startDaemon({ config: { 'image-signature-policy': path }, flags: ['--bridge', 'none'] })
t.teardown(async () => {
  const left = await daemon.stop()
  rmSync(directory, { recursive: true, force: true })
  if (left.length > 0) throw new Error(`left on the machine:\n${left.join('\n')}`)
})
const environment = { DOCKER_HOST: daemon.host }

/** Returns when the log says, after the signal, that it was read or that it was refused. */
async function reload(): Promise<string> {
  const from = daemon.log().length
  process.kill(daemon.pid, 'SIGHUP')
  for (;;) {
    const line = /^.*(?:Reloaded configuration|image signature policy).*$/m.exec(daemon.log().slice(from))?.[0]
    if (line !== undefined) return line
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

t.test('a refused pull says why to every client, and leaves nothing', async (t) => {
  for (const program of [docker, dockerTs]) {
    const pulled = await run(program, ['pull', image], { environment })
    t.equal(pulled.status, 1)
    t.equal(
      pulled.stderr.trim(),
      `Error response from daemon: pull of ${image} is refused by the image signature policy: rule "default" refuses every image`,
    )
  }
  t.equal((await run(dockerTs, ['image', 'ls', '-aq'], { environment })).stdout, '')
  t.equal((await run(dockerTs, ['system', 'fsck', '--verify'], { environment })).status, 0)
})

t.test('SIGHUP reads the policy and its keys again; the verdict is shown by inspect', async (t) => {
  const key = makeKey('ed25519')
  writePolicy(
    directory,
    { default: 'refuse', rules: { [registry.host]: { 'public-keys': ['key.pub'] } } },
    { 'key.pub': key },
  )
  t.match(await reload(), 'Reloaded configuration')
  const unsigned = await run(docker, ['pull', image], { environment })
  t.match(unsigned.stderr, `wants a signature of ${manifest}, and the registry has none`)

  const payload = payloadOf(manifest, `${registry.host}/app`)
  const { manifest: data, blobs } = signatureManifest([{ payload, signature: signed(key, payload) }])
  registry.content.set(`app/manifests/${manifest.replace(':', '-')}.sig`, { data, type: 'x' })
  for (const blob of blobs) registry.content.set(`app/blobs/${digest(blob)}`, { data: blob, type: 'x' })
  const pulled = await run(dockerTs, ['pull', image], { environment })
  t.equal(pulled.status, 0, pulled.stderr)
  for (const program of [docker, dockerTs]) {
    const shown = await run(program, ['image', 'inspect', image], { environment })
    t.match(JSON.parse(shown.stdout)[0].SignatureVerdicts, [{ Verdict: 'verified', Key: join(directory, 'key.pub') }])
  }
  const one = await run(dockerTs, ['image', 'inspect', '-f', '{{json .SignatureVerdicts}}', image], { environment })
  t.match(JSON.parse(one.stdout), [{ Verdict: 'verified', Rule: registry.host }])
})

t.test('a policy with an error changes nothing, and no daemon starts with it', async (t) => {
  writeFileSync(path, '{"default": "anything"}')
  t.match(await reload(), new RegExp(`image signature policy ${path}: default: `))
  t.equal((await run(dockerTs, ['pull', image], { environment })).status, 0, 'the last one is in force')
  t.match((await run(dockerTs, ['pull', 'other.test/x'], { environment })).stderr, 'refuses every image')
  const none = join(directory, 'none.json')
  writeFileSync(none, '{}')
  const program = `${root}/node_modules/.bin/dockerd-ts`
  const validated = await run(program, ['--validate', '--image-signature-policy', path, '--config-file', none])
  t.equal(validated.status, 1)
  t.match(validated.stderr, `image signature policy ${path}: default: `)
})
