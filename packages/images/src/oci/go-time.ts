/** RFC 3339 times with nanoseconds, as Go writes them into image configurations. */

const pattern = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)$/

/** Unix nanoseconds; undefined when it is no such time. */
export function parseGoTime(text: string | null | undefined): bigint | undefined {
  const match = pattern.exec(text ?? '')
  if (match === null) return undefined
  const ms = Date.parse(`${match[1]}${match[3]}`)
  if (Number.isNaN(ms)) return undefined
  return BigInt(ms) * 1_000_000n + BigInt((match[2] ?? '').slice(0, 9).padEnd(9, '0'))
}

/** Whole Unix seconds; 0 when there is no time. */
export function goTimeSeconds(text: string | null | undefined): number {
  const ns = parseGoTime(text)
  if (ns === undefined) return 0
  return Number((ns - (((ns % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n)) / 1_000_000_000n)
}

/** As Go writes it back: in the zone it came in, no zeros at the end of the fraction. undefined when it is no time. */
export function normalGoTime(text: string | null | undefined): string | undefined {
  const match = pattern.exec(text ?? '')
  if (match === null || parseGoTime(text) === undefined) return undefined
  const fraction = (match[2] ?? '').slice(0, 9).replace(/0+$/, '')
  const zone = /^[+-]00:00$/.test(match[3] ?? '') ? 'Z' : match[3]
  return `${match[1]}${fraction === '' ? '' : `.${fraction}`}${zone}`
}
