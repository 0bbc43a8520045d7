/** Sizes and durations as users write them, in Docker's and Go's grammar. */

const RAM_UNITS = 'kmgtp'

/** `512m`, `1.5g`, `2GiB`: powers of 1024, the number of bytes. Throws `invalid size: '…'`. */
export function parseRamBytes(text: string): number {
  const match = /^(-?\d+(?:\.\d+)*) ?(?:([kmgtp])(?:ib?|b)?|b)?$/i.exec(text)
  const number = match ? Number(match[1]) : Number.NaN
  if (!match || Number.isNaN(number) || number < 0) throw new Error(`invalid size: '${text}'`)
  const exponent = match[2] === undefined ? 0 : RAM_UNITS.indexOf(match[2].toLowerCase()) + 1
  return Math.trunc(number * 1024 ** exponent)
}

const NANOS: Record<string, bigint> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
}

/** Go's time.ParseDuration, in nanoseconds. Throws Go's error texts. */
export function parseDuration(text: string): bigint {
  const quoted = JSON.stringify(text)
  const sign = text.startsWith('-') ? -1n : 1n
  let rest = text.replace(/^[+-]/, '')
  if (rest === '0') return 0n
  if (rest === '') throw new Error(`time: invalid duration ${quoted}`)
  let total = 0n
  while (rest !== '') {
    const match = /^(\d*)(?:\.(\d*))?([^\d.]*)/.exec(rest)
    const [whole, integer = '', fraction = '', unit = ''] = match ?? ['']
    if (integer === '' && fraction === '') throw new Error(`time: invalid duration ${quoted}`)
    if (unit === '') throw new Error(`time: missing unit in duration ${quoted}`)
    const nanos = NANOS[unit]
    if (nanos === undefined) throw new Error(`time: unknown unit ${JSON.stringify(unit)} in duration ${quoted}`)
    total += BigInt(integer || '0') * nanos
    if (fraction !== '') total += (BigInt(fraction) * nanos) / 10n ** BigInt(fraction.length)
    rest = rest.slice(whole.length)
  }
  if (total >= 2n ** 63n) throw new Error(`time: invalid duration ${quoted}`)
  return sign * total
}

/** A decimal number of CPUs in billionths. */
export function parseNanoCpus(text: string): number {
  const match = /^([+-]?)(\d*)(?:\.(\d*))?(?:\/(\d+))?$/.exec(text)
  if (!match || (match[2] === '' && !match[3])) throw new Error(`failed to parse ${text} as a rational number`)
  const fraction = match[3] ?? ''
  const numerator = BigInt(`${match[2]}${fraction}` || '0') * 1_000_000_000n
  const denominator = 10n ** BigInt(fraction.length) * BigInt(match[4] ?? 1)
  if (denominator === 0n) throw new Error(`failed to parse ${text} as a rational number`)
  if (numerator % denominator !== 0n) throw new Error('value is too precise')
  const value = Number(numerator / denominator)
  return match[1] === '-' ? -value : value
}
