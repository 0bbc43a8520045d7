import type { EventMessage } from '@dockerd-ts/api'
import t from 'tap'
import { fakeClock, fakeRecords, settled } from '../testing/index.ts'
import { EventBus } from './event-bus.ts'
import { eventFilter } from './event-filters.ts'

function setUp(records = fakeRecords(), { timersEarlyMs = 0 } = {}) {
  const clock = fakeClock()
  const after = (delayMs: number, callback: () => void) => clock.after(Math.max(1, delayMs - timersEarlyMs), callback)
  const bus = new EventBus(records, { nowNs: () => clock.nowNs(), after })
  const publish = (action: string, attributes: Record<string, string> = {}) =>
    bus.publish({ type: 'container', action, actorId: 'abc', attributes })
  const listen = (query: { sinceNs?: bigint; untilNs?: bigint; filters?: Record<string, string[]> } = {}) => {
    const stop = new AbortController()
    const { filters = {}, ...times } = query
    const stream = bus.subscribe({ ...times, matches: eventFilter(filters), signal: stop.signal })
    const seen: EventMessage[] = []
    const done = (async () => {
      for await (const message of stream) seen.push(message)
    })()
    return { seen, actions: () => seen.map(({ Action: action }) => action), stop: () => stop.abort(), done }
  }
  return { clock, bus, records, publish, listen }
}

t.test('a listener hears what happens from the moment it has registered', async (t) => {
  const { publish, listen, bus } = setUp()
  publish('before')
  const listener = listen()
  publish('one', { name: 'x' })
  publish('two')
  await settled()
  t.strictSame(listener.actions(), ['one', 'two'])
  t.match(listener.seen[0], { Type: 'container', Actor: { ID: 'abc', Attributes: { name: 'x' } }, scope: 'local' })
  t.equal(typeof listener.seen[0]?.timeNano, 'bigint')
  t.equal(bus.listenerCount, 1)
  listener.stop()
  await listener.done
  t.equal(bus.listenerCount, 0)
})

t.test('since replays what happened, over a restart of the daemon, and goes on live without a gap', async (t) => {
  const first = setUp()
  first.publish('one')
  first.publish('two')
  first.bus.flush()
  const second = setUp(first.records)
  second.publish('three')
  const listener = second.listen({ sinceNs: 0n })
  second.publish('four')
  await settled()
  t.strictSame(listener.actions(), ['one', 'two', 'three', 'four'])
  const sequences = first.records.readEvents({ limit: 9 }).map(({ sequence }) => sequence)
  t.strictSame(sequences, [1, 2, 3, 4], 'numbers go on')
  listener.stop()
})

t.test('until ends the stream: at once in the past, in time in the future', async (t) => {
  const { publish, listen, clock } = setUp()
  publish('one')
  const past = listen({ untilNs: clock.nowNs() })
  publish('later')
  await past.done
  t.strictSame(past.actions(), ['one'])
  const future = listen({ untilNs: clock.nowNs() + 5_000_000_000n })
  publish('live')
  await clock.advance(6000)
  await future.done
  t.strictSame(future.actions(), ['one', 'later', 'live'])
})

t.test('until ends the stream also where a timer goes off before its time', async (t) => {
  const { clock, publish, listen } = setUp(fakeRecords(), { timersEarlyMs: 30 })
  const listener = listen({ untilNs: clock.nowNs() + 1_000_000_000n })
  await clock.advance(900)
  publish('in time')
  await clock.advance(200)
  await listener.done
  t.strictSame(listener.actions(), ['in time'])
})

t.test('a listener that is far behind misses nothing', async (t) => {
  const { publish, listen } = setUp()
  const listener = listen()
  for (let count = 0; count < 3000; count++) publish(String(count))
  for (let turn = 0; turn < 50; turn++) await settled()
  t.equal(listener.seen.length, 3000)
  t.strictSame(listener.actions().slice(-2), ['2998', '2999'])
  listener.stop()
})

t.test('events are stored once, with the commit that they belong to', async (t) => {
  const { publish, bus, records } = setUp()
  publish('one')
  records.transaction(() => {
    records.setValue('a', 'b')
    bus.flush()
  })
  t.equal(records.commits, 1)
  await settled()
  t.equal(records.commits, 1, 'nothing is left for the end of the turn')
  publish('two')
  await settled()
  t.equal(records.countEvents(), 2)
})

t.test('filters', async (t) => {
  const event = (change: object) => ({
    sequence: 1,
    timeNs: 1n,
    type: 'container',
    action: 'start',
    actorId: 'abcdef',
    attributes: { name: 'web', image: 'repo:tag', color: 'red' },
    ...change,
  })
  const passes = (filters: Record<string, string[]>, change = {}) => eventFilter(filters)(event(change))
  t.ok(passes({}))
  t.ok(passes({ event: ['stop', 'start'] }))
  t.notOk(passes({ event: ['star'] }), 'exact')
  t.ok(passes({ event: ['health_status'] }, { action: 'health_status: healthy' }))
  t.ok(passes({ event: ['exec_create'] }, { action: 'exec_create: ls' }))
  t.ok(passes({ container: ['abc'] }), 'the beginning of an id')
  t.ok(passes({ container: ['we'] }), 'or of a name')
  t.notOk(passes({ container: ['x'] }))
  t.ok(passes({ image: ['repo:tag'] }))
  t.ok(passes({ image: ['repo'] }), 'without its tag')
  t.notOk(passes({ image: ['tag'] }))
  t.ok(passes({ label: ['color', 'color=red'] }))
  t.notOk(passes({ label: ['color=red', 'size'] }), 'all of them')
  t.ok(passes({ type: ['container'], scope: ['local'] }))
  t.notOk(passes({ scope: ['swarm'] }))
  t.throws(() => eventFilter({ foo: ['x'] }), { kind: 'invalidArgument', message: "invalid filter 'foo'" })
})
