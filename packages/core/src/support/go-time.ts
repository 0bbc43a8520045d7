/** Times and durations as Go writes and reads them; clients compare and parse these texts. */
import { invalidArgument } from '../errors/engine-error.ts'

export const zeroTime = '0001-01-01T00:00:00Z'

/** RFC3339Nano in UTC: trailing zeros of the fraction are dropped. '' and undefined are Go's zero time. */
export function rfc3339Nano(timeNs: string | bigint | undefined): string {
  if (timeNs === undefined || timeNs === '') return zeroTime
  const time = BigInt(timeNs)
  const fraction = (time % 1_000_000_000n).toString().padStart(9, '0').replace(/0+$/, '')
  return `${secondsText(time)}${fraction === '' ? '' : `.${fraction}`}Z`
}

/** The prefix of log lines: always nine digits. */
export function rfc3339FixedNano(timeNs: bigint): string {
  return `${secondsText(timeNs)}.${(timeNs % 1_000_000_000n).toString().padStart(9, '0')}Z`
}

let lastSecond = -1n
let lastSecondText = ''
function secondsText(timeNs: bigint): string {
  const second = timeNs / 1_000_000_000n
  // Log lines and lists ask for the same second again and again; Date is the slow part.
  if (second !== lastSecond) {
    lastSecondText = new Date(Number(second) * 1000).toISOString().slice(0, 19)
    lastSecond = second
  }
  return lastSecondText
}

const unitNs: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  '\u00b5s': 1e3,
  '\u03bcs': 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
}

/** time.ParseDuration: `1h30m`, `-1.5s`; undefined when it is none. */
export function parseGoDuration(text: string): bigint | undefined {
  const match = /^([+-]?)((?:\d+\.?\d*|\.\d+)(?:ns|us|[\u00b5\u03bc]s|ms|s|m|h))+$/.exec(text)
  if (match === null) return text === '0' || text === '+0' || text === '-0' ? 0n : undefined
  let totalNs = 0
  for (const [, number, unit] of text.matchAll(/(\d+\.?\d*|\.\d+)(ns|us|[\u00b5\u03bc]s|ms|s|m|h)/g)) {
    totalNs += Number(number) * (unitNs[unit ?? ''] ?? 0)
  }
  return BigInt(Math.round(match[1] === '-' ? -totalNs : totalNs))
}

/**
 * Docker's `until`/`since` values: a Go duration before now, Unix seconds with an optional fraction, or a date.
 * Throws invalidArgument for anything else.
 */
export function parseTimestamp(text: string, nowNs: bigint): bigint {
  const durationNs = parseGoDuration(text)
  if (durationNs !== undefined && text !== '0') return nowNs - durationNs
  const unix = /^(\d+)(?:\.(\d{1,9}))?$/.exec(text)
  if (unix !== null) return BigInt(unix[1] ?? 0) * 1_000_000_000n + BigInt((unix[2] ?? '').padEnd(9, '0'))
  const date = /^(\d{4}-\d{2}-\d{2})(?:T(\d{2}(?::\d{2}(?::\d{2}(?:\.\d+)?)?)?)?(Z|[+-]\d{2}:\d{2})?)?$/.exec(text)
  const timeMs = date === null ? Number.NaN : Date.parse(`${date[1]}T${fullTime(date[2])}${date[3] ?? ''}`)
  if (Number.isNaN(timeMs)) throw invalidArgument(`failed to parse value as time or duration: "${text}"`)
  return BigInt(timeMs) * 1_000_000n
}

const fullTime = (time: string | undefined) => {
  if (time === undefined) return '00:00:00'
  return time.length === 2 ? `${time}:00:00` : time.length === 5 ? `${time}:00` : time
}

/** go-units HumanDuration, as in `Up 5 minutes`. */
export function humanDuration(durationNs: bigint): string {
  const seconds = Number(durationNs / 1_000_000_000n)
  if (seconds < 1) return 'Less than a second'
  if (seconds === 1) return '1 second'
  if (seconds < 60) return `${seconds} seconds`
  const minutes = Math.floor(seconds / 60)
  if (minutes === 1) return 'About a minute'
  if (minutes < 60) return `${minutes} minutes`
  const hours = Math.floor(seconds / 3600 + 0.5)
  if (hours === 1) return 'About an hour'
  if (hours < 48) return `${hours} hours`
  if (hours < 24 * 7 * 2) return `${Math.floor(hours / 24)} days`
  if (hours < 24 * 30 * 2) return `${Math.floor(hours / 24 / 7)} weeks`
  if (hours < 24 * 365 * 2) return `${Math.floor(hours / 24 / 30)} months`
  return `${Math.floor(seconds / 3600 / 24 / 365)} years`
}

/** Go's Duration.String: `1.5s`, `1m30s`, `500ms`, `1h0m0s`. */
export function goDuration(durationNs: bigint): string {
  if (durationNs < 0n) return `-${goDuration(-durationNs)}`
  if (durationNs === 0n) return '0s'
  const fraction = (ns: bigint, unitNs: bigint) => String(Number(ns) / Number(unitNs))
  if (durationNs < 1_000n) return `${durationNs}ns`
  if (durationNs < 1_000_000n) return `${fraction(durationNs, 1_000n)}\u00b5s`
  if (durationNs < 1_000_000_000n) return `${fraction(durationNs, 1_000_000n)}ms`
  const minutes = durationNs / 60_000_000_000n
  const seconds = `${fraction(durationNs % 60_000_000_000n, 1_000_000_000n)}s`
  if (minutes === 0n) return seconds
  return minutes < 60n ? `${minutes}m${seconds}` : `${minutes / 60n}h${minutes % 60n}m${seconds}`
}
