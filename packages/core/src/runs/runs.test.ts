import t from 'tap'
import { settled, type TestEngine, testEngine } from '../testing/index.ts'

async function ran(body: object = {}, test = testEngine()) {
  const id = await test.create(body, 'web')
  await test.engine.containers.start(id, {})
  return { test, id }
}

const why = async (test: TestEngine) => test.engine.containers.why('web')
const log = (test: TestEngine, id: string, ...lines: string[]) =>
  test.state.logs.set(
    test.files.logPath(id),
    lines.map((line) => ({ stream: 'stdout' as const, timeNs: test.clock.nowNs(), line: Buffer.from(`${line}\n`) })),
  )

t.test('nothing has ended yet', async (t) => {
  const { test, id } = await ran()
  t.strictSame(await why(test), { Id: id, Name: '/web', Status: 'running', Error: '', Runs: [] })
  await t.rejects(test.engine.containers.why('nope'), { kind: 'notFound', message: 'No such container: nope' })
})

t.test('each run keeps its end, with the last words of one that failed, over a restart of the daemon', async (t) => {
  const { test, id } = await ran()
  log(test, id, 'opening', 'cannot open the file')
  test.process().exit(3)
  await settled()
  await test.engine.containers.start(id, {})
  test.state.logs.clear()
  await test.engine.containers.stop(id, {})
  const next = test.restartDaemon()
  await next.engine.recover()
  t.match((await why(next)).Runs, [
    {
      Cause: 'requested',
      ExitCode: 143,
      Signal: 'SIGTERM',
      Explanation: 'A client asked for the end: killed by SIGTERM.',
    },
    {
      Cause: 'exited',
      ExitCode: 3,
      Explanation: 'The process ended by itself: exit code 3.',
      LastLines: ['opening', 'cannot open the file'],
    },
  ])
})

t.test('out of memory, with the victim and the limit', async (t) => {
  const { test } = await ran({ HostConfig: { Memory: 8 * 1024 * 1024 } })
  test.process().exit(137, { signal: 9, oomKilled: true })
  await settled()
  t.match((await why(test)).Runs, [
    {
      Cause: 'out-of-memory',
      OOMVictim: { Pid: 42, Name: 'hog' },
      Explanation:
        'The container ran out of memory (limit 8388608 bytes): killed by SIGKILL. The kernel killed hog (pid 42).',
    },
  ])
})

t.test('a signal that nobody asked for; an end that nobody saw', async (t) => {
  const { test, id } = await ran()
  test.process().exit(139, { signal: 11 })
  await settled()
  t.match((await why(test)).Runs[0], { Cause: 'signalled', Signal: 'SIGSEGV' })
  await test.engine.containers.start(id, {})
  const next = test.restartDaemon({ bootId: 'boot-2' })
  await next.engine.recover()
  t.match((await why(next)).Runs[0], { Cause: 'unknown', Explanation: /the machine was started again/ })
})

t.test('five runs are kept', async (t) => {
  const { test, id } = await ran()
  for (let count = 0; count < 7; count++) {
    test.process().exit(count)
    await settled()
    await test.engine.containers.start(id, {})
  }
  t.strictSame(
    (await why(test)).Runs.map(({ ExitCode: exitCode }) => exitCode),
    [6, 5, 4, 3, 2],
  )
})

t.test('restart when unhealthy', async (t) => {
  const check = { Test: ['CMD', 'check'], Interval: 1e9, Retries: 2 }
  const unhealthy = async (body: object, restart = false) => {
    const test = testEngine({ restartUnhealthy: restart })
    test.monitors.host.onGo = (process) => {
      if (process.plan.process.kind === 'exec') process.exit(1)
    }
    const { id } = await ran({ Healthcheck: check, ...body }, test)
    await test.clock.advance(2_200)
    await settled()
    const { RestartCount: count, State: state } = await test.engine.containers.inspect(id, { size: false })
    return { test, count, status: state.Health?.Status }
  }
  const label = (value: string) => ({ Labels: { 'dockerd-ts.restart-unhealthy': value } })
  t.match(await unhealthy({}), { count: 0, status: 'unhealthy' }, 'not unless it is asked for')
  t.match(await unhealthy(label('false'), true), { count: 0, status: 'unhealthy' }, 'the label comes first')
  t.match(await unhealthy({}, true), { count: 1, status: 'starting' })
  const { test, count, status } = await unhealthy(label('true'))
  t.strictSame([count, status], [1, 'starting'])
  t.match((await why(test)).Runs[0], { Cause: 'unhealthy' })
  const told = test.eventLog().filter((line) => /^container (kill|die|stop|start|restart) web/.test(line))
  t.strictSame(
    told.map((line) => line.split(' ')[1]),
    ['start', 'kill', 'die', 'stop', 'start', 'restart'],
  )
})
