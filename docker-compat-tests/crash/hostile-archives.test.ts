/**
 * Five hundred hostile archives to `load` and `import` of a real daemon: it refuses in words, writes nothing outside of
 * its layers, keeps nothing of what it refused, and its memory is bounded.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { call, startDaemon } from '../support/daemon.ts'
import { busyboxRootfs, importImage } from '../support/images.ts'
import { treeOf } from '../support/leftovers.ts'
import { docker, run } from '../support/programs.ts'
import { storedImageProblems } from '../support/stored-images.ts'
import { bombs, type HostileArchive, hostileArchive } from './hostile-archives.ts'

const seed = Number(process.env.FUZZ_SEED ?? 20_250_117)
const count = 500
const atOnce = 4

const token = `${process.pid}`
const canary = mkdtempSync(join(tmpdir(), 'dts-canary-'))
writeFileSync(join(canary, 'secret'), 'secret')
t.teardown(() => rmSync(canary, { recursive: true }))
const daemon = await startDaemon({ flags: ['--bridge', 'none'] })
const skeleton = treeOf(daemon.directory)

interface Outcome {
  archive: HostileArchive
  status: number
  /** Of an error, from the status's body or from the stream; '' when it was taken. */
  message: string
}

function post({ kind, bytes }: HostileArchive): Promise<{ status: number; body: string }> {
  const path = kind === 'import' ? '/images/create?fromSrc=-&repo=hostile' : '/images/load'
  return new Promise((resolve, reject) => {
    const headers = { 'Content-Type': 'application/x-tar', 'Content-Length': bytes.length }
    const call = request({ socketPath: daemon.socket, method: 'POST', path, headers, agent: false }, (response) => {
      let body = ''
      response.on('data', (chunk) => {
        body += chunk
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }))
      response.on('error', reject)
    })
    // The daemon may answer and close before it has read all of it.
    call.on('error', (error) => ((error as NodeJS.ErrnoException).code === 'EPIPE' ? undefined : reject(error)))
    call.end(bytes)
  })
}

async function send(archive: HostileArchive): Promise<Outcome> {
  const { status, body } = await post(archive)
  const documents = body
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => JSON.parse(line) as { message?: string; error?: string })
  return { archive, status, message: documents.map(({ message, error }) => message ?? error ?? '').join('') }
}

const peakBytes = () => Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${daemon.pid}/status`, 'utf8'))?.[1]) * 1024

/** Names with the token wherever an escape could have put them. */
function escaped(): string[] {
  const places = [canary, '/', '/etc', tmpdir()]
  for (let place = `${daemon.directory}/data/layers`; place !== '/'; place = dirname(place)) places.push(place)
  const found = places.flatMap((place) => readdirSync(place).map((name) => join(place, name)))
  const inside = treeOf(daemon.directory).filter((path) => !/^data\/layers\/[0-9a-f]+\/diff\//.test(path))
  return [...new Set([...found, ...inside])].filter((path) => path.includes(`escape-${token}`))
}

function canaryState(): unknown {
  const { mode, nlink, mtimeMs } = statSync(canary)
  const secret = statSync(join(canary, 'secret'))
  return [
    readdirSync(canary),
    readFileSync(join(canary, 'secret'), 'utf8'),
    [mode, nlink, mtimeMs],
    [secret.mode, secret.nlink, secret.mtimeMs],
  ]
}

async function sendAll(archives: Iterable<HostileArchive>): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  const queue = archives[Symbol.iterator]()
  const worker = async () => {
    for (let next = queue.next(); !next.done; next = queue.next()) outcomes.push(await send(next.value))
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  return outcomes
}

const text = ({ archive, status, message }: Outcome) => `${archive.kind}: ${status} ${message}`

t.test(`${count} hostile archives, seed ${seed}`, async (t) => {
  const before = canaryState()
  const outcomes = await sendAll([
    ...fc.sample(hostileArchive({ token, canary }), { seed, numRuns: count }),
    ...bombs(),
  ])
  t.equal(outcomes.length, count + 3)
  const refused = outcomes.filter(({ status, message }) => status >= 400 || message !== '')
  t.comment(`${refused.length} refused, ${outcomes.length - refused.length} taken`)
  t.ok(refused.length > count / 4, 'many are refused')
  t.ok(refused.length < count, 'and some are taken, so that layers are unpacked at all')
  t.same(outcomes.filter(({ status }) => status >= 500).map(text), [], 'no 5xx')
  const unclear = refused.filter(
    ({ message }) => message === '' || /\[object|TypeError|Cannot read|at .*\.ts:/.test(message),
  )
  t.same(unclear.map(text), [], 'every refusal says why')
  const imports = refused.filter(({ archive }) => archive.kind === 'import')
  t.same(
    imports.filter(({ status }) => status < 400).map(text),
    [],
    'an import is refused by its status; load, as Docker, in its stream',
  )
  t.same(canaryState(), before, 'the canary lives')
  t.same(escaped(), [], 'nothing is written outside of a layer')
  t.ok(peakBytes() < 768 * 2 ** 20, `memory is bounded: ${Math.round(peakBytes() / 2 ** 20)} MiB at most`)
  t.notMatch(daemon.log(), /uncaught|unhandled|fatal/i, 'nothing escaped its handler')
})

t.test('what was refused is not kept, and the daemon works on', async (t) => {
  const { status, body } = await call(daemon.socket, 'POST', '/images/prune?filters={"dangling":["false"]}')
  t.equal(status, 200, body)
  t.same((await call(daemon.socket, 'GET', '/images/json?all=1')).json, [])
  t.same(treeOf(daemon.directory), skeleton, 'no blob, layer or staged file is left, without a restart')
  const rootfs = busyboxRootfs()
  t.teardown(() => rmSync(dirname(rootfs), { recursive: true }))
  await importImage(daemon.socket, rootfs, 'busybox:latest')
  const environment = { DOCKER_HOST: daemon.host }
  const { stdout } = await run(docker, ['run', '--rm', '--network', 'none', 'busybox', 'echo', 'works'], {
    environment,
  })
  t.equal(stdout, 'works\n')
})

t.test('rows and files agree, and nothing is left on the machine', async (t) => {
  await daemon.kill()
  t.same(storedImageProblems(daemon.directory), [])
  await daemon.start()
  t.same(await daemon.stop(), [])
})
