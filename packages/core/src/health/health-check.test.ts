import t from 'tap'
import type { HealthState, ProbeResult } from '../containers/container-record.ts'
import { goDuration } from '../support/go-time.ts'
import { healthCheckOf } from './health-check.ts'
import { healthAfterProbe } from './health-state.ts'

t.test('what a configuration asks for', async (t) => {
  const check = (Healthcheck: object, Shell?: string[]) => healthCheckOf({ Healthcheck, ...(Shell && { Shell }) })
  t.equal(healthCheckOf({}), undefined)
  t.equal(check({ Interval: 1e9 }), undefined, 'timings alone are no check')
  t.equal(check({ Test: ['NONE'] }), undefined)
  t.equal(check({ Test: ['FOO', 'x'] }), undefined, 'as Docker ignores it')
  t.strictSame(check({ Test: ['CMD', 'a', 'b'] }), {
    command: ['a', 'b'],
    intervalMs: 30_000,
    timeoutMs: 30_000,
    startPeriodMs: 0,
    startIntervalMs: 5_000,
    retries: 3,
  })
  t.match(check({ Test: ['CMD-SHELL', 'a b'] }), { command: ['/bin/sh', '-c', 'a b'] })
  t.match(check({ Test: ['CMD-SHELL', 'a b'] }, ['/bin/ash', '-e', '-c']), { command: ['/bin/ash', '-e', '-c', 'a b'] })
  const timings = { Interval: 1e6, Timeout: 15e8, StartPeriod: 2e9, StartInterval: 5e8, Retries: 1 }
  t.match(check({ Test: ['CMD', 'a'], ...timings }), {
    intervalMs: 1,
    timeoutMs: 1500,
    startPeriodMs: 2000,
    startIntervalMs: 500,
    retries: 1,
  })
})

t.test('results of probes', async (t) => {
  const probe = (exitCode: number, output = ''): ProbeResult => ({ startNs: '1', endNs: '2', exitCode, output })
  const rules = { retries: 2, inStartPeriod: false }
  const start: HealthState = { status: 'starting', failingStreak: 0, log: [] }
  const after = (health: HealthState, exitCode: number, change = {}) =>
    healthAfterProbe(health, probe(exitCode), { ...rules, ...change })
  t.match(after(start, 0), { status: 'healthy', failingStreak: 0 })
  const once = after(start, 1)
  t.match(once, { status: 'starting', failingStreak: 1 })
  t.match(after(once, -1), { status: 'unhealthy', failingStreak: 2 }, 'any other code is a failure')
  t.match(after(after(once, 1), 0), { status: 'healthy', failingStreak: 0 }, 'one success is enough')
  t.match(after(start, 1, { inStartPeriod: true }), { status: 'starting', failingStreak: 0 })
  const healthy = after(start, 0)
  t.match(
    after(healthy, 1, { inStartPeriod: true }),
    { status: 'healthy', failingStreak: 1 },
    'who was healthy once has started',
  )
  let many = start
  for (let count = 0; count < 7; count++) many = healthAfterProbe(many, probe(0, String(count)), rules)
  t.strictSame(
    many.log.map(({ output }) => output),
    ['2', '3', '4', '5', '6'],
  )
})

t.test('durations in the words of Go', async (t) => {
  const cases: [bigint, string][] = [
    [0n, '0s'],
    [1n, '1ns'],
    [1_500n, '1.5µs'],
    [500_000_000n, '500ms'],
    [1_500_000_000n, '1.5s'],
    [90_000_000_000n, '1m30s'],
    [3_600_000_000_000n, '1h0m0s'],
    [-1_000_000_000n, '-1s'],
  ]
  for (const [durationNs, text] of cases) t.equal(goDuration(durationNs), text)
})
