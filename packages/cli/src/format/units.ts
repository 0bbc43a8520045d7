/** Sizes and times for people, digit for digit as Docker prints them. */

const DECIMAL_UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB', 'ZB', 'YB']
const BINARY_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB', 'ZiB', 'YiB']

/** Powers of 1000: 1234567 -> 1.235MB (four digits) or 1.23MB (three). */
export function humanSize(bytes: number, digits = 4): string {
  return scaled(bytes, { base: 1000, units: DECIMAL_UNITS, digits })
}

/** Powers of 1024: 1048576 -> 1MiB. */
export function binarySize(bytes: number): string {
  return scaled(bytes, { base: 1024, units: BINARY_UNITS, digits: 4 })
}

function scaled(
  bytes: number,
  { base, units, digits }: { base: number; units: readonly string[]; digits: number },
): string {
  let size = bytes
  let unit = 0
  while (size >= base && unit < units.length - 1) {
    size /= base
    unit++
  }
  return `${significant(size, digits)}${units[unit]}`
}

/** Go's %.Ng: N significant digits, no trailing zeros, an exponent when N digits do not reach the unit. */
function significant(value: number, digits: number): string {
  if (value === 0) return '0'
  const [mantissa = '', exponentText = '0'] = value.toExponential(digits - 1).split('e')
  const exponent = Number(exponentText)
  if (exponent >= -4 && exponent < digits) return String(Number(value.toPrecision(digits)))
  const sign = exponent < 0 ? '-' : '+'
  return `${Number(mantissa)}e${sign}${String(Math.abs(exponent)).padStart(2, '0')}`
}

/** `5 minutes`, `About an hour`, … for a span in seconds. */
export function humanDuration(seconds: number): string {
  const whole = Math.trunc(seconds)
  if (whole < 1) return 'Less than a second'
  if (whole === 1) return '1 second'
  if (whole < 60) return `${whole} seconds`
  const minutes = Math.trunc(seconds / 60)
  if (minutes === 1) return 'About a minute'
  if (minutes < 60) return `${minutes} minutes`
  const hours = Math.trunc(seconds / 3600 + 0.5)
  if (hours === 1) return 'About an hour'
  if (hours < 48) return `${hours} hours`
  if (hours < 24 * 7 * 2) return `${Math.trunc(hours / 24)} days`
  if (hours < 24 * 30 * 2) return `${Math.trunc(hours / 24 / 7)} weeks`
  if (hours < 24 * 365 * 2) return `${Math.trunc(hours / 24 / 30)} months`
  return `${Math.trunc(seconds / 3600 / 24 / 365)} years`
}

/** `3 hours ago` for a Unix time in seconds; `N/A` for none. */
export function ago(unixSeconds: number): string {
  return unixSeconds <= 0 ? 'N/A' : `${humanDuration(Date.now() / 1000 - unixSeconds)} ago`
}

/** Go's default form of a time in the local zone: 2026-01-02 03:04:05 +0000 UTC. */
export function goTime(date: Date, nanoFraction = ''): string {
  const two = (value: number) => String(value).padStart(2, '0')
  const offset = -date.getTimezoneOffset()
  const sign = offset < 0 ? '-' : '+'
  const zone = `${sign}${two(Math.trunc(Math.abs(offset) / 60))}${two(Math.abs(offset) % 60)}`
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
  const clock = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}${nanoFraction}`
  return `${day} ${clock} ${zone} ${zoneName(date, zone)}`
}

function zoneName(date: Date, zone: string): string {
  if (zone === '+0000') return 'UTC'
  const name = new Intl.DateTimeFormat('en-US', { timeZoneName: 'short' })
    .formatToParts(date)
    .find((part) => part.type === 'timeZoneName')?.value
  return name && /^[A-Z]+$/.test(name) ? name : zone
}

/** The first 12 digits of an id, without its algorithm. */
export function shortId(id: string): string {
  return id.replace(/^[a-z0-9]+:/, '').slice(0, 12)
}

/** Cuts to `width` columns, the last being an ellipsis. */
export function ellipsis(text: string, width: number): string {
  const letters = [...text]
  if (letters.length <= width) return text
  return width <= 1 ? letters.slice(0, width).join('') : `${letters.slice(0, width - 1).join('')}…`
}
