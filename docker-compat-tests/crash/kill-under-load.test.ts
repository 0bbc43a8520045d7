/**
 * kill -9 at random moments while containers start, write and end: of the daemon, of its host helper, of a monitor.
 * Of the first two no line and no exit code is lost; the third is told as what it is. `KILL_SEED` repeats a run.
 */
import { readFileSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import t, { type Test } from 'tap'
import { containersOf, disagreements } from '../support/agreement.ts'
import { call, removeContainers, startDaemon } from '../support/daemon.ts'
import { busyboxRootfs, importImage } from '../support/images.ts'
import { leftoversOfRunning } from '../support/leftovers.ts'
import { docker, run } from '../support/programs.ts'

const seed = Number(process.env.KILL_SEED ?? 20_250_117)
const rounds = 5
const killsPerRound = 2
const containersPerRound = 6
const linesPerContainer = 120

/** mulberry32: [0, 1). */
function randomSource(start: number): () => number {
  let state = start
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const random = randomSource(seed)
const daemon = await startDaemon()
const { socket } = daemon
const rootfs = busyboxRootfs()
await importImage(socket, rootfs, 'busybox:latest')
rmSync(dirname(rootfs), { recursive: true })
const cli = (...argv: string[]) => run(docker, argv, { environment: { DOCKER_HOST: daemon.host } })

const exitCodeOf = (index: number) => 10 + index

/** Writes its lines in two bursts with a pause that differs, and ends with a code of its own. */
async function createWriter(index: number): Promise<void> {
  const burst = `n=0; while [ $n -lt ${linesPerContainer / 2} ]; do i=$((i+1)); n=$((n+1)); echo line $i; done`
  const script = `i=0; ${burst}; sleep 0.${index * 2}; ${burst}; exit ${exitCodeOf(index)}`
  const body = {
    Image: 'busybox',
    Cmd: ['sh', '-c', script],
    ExposedPorts: { '80/tcp': {} },
    HostConfig: { PortBindings: { '80/tcp': [{ HostIp: '127.0.0.1' }] } },
  }
  const { status, body: answer } = await call(socket, 'POST', `/containers/create?name=writer${index}`, body)
  if (status !== 201) throw new Error(answer)
}

/** The daemon may be gone by now; what it did is looked at afterwards. */
const tryStart = (index: number) => call(socket, 'POST', `/containers/writer${index}/start`).catch(() => undefined)

const indexes = Array.from({ length: containersPerRound }, (_, index) => index)
const expectedLog = Array.from({ length: linesPerContainer }, (_, line) => `line ${line + 1}\n`).join('')

interface Ended {
  exitCode: number | undefined
  log: string
}

/** Starts those whose start was taken back, and waits for the end of all. */
async function ends(): Promise<Ended[]> {
  for (const { Id, State } of await containersOf(socket)) {
    if (State.Status === 'created') await call(socket, 'POST', `/containers/${Id}/start`)
  }
  return Promise.all(
    indexes.map(async (index) => {
      const { json } = await call(socket, 'POST', `/containers/writer${index}/wait`)
      const { stdout } = await cli('logs', `writer${index}`)
      return { exitCode: (json as { StatusCode?: number }).StatusCode, log: stdout }
    }),
  )
}

async function checkRound(t: Test): Promise<void> {
  t.same(await disagreements(daemon), [], 'API and kernel agree')
  const ended = await ends()
  t.same(
    ended.map(({ exitCode }) => exitCode),
    indexes.map(exitCodeOf),
    'every exit code is there',
  )
  for (const [index, { log }] of ended.entries())
    t.equal(log, expectedLog, `every line of writer${index} is there, once`)
  await removeContainers(socket)
  t.same(await leftoversOfRunning(daemon), [], 'nothing is left')
}

for (let round = 1; round <= rounds; round++) {
  t.test(`the daemon is killed under load, round ${round}, seed ${seed}`, async (t) => {
    await Promise.all(indexes.map(createWriter))
    const starts = indexes.map(tryStart)
    for (let kill = 0; kill < killsPerRound; kill++) {
      // The moment is what is tested: from before the first start to after the last end.
      await new Promise((resolve) => setTimeout(resolve, Math.floor(random() * 600)))
      await daemon.kill()
      await daemon.start()
    }
    await Promise.all(starts)
    await checkRound(t)
  })
}

function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number)
}

const commandOf = (pid: number) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')

t.test('the host helper is killed under load: starts succeed or say why, and can be repeated', async (t) => {
  await Promise.all(indexes.map(createWriter))
  const starts = indexes.map(tryStart)
  await new Promise((resolve) => setTimeout(resolve, Math.floor(random() * 150)))
  const helper = childrenOf(daemon.pid).find((pid) => commandOf(pid).includes('helper'))
  t.ok(helper, 'there is a helper')
  if (helper !== undefined) process.kill(helper, 'SIGKILL')
  for (const answer of await Promise.all(starts)) {
    t.ok(
      answer?.status === 204 || (answer?.body ?? '').includes('"message"'),
      `answered: ${answer?.status} ${answer?.body}`,
    )
  }
  await checkRound(t)
  t.match(daemon.log(), /host helper died/, 'the log says so')
})

for (const daemonLives of [true, false]) {
  t.test(`a monitor is killed while the daemon is ${daemonLives ? 'there' : 'gone'}`, async (t) => {
    const started = await cli('run', '-d', '--name', 'orphan', 'busybox', 'sh', '-c', 'echo before; exec sleep 1000')
    t.equal(started.status, 0, started.stderr)
    const [view] = await containersOf(socket)
    const pid = view?.State.Pid ?? 0
    const monitor = Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
    t.match(commandOf(monitor), daemon.directory, 'its parent is our monitor')
    if (!daemonLives) await daemon.kill()
    process.kill(monitor, 'SIGKILL')
    if (!daemonLives) await daemon.start()
    t.equal((await cli('wait', 'orphan')).stdout, '255\n', 'the exit code is told as unknown')
    t.same(await disagreements(daemon), [], 'its process is ended, and nothing of it is left')
    t.equal((await cli('logs', 'orphan')).stdout, 'before\n', 'what it wrote is there')
    t.equal((await cli('start', 'orphan')).status, 0, 'it can be started again')
    t.equal((await cli('rm', '-f', 'orphan')).status, 0)
    t.same(await leftoversOfRunning(daemon), [], 'nothing is left')
  })
}

t.test('nothing is left on the machine', async (t) => t.same(await daemon.stop(), []))
