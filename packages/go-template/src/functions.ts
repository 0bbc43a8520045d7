/** The functions templates can call: Go's own and those Docker adds. */
import { goKind, plain, sprintf, toJson } from './print.ts'
import {
  foreignKeyType,
  GoFloat,
  GoStruct,
  type GoValue,
  isList,
  isMap,
  isTrue,
  isUntyped,
  JsonNumber,
} from './values.ts'

type TemplateFunction = (args: GoValue[]) => GoValue

interface Declared {
  least: number
  most: number
  run: TemplateFunction
}

const any = Number.POSITIVE_INFINITY

/** `and` and `or` stop early and are evaluated by the executor; they are listed so that the parser knows them. */
export const templateFunctions: Record<string, Declared> = {
  and: { least: 1, most: any, run: (args) => args.find((arg) => !isTrue(arg)) ?? args.at(-1) },
  or: { least: 1, most: any, run: (args) => args.find(isTrue) ?? args.at(-1) },
  not: { least: 1, most: 1, run: ([value]) => !isTrue(value) },
  len: { least: 1, most: 1, run: ([value]) => length(value) },
  index: { least: 1, most: any, run: ([value, ...keys]) => keys.reduce(indexOnce, value) },
  slice: { least: 1, most: 4, run: ([value, ...bounds]) => sliceValue(value, bounds) },
  print: { least: 0, most: any, run: (args) => sprint(args) },
  printf: { least: 1, most: any, run: ([format, ...args]) => sprintf(text(format), args) },
  println: { least: 0, most: any, run: (args) => `${args.map((arg) => plain(arg)).join(' ')}\n` },
  html: { least: 0, most: any, run: (args) => escapeHtml(sprint(args)) },
  js: { least: 0, most: any, run: (args) => escapeJs(sprint(args)) },
  urlquery: { least: 0, most: any, run: (args) => encodeURIComponent(sprint(args)).replaceAll('%20', '+') },
  call: { least: 1, most: any, run: () => fail('error calling call: call of nil') },
  eq: { least: 1, most: any, run: ([first, ...rest]) => equalsAny(first, rest) },
  ne: { least: 2, most: 2, run: ([a, b]) => !equalsAny(a, [b]) },
  lt: { least: 2, most: 2, run: ([a, b]) => less(a, b) },
  le: { least: 2, most: 2, run: ([a, b]) => less(a, b) || equalsAny(a, [b]) },
  gt: { least: 2, most: 2, run: ([a, b]) => !(less(a, b) || equalsAny(a, [b])) },
  ge: { least: 2, most: 2, run: ([a, b]) => !less(a, b) },
  json: { least: 1, most: 1, run: ([value]) => toJson(value).trim() },
  split: {
    least: 2,
    most: 2,
    run: ([value, separator]) => (text(separator) === '' ? [...text(value)] : text(value).split(text(separator))),
  },
  join: { least: 2, most: 2, run: ([list, separator]) => strings(list).join(text(separator)) },
  title: {
    least: 1,
    most: 1,
    run: ([value]) =>
      text(value).replace(
        /(^|[^\p{L}\p{N}_'])(\p{L})/gu,
        (_, before: string, letter: string) => before + letter.toUpperCase(),
      ),
  },
  lower: { least: 1, most: 1, run: ([value]) => text(value).toLowerCase() },
  upper: { least: 1, most: 1, run: ([value]) => text(value).toUpperCase() },
  pad: {
    least: 3,
    most: 3,
    run: ([value, before, after]) =>
      text(value) === '' ? '' : ' '.repeat(integer(before)) + text(value) + ' '.repeat(integer(after)),
  },
  truncate: { least: 2, most: 2, run: ([value, size]) => [...text(value)].slice(0, integer(size)).join('') },
}

export const functionNames: ReadonlySet<string> = new Set(Object.keys(templateFunctions))

function fail(message: string): never {
  throw new Error(message)
}

/** A string argument; other types do not fit. */
function text(value: GoValue): string {
  if (typeof value === 'string') return value
  if (value instanceof GoStruct && value.text !== undefined) return value.text
  if (value === null || value === undefined) fail('invalid value; expected string')
  throw new WrongType(value, 'string')
}

/** Raised when an argument has a type that the function does not take; the executor adds which operand it was. */
export class WrongType extends Error {
  readonly value: GoValue
  readonly expected: string
  constructor(value: GoValue, expected: string) {
    super(`wrong type for value; expected ${expected}; got ${goKind(value)}`)
    this.value = value
    this.expected = expected
  }
}

function integer(value: GoValue): number {
  if (typeof value === 'number' || typeof value === 'bigint') return Number(value)
  throw new WrongType(value, 'int')
}

function strings(value: GoValue): string[] {
  if (!isList(value)) throw new WrongType(value, '[]string')
  return value.map((item) => (typeof item === 'string' ? item : plain(item)))
}

/** Go's Sprint: a space between operands when neither is a string. */
function sprint(args: readonly GoValue[]): string {
  return args
    .map((arg, at) => (at > 0 && typeof arg !== 'string' && typeof args[at - 1] !== 'string' ? ' ' : '') + plain(arg))
    .join('')
}

function length(value: GoValue): number {
  if (value === null || value === undefined) fail('error calling len: len of nil pointer')
  if (typeof value === 'string') return Buffer.byteLength(value)
  if (value instanceof JsonNumber) return value.text.length
  if (isList(value)) return value.length
  if (isMap(value)) return value.size
  return fail(`error calling len: len of type ${goKind(value)}`)
}

function indexOnce(container: GoValue, key: GoValue): GoValue {
  if (container === null || container === undefined) fail('error calling index: index of untyped nil')
  if (isMap(container)) {
    if (typeof key !== 'string') fail(`error calling index: value has type ${goKind(key)}; should be string`)
    const keyType = foreignKeyType(container)
    if (keyType !== undefined) fail(`error calling index: value has type string; should be ${keyType}`)
    return container.has(key) ? container.get(key) : missingOf(container)
  }
  if (typeof key !== 'number' && typeof key !== 'bigint') {
    if (isList(container) || typeof container === 'string')
      fail(`error calling index: cannot index slice/array with type ${goKind(key)}`)
    fail(`error calling index: can't index item of type ${goKind(container)}`)
  }
  const at = Number(key)
  if (isList(container)) {
    if (at < 0 || at >= container.length) fail(`error calling index: index out of range: ${at}`)
    return container[at]
  }
  if (typeof container === 'string') {
    const bytes = Buffer.from(container)
    if (at < 0 || at >= bytes.length) fail('error calling index: reflect: string index out of range')
    return bytes[at]
  }
  return fail(`error calling index: can't index item of type ${goKind(container)}`)
}

/** The zero value of a map's elements, judged by what the map holds. */
function missingOf(map: Map<string, GoValue>): GoValue {
  if (isUntyped(map)) return undefined
  const sample = map.values().next().value
  if (sample === undefined) return ''
  if (typeof sample === 'string') return ''
  if (typeof sample === 'number') return 0
  if (typeof sample === 'boolean') return false
  return isList(sample) ? [] : null
}

function sliceValue(value: GoValue, bounds: readonly GoValue[]): GoValue {
  const [from = 0, to] = bounds.map(integer)
  if (typeof value === 'string') {
    const bytes = Buffer.from(value)
    const end = to ?? bytes.length
    if (bounds.length === 3) fail('error calling slice: cannot 3-index slice a string')
    if (from > bytes.length || end > bytes.length)
      fail(`error calling slice: index out of range: ${from > bytes.length ? from : end}`)
    if (from > end) fail(`error calling slice: invalid slice index: ${from} > ${end}`)
    return bytes.subarray(from, end).toString()
  }
  if (!isList(value)) return fail(`error calling slice: can't slice item of type ${goKind(value)}`)
  const end = to ?? value.length
  if (from > value.length || end > value.length)
    fail(`error calling slice: index out of range: ${from > value.length ? from : end}`)
  if (from > end) fail(`error calling slice: invalid slice index: ${from} > ${end}`)
  return value.slice(from, end)
}

type Kind = 'string' | 'bool' | 'int' | 'float'

function kindOf(value: GoValue): Kind | undefined {
  if (typeof value === 'string' || value instanceof JsonNumber) return 'string'
  if (typeof value === 'boolean') return 'bool'
  if (typeof value === 'number' || typeof value === 'bigint') return 'int'
  return value instanceof GoFloat ? 'float' : undefined
}

function primitive(value: GoValue): string | boolean | number | bigint {
  if (value instanceof GoFloat) return value.value
  if (value instanceof JsonNumber) return value.text
  return value as string | boolean | number | bigint
}

function equalsAny(first: GoValue, rest: readonly GoValue[]): boolean {
  if (rest.length === 0) fail('error calling eq: missing argument for comparison')
  return rest.some((other) => equals(first, other))
}

function equals(a: GoValue, b: GoValue): boolean {
  const absent = (value: GoValue) => value === null || value === undefined
  if (absent(a) || absent(b)) return absent(a) && absent(b)
  const [left, right] = [kindOf(a), kindOf(b)]
  if (!left || !right)
    fail(
      `error calling eq: ${left || right ? 'incompatible types for comparison' : `non-comparable type ${plain(a)}: ${goKind(a)}`}`,
    )
  if (left !== right) fail('error calling eq: incompatible types for comparison')
  const [x, y] = [primitive(a), primitive(b)]
  // A number and a bigint of the same value are equal, though not identical.
  return left === 'int' ? !(x < y || x > y) : x === y
}

function less(a: GoValue, b: GoValue): boolean {
  const [left, right] = [kindOf(a), kindOf(b)]
  if (left !== right) fail('error calling lt: incompatible types for comparison')
  if (!left || left === 'bool') fail('error calling lt: invalid type for comparison')
  return primitive(a) < primitive(b)
}

function escapeHtml(value: string): string {
  const entities: Record<string, string> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&#34;',
    "'": '&#39;',
    '\0': '\uFFFD',
  }
  return value.replace(/[&<>"'\0]/g, (letter) => entities[letter] ?? letter)
}

function escapeJs(value: string): string {
  return value.replace(/[\\'"<>&=\n\r\t]/g, (letter) => {
    if (letter === '\\' || letter === "'" || letter === '"') return `\\${letter}`
    return `\\u${letter.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`
  })
}
