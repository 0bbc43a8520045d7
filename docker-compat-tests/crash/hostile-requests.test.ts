/**
 * A thousand requests that no honest client sends, to a real daemon with a running container: it neither dies nor answers
 * 5xx without a cause, holds on to no connection and to no memory, and serves afterwards.
 */
import { readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { dirname } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { disagreements } from '../support/agreement.ts'
import { call, startDaemon } from '../support/daemon.ts'
import { busyboxRootfs, importImage } from '../support/images.ts'
import { docker, run } from '../support/programs.ts'
import { type HostileRequest, hostileRequest } from './hostile-requests.ts'

const seed = Number(process.env.FUZZ_SEED ?? 20_250_117)
const count = 1000
const atOnce = 16
/** Whoever still answers nothing then is waiting for the rest of the request, or streams. */
const patienceMs = 2_000

const daemon = await startDaemon()
const { socket, directory } = daemon
const rootfs = busyboxRootfs()
await importImage(socket, rootfs, 'busybox:latest')
rmSync(dirname(rootfs), { recursive: true })
const environment = { DOCKER_HOST: daemon.host }
// Its signals are its own: what a hostile request ends is started again, not lost.
await run(docker, ['run', '-d', '--name', 'victim', 'busybox', 'sleep', '1000'], { environment })

interface Outcome {
  request: HostileRequest
  /** undefined: none came. */
  status: number | undefined
  answer: string
}

function send(request: HostileRequest): Promise<Outcome> {
  const { bytes, cuts, ending } = request
  return new Promise((resolve) => {
    const client = connect(socket)
    let answer = ''
    const timer = setTimeout(() => client.destroy(), patienceMs)
    client.on('data', (chunk) => {
      answer = (answer + chunk.toString('latin1')).slice(0, 4096)
    })
    client.on('error', () => {})
    client.on('close', () => {
      clearTimeout(timer)
      const status = /^HTTP\/1\.[01] (\d{3})/.exec(answer)?.[1]
      resolve({ request, status: status === undefined ? undefined : Number(status), answer })
    })
    const pieces = [0, ...cuts.map((share) => Math.floor(share * bytes.length)), bytes.length]
    for (const [index, end] of pieces.slice(1).entries()) client.write(bytes.subarray(pieces[index], end))
    if (ending === 'end') client.end()
    else if (ending === 'cut') client.write('', () => client.destroy())
  })
}

const residentBytes = () =>
  Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${daemon.pid}/status`, 'utf8'))?.[1]) * 1024

function openSockets(): number {
  return readdirSync(`/proc/${daemon.pid}/fd`).filter((fd) => {
    try {
      return readlinkSync(`/proc/${daemon.pid}/fd/${fd}`).startsWith('socket:')
    } catch {
      return false
    }
  }).length
}

/** 501 and 503 are documented; a 500 needs a cause that lies with the machine or that Docker answers so too. */
const causes = [/is not paused/, /does not exist/]

const text = ({ request, answer }: Outcome) =>
  `${request.bytes.subarray(0, 300).toString('latin1')} → ${answer.slice(0, 400)}`

t.test(`${count} hostile requests, seed ${seed}`, async (t) => {
  const socketsBefore = openSockets()
  const before = residentBytes()
  const requests = fc.sample(hostileRequest, { seed, numRuns: count })
  const outcomes: Outcome[] = []
  const queue = requests[Symbol.iterator]()
  const worker = async () => {
    for (let next = queue.next(); !next.done; next = queue.next()) outcomes.push(await send(next.value))
  }
  await Promise.all(Array.from({ length: atOnce }, worker))

  t.equal(outcomes.length, count)
  const answered = outcomes.filter(({ status }) => status !== undefined)
  t.comment(`${answered.length} answered, ${answered.filter(({ status = 0 }) => status < 400).length} below 400`)
  t.ok(answered.length > count / 2, 'most are answered')
  const unexplained = answered.filter(
    ({ status = 0, answer }) =>
      status >= 500 && status !== 501 && status !== 503 && !causes.some((cause) => cause.test(answer)),
  )
  t.same(unexplained.map(text), [], 'no 5xx without a cause')
  const log = daemon.log()
  t.notMatch(log, /uncaught|unhandled|fatal/i, 'nothing escaped its handler')
  t.equal((await call(socket, 'GET', '/_ping')).status, 200, 'the daemon serves')
  // An attached client that left looks like one that ended its input: it is noticed by the next output, or the end.
  await run(docker, ['kill', 'victim'], { environment })
  for (const deadline = Date.now() + 10_000; openSockets() > socketsBefore && Date.now() < deadline; ) {
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  t.ok(openSockets() <= socketsBefore, `connections are closed: ${openSockets()} sockets, ${socketsBefore} before`)
  const grown = residentBytes() - before
  t.ok(grown < 256 * 2 ** 20, `memory is bounded: ${Math.round(grown / 2 ** 20)} MiB more`)
})

t.test('it serves as before', async (t) => {
  t.same(await disagreements(daemon), [], 'API and kernel agree')
  await importAgain()
  const { status, stdout } = await run(docker, ['run', '--rm', 'busybox', 'echo', 'works'], { environment })
  t.same([status, stdout], [0, 'works\n'])
})

/** A prune or a removal among the requests may have taken the image. */
async function importAgain(): Promise<void> {
  const tar = busyboxRootfs()
  await importImage(socket, tar, 'busybox:latest')
  rmSync(dirname(tar), { recursive: true })
}

t.test('nothing is left on the machine', async (t) => {
  t.equal(directory, daemon.directory)
  t.same(await daemon.stop(), [])
})
