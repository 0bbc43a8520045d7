/** `--since` and `--until`: Unix times, dates and durations ago, as the `seconds.nanoseconds` the API wants. */
import { parseDuration } from './sizes.ts'

/**
 * `10m` -> ten minutes before `now`; `2024-01-02T03:04:05` -> that moment in local time; numbers stay as they are.
 * Throws when it is none of these.
 */
export function parseTimestamp(text: string, now: Date): string {
  if (text === '' || /^-?\d+(\.\d+)?$/.test(text)) return text
  try {
    return formatNanos(BigInt(now.getTime()) * 1_000_000n - parseDuration(text))
  } catch {}
  const date = /^(\d{4}-\d{2}-\d{2})(?:T(\d{2}(?::\d{2}(?::\d{2}(\.\d+)?)?)?))?(Z|[+-]\d{2}:\d{2})?$/.exec(text)
  if (!date) throw new Error(`failed to parse value as time or duration: ${JSON.stringify(text)}`)
  const [, day = '', clock = '00', fraction = '', zone = ''] = date
  const time = [...clock.replace(fraction, '').split(':'), '00', '00'].slice(0, 3).join(':')
  const millis = Date.parse(`${day}T${time}${zone}`)
  if (Number.isNaN(millis)) throw new Error(`failed to parse value as time or duration: ${JSON.stringify(text)}`)
  return formatNanos(BigInt(millis) * 1_000_000n + BigInt(fraction.slice(1).padEnd(9, '0').slice(0, 9)))
}

function formatNanos(nanos: bigint): string {
  return `${nanos / 1_000_000_000n}.${String(nanos % 1_000_000_000n).padStart(9, '0')}`
}
