import t from 'tap'
import { parseDuration, parseNanoCpus, parseRamBytes } from './sizes.ts'

t.test('sizes are powers of 1024', async (t) => {
  t.equal(parseRamBytes('1'), 1)
  t.equal(parseRamBytes('64m'), 64 * 1024 ** 2)
  t.equal(parseRamBytes('1.5GiB'), 1.5 * 1024 ** 3)
  t.equal(parseRamBytes('2 kb'), 2048)
  t.equal(parseRamBytes('3b'), 3)
  for (const wrong of ['', 'x', '1x', '-1', '1 mm', '1.2.3.'])
    t.throws(() => parseRamBytes(wrong), new Error(`invalid size: '${wrong}'`))
})

t.test('durations are nanoseconds', async (t) => {
  t.equal(parseDuration('1h2m3.5s'), 3_723_500_000_000n)
  t.equal(parseDuration('500ms'), 500_000_000n)
  t.equal(parseDuration('-1s'), -1_000_000_000n)
  t.equal(parseDuration('0'), 0n)
  t.equal(parseDuration('1.5µs'), 1500n)
  t.throws(() => parseDuration('5'), new Error('time: missing unit in duration "5"'))
  t.throws(() => parseDuration('5x'), new Error('time: unknown unit "x" in duration "5x"'))
  t.throws(() => parseDuration(''), new Error('time: invalid duration ""'))
  t.throws(() => parseDuration('.s'), new Error('time: invalid duration ".s"'))
})

t.test('CPUs are exact billionths', async (t) => {
  t.equal(parseNanoCpus('1.5'), 1_500_000_000)
  t.equal(parseNanoCpus('.25'), 250_000_000)
  t.equal(parseNanoCpus('1/4'), 250_000_000)
  t.throws(() => parseNanoCpus('0.0000000001'), new Error('value is too precise'))
  t.throws(() => parseNanoCpus('x'), new Error('failed to parse x as a rational number'))
})
