/** How Go prints values: plain (`%v`), by format verbs, and as JSON. */
import { GoFloat, type GoValue, isList, isMap, isNil, isRow, JsonNumber, quote, sortedEntries } from './values.ts'

/** `{{.X}}`: a pointer at the top is followed. */
export function printValue(value: GoValue): string {
  if (value === undefined) return '<no value>'
  return plain(value, true)
}

/** What fmt prints for %v. */
export function plain(value: GoValue, top = true): string {
  if (value === null || value === undefined) return '<nil>'
  if (typeof value !== 'object') return String(value)
  if (value instanceof GoFloat) return formatFloat(value.value)
  if (value instanceof JsonNumber) return value.text
  if (isList(value)) return `[${value.map((item) => plain(item, false)).join(' ')}]`
  if (isMap(value))
    return `map[${sortedEntries(value)
      .map(([key, item]) => `${key}:${plain(item, false)}`)
      .join(' ')}]`
  if (isRow(value)) return `{${[...value.columns().values()].map((item) => plain(item, false)).join(' ')}}`
  if (value.text !== undefined) return value.text
  // Go shows the address of what a nested pointer points to; only its presence means anything.
  if (value.pointer && !top) return '0xc000000000'
  return `{${(value.parts ?? [...value.fields.values()]).map((item) => plain(item, false)).join(' ')}}`
}

/** Go's %v of a float64: shortest form, exponent from 21 digits on. */
function formatFloat(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf'
  const exponent = value === 0 ? 0 : Math.floor(Math.log10(Math.abs(value)))
  if (exponent >= -4 && exponent < 21) return String(value)
  return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2')
}

/** Go's encoding/json without HTML escaping. */
export function toJson(value: GoValue): string {
  if (value === null || value === undefined) return 'null'
  if (typeof value === 'string') return jsonString(value)
  if (typeof value !== 'object') return String(value)
  if (value instanceof GoFloat) return jsonFloat(value.value)
  if (value instanceof JsonNumber) return value.text
  if (isList(value)) return isNil(value) ? 'null' : `[${value.map(toJson).join(',')}]`
  if (isMap(value)) return isNil(value) ? 'null' : jsonObject(sortedEntries(value))
  // Rows are encoded by Go's default rules, which keep text safe inside HTML.
  if (isRow(value))
    return jsonObject(sortedEntries(value.columns())).replace(
      /[<>&]/g,
      (letter) => `\\u00${letter.charCodeAt(0).toString(16)}`,
    )
  if (value.wire) return jsonObject([...value.wire])
  return value.text === undefined ? jsonObject([...value.fields]) : jsonString(value.jsonText ?? value.text)
}

function jsonObject(entries: [string, GoValue][]): string {
  return `{${entries.map(([key, item]) => `${jsonString(key)}:${toJson(item)}`).join(',')}}`
}

function jsonString(text: string): string {
  return JSON.stringify(text).replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029')
}

function jsonFloat(value: number): string {
  const size = Math.abs(value)
  if (size !== 0 && (size < 1e-6 || size >= 1e21)) return value.toExponential()
  return String(value)
}

const VERB = /%([+\-# 0]*)(\d+|\*)?(?:\.(\d+|\*)?)?([a-zA-Z%])/g

/** Go's Sprintf for the verbs that make sense on these values. */
export function sprintf(format: string, args: readonly GoValue[]): string {
  let index = 0
  const text = format.replace(
    VERB,
    (whole, flags: string, width: string | undefined, precision: string | undefined, verb: string) => {
      if (verb === '%') return '%'
      const nextWidth = width === '*' ? Number(args[index++]) : width === undefined ? undefined : Number(width)
      const nextPrecision =
        precision === '*'
          ? Number(args[index++])
          : precision === undefined
            ? /\.[a-zA-Z]/.test(whole)
              ? 0
              : undefined
            : Number(precision)
      if (index >= args.length) return `%!${verb}(MISSING)`
      const value = formatVerb(args[index++], { flags, verb, precision: nextPrecision })
      return padTo(value, flags, nextWidth, verb)
    },
  )
  if (index >= args.length) return text
  const extra = args.slice(index).map((arg) => `${goKind(arg)}=${plain(arg)}`)
  return `${text}%!(EXTRA ${extra.join(', ')})`
}

interface Verb {
  flags: string
  verb: string
  precision: number | undefined
}

function formatVerb(value: GoValue, { flags, verb, precision }: Verb): string {
  const number = numeric(value)
  const sign = flags.includes('+') && number !== undefined && number >= 0 ? '+' : ''
  switch (verb) {
    case 'v':
      return sign + plain(value)
    case 's':
      if (number !== undefined && !(value instanceof JsonNumber)) return `%!s(${goKind(value)}=${plain(value)})`
      return precision === undefined ? plain(value) : [...plain(value)].slice(0, precision).join('')
    case 'q':
      return quote(plain(value))
    case 'd':
      return number === undefined || value instanceof GoFloat ? bad(verb, value) : sign + String(value)
    case 'x':
    case 'X': {
      const hex =
        typeof value === 'string'
          ? Buffer.from(value).toString('hex')
          : number === undefined
            ? bad(verb, value)
            : BigInt(Math.trunc(number)).toString(16)
      return verb === 'X' ? hex.toUpperCase() : hex
    }
    case 'f':
    case 'F':
      return value instanceof GoFloat ? sign + value.value.toFixed(precision ?? 6) : bad(verb, value)
    case 'e':
      return value instanceof GoFloat
        ? value.value.toExponential(precision ?? 6).replace(/e([+-])(\d)$/, 'e$10$2')
        : bad(verb, value)
    case 'g':
      return value instanceof GoFloat
        ? precision === undefined
          ? formatFloat(value.value)
          : String(Number(value.value.toPrecision(precision)))
        : bad(verb, value)
    case 't':
      return typeof value === 'boolean' ? String(value) : bad(verb, value)
    case 'T':
      return goKind(value)
    case 'c':
      return number === undefined ? bad(verb, value) : String.fromCodePoint(number)
    case 'b':
    case 'o':
      return number === undefined ? bad(verb, value) : BigInt(Math.trunc(number)).toString(verb === 'b' ? 2 : 8)
    default:
      return bad(verb, value)
  }
}

const bad = (verb: string, value: GoValue): string => `%!${verb}(${goKind(value)}=${plain(value)})`

function padTo(text: string, flags: string, width: number | undefined, verb: string): string {
  if (width === undefined) return text
  const size = Math.abs(width)
  const missing = size - [...text].length
  if (missing <= 0) return text
  if (flags.includes('-') || width < 0) return text + ' '.repeat(missing)
  const zeros = flags.includes('0') && !['s', 'q', 'v'].includes(verb)
  if (!zeros) return ' '.repeat(missing) + text
  return text.startsWith('-') || text.startsWith('+')
    ? text.charAt(0) + '0'.repeat(missing) + text.slice(1)
    : '0'.repeat(missing) + text
}

function numeric(value: GoValue): number | undefined {
  if (typeof value === 'number') return value
  if (typeof value === 'bigint') return Number(value)
  return value instanceof GoFloat ? value.value : undefined
}

/** The Go type that messages name. */
export function goKind(value: GoValue): string {
  if (value === null || value === undefined) return '<nil>'
  if (typeof value === 'string') return 'string'
  if (typeof value === 'boolean') return 'bool'
  if (typeof value === 'number' || typeof value === 'bigint') return 'int'
  if (value instanceof GoFloat) return 'float64'
  if (value instanceof JsonNumber) return 'json.Number'
  if (isList(value)) return '[]interface {}'
  if (isMap(value)) return 'map[string]interface {}'
  if (isRow(value)) return value.rowType
  return (value.pointer ? '*' : '') + value.typeName
}
