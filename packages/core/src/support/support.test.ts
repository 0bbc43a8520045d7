import t from 'tap'
import { systemClock } from './clock.ts'
import { armCrashPoint, crashPoint } from './crash-point.ts'
import { frame } from './frames.ts'
import { humanDuration, parseGoDuration, parseTimestamp, rfc3339FixedNano, rfc3339Nano } from './go-time.ts'
import { newId } from './ids.ts'
import { KeyedMutex } from './keyed-mutex.ts'
import { parseSignal } from './signals.ts'
import { UndoStack } from './undo-stack.ts'

t.test('the mutex: one at a time per key, in order, whatever becomes of each', async (t) => {
  const mutex = new KeyedMutex()
  const log: string[] = []
  let finishFirst = () => {}
  const first = mutex.run('a', async () => {
    log.push('first begins')
    await new Promise<void>((resolve) => {
      finishFirst = resolve
    })
    throw new Error('first fails')
  })
  const second = mutex.run('a', async () => void log.push('second'))
  const other = mutex.run('b', async () => void log.push('other key'))
  await other
  t.strictSame(log, ['first begins', 'other key'])
  t.ok(mutex.isHeld('a'))
  finishFirst()
  await t.rejects(first, { message: 'first fails' })
  await second
  t.equal(log.at(-1), 'second')
  t.notOk(mutex.isHeld('a'), 'nothing is kept of keys that are free')
})

t.test('undo runs in reverse, goes on after a failure, and names it', async (t) => {
  const undo = new UndoStack()
  const log: string[] = []
  undo.push('one', () => void log.push('one'))
  undo.push('two', async () => {
    throw new Error('gone wrong')
  })
  undo.push('three', async () => void log.push('three'))
  const errors = await undo.unwind()
  t.strictSame(log, ['three', 'one'])
  t.strictSame(
    errors.map(({ message }) => message),
    ['undo two: gone wrong'],
  )
  undo.push('kept', () => void log.push('kept'))
  undo.keep()
  t.strictSame(await undo.unwind(), [])
  t.notOk(log.includes('kept'))
})

t.test('a crash point strikes only when it is armed', async (t) => {
  let struck = 0
  crashPoint('create:done')
  const disarm = armCrashPoint('create:done', () => {
    struck += 1
  })
  crashPoint('start:recorded')
  crashPoint('create:done')
  disarm()
  crashPoint('create:done')
  t.equal(struck, 1)
})

t.test('the clock never repeats itself', async (t) => {
  const clock = systemClock()
  let last = 0n
  for (let count = 0; count < 10_000; count++) {
    const now = clock.nowNs()
    if (now <= last) t.fail(`${now} after ${last}`)
    last = now
  }
  t.ok(Math.abs(Number(last / 1_000_000n) - Date.now()) < 60_000)
})

t.test('times as Go writes them', async (t) => {
  const time = 1_795_510_331_433_821_440n
  t.equal(rfc3339Nano(time), '2026-11-24T08:52:11.43382144Z', 'without trailing zeros')
  t.equal(rfc3339Nano('1795510331000000000'), '2026-11-24T08:52:11Z')
  t.equal(rfc3339Nano(''), '0001-01-01T00:00:00Z')
  t.equal(rfc3339FixedNano(time), '2026-11-24T08:52:11.433821440Z')
})

t.test('durations as Go reads them', async (t) => {
  t.equal(parseGoDuration('1h30m'), 5_400_000_000_000n)
  t.equal(parseGoDuration('-1.5s'), -1_500_000_000n)
  t.equal(parseGoDuration('10ms5us'), 10_005_000n)
  for (const wrong of ['', '5', 'h', '1x', '1h 2m']) t.equal(parseGoDuration(wrong), undefined, wrong)
  const now = 1_000_000_000_000n
  t.equal(parseTimestamp('10s', now), 990_000_000_000n)
  t.equal(parseTimestamp('12.5', now), 12_500_000_000n)
  t.equal(parseTimestamp('2026-11-24T08:52:11Z', now), 1_795_510_331_000_000_000n)
  t.throws(() => parseTimestamp('x', now), {
    kind: 'invalidArgument',
    message: 'failed to parse value as time or duration: "x"',
  })
})

t.test('durations as people read them', async (t) => {
  const cases: [number, string][] = [
    [0, 'Less than a second'],
    [1, '1 second'],
    [59, '59 seconds'],
    [60, 'About a minute'],
    [120, '2 minutes'],
    [3600, 'About an hour'],
    [5399, 'About an hour'],
    [5400, '2 hours'],
    [47 * 3600, '47 hours'],
    [48 * 3600, '2 days'],
    [14 * 86_400, '2 weeks'],
    [60 * 86_400, '2 months'],
    [730 * 86_400, '2 years'],
  ]
  for (const [seconds, text] of cases) t.equal(humanDuration(BigInt(seconds) * 1_000_000_000n), text)
})

t.test('signals by name and number', async (t) => {
  const cases: [string, number | undefined][] = [
    ['KILL', 9],
    ['sigterm', 15],
    ['15', 15],
    ['+15', 15],
    ['RTMIN+3', 37],
    ['SIGRTMAX-1', 63],
    ['RTMIN', 34],
    ['RTMIN-1', undefined],
    ['RTMAX+1', undefined],
    ['RTMIN+31', undefined],
    ['0', undefined],
    ['65', undefined],
    ['FOO', undefined],
    ['', undefined],
    ['-9', undefined],
  ]
  for (const [text, number] of cases) t.equal(parseSignal(text), number, text)
})

t.test('frames', async (t) => {
  t.strictSame([...frame('stderr', Buffer.from('ab'))], [2, 0, 0, 0, 0, 0, 0, 2, 97, 98])
})

t.test('ids', async (t) => {
  t.match(newId(), /^[0-9a-f]{64}$/)
  t.not(newId(), newId())
})
