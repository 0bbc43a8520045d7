/** Docker's spellings of booleans, numbers, times and platforms in query parameters. */
import { InvalidRequest } from './invalid-request.ts'

const falseWords = new Set(['', '0', 'no', 'false', 'none'])

/** Empty, 0, no, false and none in any case are false; everything else is true. */
export function parseBoolean(text: string): boolean {
  return !falseWords.has(text.trim().toLowerCase())
}

export function parseInteger(text: string): number {
  if (!/^[+-]?\d{1,19}$/.test(text)) {
    throw new InvalidRequest(`strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`)
  }
  return Number(text)
}

export function parseUint32(text: string): number {
  const value = parseInteger(text)
  if (value < 0 || value > 0xffff_ffff) {
    throw new InvalidRequest(`strconv.ParseUint: parsing ${JSON.stringify(text)}: value out of range`)
  }
  return value
}

/** `seconds[.fraction]` as Unix nanoseconds; digits beyond nine of the fraction are ignored. */
export function parseTimestampNs(text: string): bigint {
  const match = /^(-?)(\d{1,18})(?:\.(\d+))?$/.exec(text)
  if (match === null) {
    throw new InvalidRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`)
  }
  const [, sign, seconds = '0', fraction = ''] = match
  const value = BigInt(seconds) * 1_000_000_000n + BigInt(fraction.slice(0, 9).padEnd(9, '0'))
  return sign === '-' ? -value : value
}

/** `os[/arch[/variant]]` or `{"os","architecture","variant"}`, as the former. */
export function parsePlatform(text: string): string {
  if (!text.startsWith('{')) return text
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    parsed = undefined
  }
  const { os, architecture, variant } = (parsed ?? {}) as Record<string, unknown>
  if (typeof os !== 'string' || typeof architecture !== 'string' || os === '' || architecture === '') {
    throw new InvalidRequest('failed to parse platform')
  }
  return typeof variant === 'string' && variant !== '' ? `${os}/${architecture}/${variant}` : `${os}/${architecture}`
}
