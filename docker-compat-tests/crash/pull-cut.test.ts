/**
 * The daemon is killed in the middle of a pull, a push and a load, each held at a known point by the registry or the client:
 * after its restart the same request succeeds, a pull goes on where it ended, and nothing is left over.
 */
import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { request } from 'node:http'
import { buffer } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import { type ScriptedRegistry, scriptedRegistry } from '../../packages/images/src/testing/scripted-registry.ts'
import { digest, makeImage, tar } from '../../packages/images/src/testing/test-images.ts'
import { startDaemon } from '../support/daemon.ts'
import { docker, run } from '../support/programs.ts'

const big = tar({ name: 'big', type: 'file', data: randomBytes(12_000_000) })
const small = tar({ name: 'small', type: 'file', data: 'x' })
const half = big.length >> 1
const daemon = await startDaemon({ flags: ['--bridge', 'none'] })
t.teardown(async () => {
  const left = await daemon.stop()
  if (left.length > 0) throw new Error(`left on the machine:\n${left.join('\n')}`)
})
const content = `${daemon.directory}/data/content`
const cli = (...argv: string[]) => run(docker, argv, { environment: { DOCKER_HOST: daemon.host } })

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 30_000
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`waited in vain for ${condition}\n${daemon.log()}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

const filesIn = (name: string) => (existsSync(`${content}/${name}`) ? readdirSync(`${content}/${name}`) : [])

/** Rows, files and digests agree, and no work is left lying. */
async function sound(t: Test): Promise<void> {
  for (const name of ['partial', 'staging']) t.same(filesIn(name), [], `nothing in ${name}`)
  const fsck = await new Promise<string>((resolve, reject) => {
    request({ socketPath: daemon.socket, path: '/system/fsck?verify=1' }, (answer) =>
      buffer(answer).then((bytes) => resolve(bytes.toString()), reject),
    )
      .on('error', reject)
      .end()
  })
  t.same(JSON.parse(fsck).Problems, [])
}

t.test('a pull goes on from the part that came before the kill', async (t) => {
  const registry = await scriptedRegistry(t)
  registry.add('app', '1', makeImage({ layers: [{ tar: small }, { tar: big }] }))
  const blob = `/v2/app/blobs/${digest(big)}`
  registry.script = ({ path }, response) => {
    if (path !== blob) return false
    response.writeHead(200, { 'content-length': big.length })
    response.write(big.subarray(0, half))
    return true
  }
  const pull = cli('pull', `${registry.host}/app:1`)
  const partial = `${content}/partial/${digest(big).slice(7)}`
  await until(() => existsSync(partial) && statSync(partial).size > half / 2)
  await daemon.kill()
  t.not((await pull).status, 0)
  const had = statSync(partial).size
  registry.script = () => false
  registry.seen.length = 0
  await daemon.start()
  t.equal(statSync(partial).size, had, 'the part outlives the restart')
  const again = await cli('pull', `${registry.host}/app:1`)
  t.equal(again.status, 0, again.stderr)
  t.same(
    registry.seen.filter(({ path, method }) => path === blob && method === 'GET').map(({ range }) => range),
    [`bytes=${had}-`],
  )
  await sound(t)
  t.equal((await cli('rmi', `${registry.host}/app:1`)).status, 0)
})

/** Takes pushes: whole blobs in one PUT, manifests. `hold` is asked before a blob's PUT is read. */
function takePushes(registry: ScriptedRegistry, hold: (length: number) => boolean): void {
  registry.script = ({ method, path }, response, _found, raw) => {
    const { pathname, searchParams } = new URL(path, 'http://registry')
    const name = pathname.replace(/^\/v2\//, '')
    if (method === 'POST') {
      response.writeHead(202, { location: `/v2/${name}1` }).end()
      return true
    }
    if (method !== 'PUT') return false
    if (hold(Number(raw.headers['content-length']))) return true
    const blobDigest = searchParams.get('digest')
    void buffer(raw).then((data) => {
      const key = blobDigest === null ? name : `${name.replace(/uploads\/.*/, '')}${blobDigest}`
      registry.content.set(key, { data, type: raw.headers['content-type'] ?? '' })
      response.writeHead(201).end()
    })
    return true
  }
}

t.test('a push asked again after the kill sends what is missing, and only that', async (t) => {
  const registry = await scriptedRegistry(t)
  const { archive } = makeImage({ tags: [`${registry.host}/app:1`], layers: [{ tar: small }, { tar: big }] })
  const loaded = await run(docker, ['load'], { input: archive, environment: { DOCKER_HOST: daemon.host } })
  t.equal(loaded.status, 0, loaded.stderr)
  let held = false
  takePushes(registry, (length) => {
    held ||= length > half
    return length > half
  })
  const push = cli('push', `${registry.host}/app:1`)
  const stored = () => [...registry.content.keys()].filter((key) => key.includes('/blobs/')).length
  await until(() => held && stored() > 0)
  await daemon.kill()
  t.not((await push).status, 0)
  const before = stored()
  takePushes(registry, () => false)
  registry.seen.length = 0
  await daemon.start()
  const again = await cli('push', `${registry.host}/app:1`)
  t.equal(again.status, 0, again.stderr)
  t.match(again.stdout, 'Layer already exists')
  t.equal(
    registry.seen.filter(({ method, path }) => method === 'POST' && path.includes('/uploads/')).length,
    3 - before,
  )
  t.ok(registry.content.has('app/manifests/1'))
  await sound(t)
  t.equal((await cli('rmi', `${registry.host}/app:1`)).status, 0)
  const back = await cli('pull', `${registry.host}/app:1`)
  t.equal(back.status, 0, back.stderr)
  t.equal((await cli('rmi', `${registry.host}/app:1`)).status, 0)
})

t.test('of a load that was cut by the kill nothing stays, and the same archive loads', async (t) => {
  const { archive, id } = makeImage({ tags: ['loaded:1'], layers: [{ tar: small }, { tar: big }] })
  const load = request({
    socketPath: daemon.socket,
    method: 'POST',
    path: '/images/load',
    headers: { 'content-type': 'application/x-tar' },
  })
  const failed = new Promise((resolve) => load.on('error', resolve))
  load.write(archive.subarray(0, half))
  await until(() => filesIn('staging').some((name) => statSync(`${content}/staging/${name}`).size > half / 2))
  await daemon.kill()
  await failed
  await daemon.start()
  await sound(t)
  t.equal((await cli('images', '-aq')).stdout, '')
  const again = await run(docker, ['load'], { input: archive, environment: { DOCKER_HOST: daemon.host } })
  t.match(again.stdout, 'Loaded image: loaded:1', again.stderr)
  t.equal((await cli('images', '-q', '--no-trunc')).stdout.trim(), id)
  await sound(t)
})

t.test('a daemon that is told to stop waits for no registry that says nothing', async (t) => {
  const registry = await scriptedRegistry(t)
  registry.add('app', '1', makeImage({ layers: [{ tar: tar({ name: 'other', type: 'file', data: 'other' }) }] }))
  const silent = ['/v2/app/blobs/', '/v2/other/manifests/']
  registry.script = ({ path }) => silent.some((start) => path.startsWith(start))
  const asked = () => silent.every((start) => registry.seen.some(({ path }) => path.startsWith(start)))
  const left: Promise<unknown>[] = []
  for (const [method, path] of [
    ['POST', `/images/create?fromImage=${registry.host}/app&tag=1`],
    ['POST', `/images/create?fromImage=${registry.host}/other&tag=1`],
    ['GET', `/distribution/${registry.host}/other:1/json`],
  ] as const) {
    const sent = request({ socketPath: daemon.socket, method, path }, (answer) => void answer.resume())
    left.push(new Promise((resolve) => sent.on('close', resolve)))
    sent.on('error', () => {}).end()
  }
  await until(asked)
  process.kill(daemon.pid, 'SIGTERM')
  let code: number | null | undefined
  void daemon.ended.then((ended) => {
    code = ended
  })
  await until(() => code !== undefined)
  t.equal(code, 0)
  await Promise.all(left)
  await daemon.start()
  await sound(t)
})
