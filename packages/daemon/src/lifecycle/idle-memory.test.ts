import { mock } from 'node:test'
import t from 'tap'
import { collectGarbage, idleMemory } from './idle-memory.ts'

t.test('memory is given back once for each idle time, and never while a request runs', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  let collected = 0
  const collect = () => {
    collected += 1
  }
  const memory = idleMemory({ idleMs: 1000, collect })
  mock.timers.tick(999)
  t.equal(collected, 0)
  mock.timers.tick(1)
  t.equal(collected, 1, 'after the start too')
  mock.timers.tick(100_000)
  t.equal(collected, 1, 'once')
  const first = memory.began()
  const second = memory.began()
  first()
  first()
  mock.timers.tick(100_000)
  t.equal(collected, 1, 'the second is still running')
  second()
  mock.timers.tick(500)
  memory.began()()
  mock.timers.tick(999)
  t.equal(collected, 1, 'a request begins the time anew')
  mock.timers.tick(1)
  t.equal(collected, 2)
  memory.began()()
  memory.stop()
  mock.timers.tick(100_000)
  t.equal(collected, 2, 'stopped')
})

t.test('garbage is collected', async (t) => {
  const garbage = new WeakRef({})
  // Until the end of the turn in which it was made it counts as used.
  await new Promise((resolve) => setImmediate(resolve))
  t.not(garbage.deref(), undefined)
  await new Promise((resolve) => setImmediate(resolve))
  collectGarbage()
  t.equal(garbage.deref(), undefined)
  t.equal((globalThis as { gc?: unknown }).gc, undefined, 'nobody else gets at the collector')
})
