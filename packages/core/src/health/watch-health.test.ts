import t from 'tap'
import { type FakeProcess, settled, type TestEngine, testEngine } from '../testing/index.ts'

const second = 1e9

interface Probe {
  /** undefined: it goes on. */
  exitCode?: number | undefined
  output?: string
}

/** A running container with a check; each probe does what `probe` says at the moment. */
async function setUp(check: object = {}, test = testEngine()) {
  const probe: Probe = { exitCode: 0 }
  test.monitors.host.onGo = (process) => {
    if (process.plan.process.kind !== 'exec') return
    if (probe.output !== undefined) process.write('stdout', probe.output)
    if (probe.exitCode !== undefined) process.exit(probe.exitCode)
  }
  const Healthcheck = { Test: ['CMD', 'check'], Interval: 10 * second, Timeout: 3 * second, Retries: 2, ...check }
  const id = await test.create({ Healthcheck }, 'web')
  await test.engine.containers.start(id, {})
  return { test, id, probe }
}

const health = async (test: TestEngine) => (await test.engine.containers.inspect('web', { size: false })).State.Health
const probesOf = (test: TestEngine): FakeProcess[] =>
  test.monitors.started.filter(({ plan }) => plan.process.kind === 'exec')
const healthEvents = (test: TestEngine) => test.eventLog().filter((line) => line.includes('health_status'))

t.test('the first probe comes after one interval; one success makes it healthy', async (t) => {
  const { test, probe } = await setUp()
  probe.output = 'fine\n'
  t.strictSame(await health(test), { Status: 'starting', FailingStreak: 0, Log: [] })
  await test.clock.advance(9_900)
  t.equal(probesOf(test).length, 0)
  await test.clock.advance(200)
  t.match(await health(test), {
    Status: 'healthy',
    FailingStreak: 0,
    Log: [{ ExitCode: 0, Output: 'fine\n', Start: /^2027-/, End: /Z$/ }],
  })
  const [summary] = await test.engine.containers.list({ all: false, size: false, filters: { health: ['healthy'] } })
  t.match(summary, { Status: 'Up 10 seconds (healthy)', Health: { Status: 'healthy', FailingStreak: 0 } })
  t.strictSame(
    test.eventLog().filter((line) => /exec_|health/.test(line)),
    [
      'container exec_create: check  web',
      'container exec_start: check  web',
      'container exec_die web',
      'container health_status: healthy web',
    ],
  )
  t.equal(test.records.listExecs().length, 0, 'the exec of a probe is not kept')
})

t.test('failures in a row make it unhealthy, told once', async (t) => {
  const { test, probe } = await setUp()
  probe.exitCode = 1
  await test.clock.advance(10_100)
  t.match(await health(test), { Status: 'starting', FailingStreak: 1 })
  await test.clock.advance(10_100)
  t.match(await health(test), { Status: 'unhealthy', FailingStreak: 2 })
  await test.clock.advance(10_100)
  t.match(await health(test), { Status: 'unhealthy', FailingStreak: 3 })
  t.strictSame(healthEvents(test), ['container health_status: unhealthy web'])
})

t.test('a probe that takes too long is killed', async (t) => {
  const { test, probe } = await setUp()
  Object.assign(probe, { exitCode: undefined, output: 'slow\n' })
  await test.clock.advance(10_100)
  const [process] = probesOf(test)
  t.strictSame(process?.signals, [])
  await test.clock.advance(3_000)
  t.strictSame(process?.signals, [9])
  t.match((await health(test))?.Log, [{ ExitCode: -1, Output: 'Health check exceeded timeout (3s): slow\n' }])
})

t.test('output is bounded', async (t) => {
  const { test, probe } = await setUp()
  probe.output = 'x'.repeat(5000)
  await test.clock.advance(10_100)
  t.equal((await health(test))?.Log?.[0]?.Output, `${'x'.repeat(4096)}...`)
})

t.test('a program that does not exist is a failure with the reason', async (t) => {
  const { test } = await setUp()
  test.monitors.host.failNext = 'executable file `check` not found in $PATH: No such file or directory'
  await test.clock.advance(10_100)
  const text =
    'OCI runtime exec failed: exec failed: unable to start container process: exec: "check": executable file not found in $PATH: unknown'
  t.match((await health(test))?.Log, [{ ExitCode: -1, Output: text }])
  t.notOk(test.eventLog().some((line) => line.includes('exec_die')))
  t.equal(test.records.listExecs().length, 0)
  t.equal(test.state.execDirectories.size, 0)
})

t.test('within the start period probes come at their own pace and failures do not count', async (t) => {
  const { test, probe } = await setUp({ StartPeriod: 5 * second, StartInterval: second })
  probe.exitCode = 1
  await test.clock.advance(4_500)
  t.equal(probesOf(test).length, 4)
  t.match(await health(test), { Status: 'starting', FailingStreak: 0 })
  probe.exitCode = 0
  await test.clock.advance(600)
  t.match(await health(test), { Status: 'healthy' })
  const count = probesOf(test).length
  await test.clock.advance(9_000)
  t.equal(probesOf(test).length, count, 'then at the interval')
})

t.test('no probes while it is paused', async (t) => {
  const { test } = await setUp()
  await test.clock.advance(10_100)
  await test.engine.containers.pause('web')
  t.match(await health(test), { Status: 'unhealthy', FailingStreak: 0 }, 'as Docker says')
  await test.clock.advance(60_000)
  t.equal(probesOf(test).length, 1)
  await test.engine.containers.unpause('web')
  await test.clock.advance(10_100)
  t.equal(probesOf(test).length, 2)
  t.match(await health(test), { Status: 'healthy' })
})

t.test('a stop ends the probing and the probe that is running', async (t) => {
  const { test, probe } = await setUp()
  probe.exitCode = undefined
  await test.clock.advance(10_100)
  await test.engine.containers.stop('web', {})
  await settled()
  t.strictSame(probesOf(test)[0]?.signals, [9])
  await test.clock.advance(60_000)
  t.equal(probesOf(test).length, 1)
  t.match(await health(test), { Status: 'unhealthy', FailingStreak: 0, Log: [] })
  probe.exitCode = 0
  await test.engine.containers.start('web', {})
  t.match(await health(test), { Status: 'starting', FailingStreak: 0 })
  await test.clock.advance(10_100)
  t.match(await health(test), { Status: 'healthy' })
})

t.test('another daemon goes on where the last one left off, and kills the probe that nobody waits for', async (t) => {
  const first = await setUp()
  await first.test.clock.advance(10_100)
  first.probe.exitCode = undefined
  await first.test.clock.advance(10_000)
  const [, orphan] = probesOf(first.test)
  t.strictSame(orphan?.signals, [])
  first.probe.exitCode = 1
  const test = first.test.restartDaemon()
  await (await test.engine.recover()).startsEnded
  t.strictSame(orphan?.signals, [9])
  t.match(await health(test), { Status: 'healthy', FailingStreak: 0 }, 'what was known is still known')
  await test.clock.advance(20_100)
  t.match(await health(test), { Status: 'unhealthy' })
})

t.test('no check, no health', async (t) => {
  const { test } = await setUp({ Test: ['NONE'] })
  await test.clock.advance(100_000)
  t.equal(await health(test), undefined)
  t.equal(probesOf(test).length, 0)
})
