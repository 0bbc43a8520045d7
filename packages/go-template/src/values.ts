/**
 * The values that templates work on. Plain JavaScript values stand for Go's where they can: string, boolean, integer
 * number or bigint, Map for a map, array for a slice. The classes below carry what JavaScript does not distinguish.
 */

export class GoFloat {
  readonly value: number
  constructor(value: number) {
    this.value = value
  }
}

/** A number from JSON whose Go type is not known: printed as it was written. */
export class JsonNumber {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

export interface StructInit {
  typeName: string
  fields: ReadonlyMap<string, GoValue>
  parts?: readonly GoValue[] | undefined
  pointer?: boolean
  wire?: ReadonlyMap<string, GoValue> | undefined
  text?: string | undefined
  jsonText?: string | undefined
}

/** A struct: fields in declaration order, with the type's name for messages. */
export class GoStruct {
  readonly typeName: string
  readonly fields: ReadonlyMap<string, GoValue>
  /** What %v prints, where embedded structs and pointers show; the fields when absent. */
  readonly parts: readonly GoValue[] | undefined
  /** The struct is reached through a pointer. */
  readonly pointer: boolean
  /** What `json` prints in place of the fields, as pairs of key and value. */
  readonly wire: ReadonlyMap<string, GoValue> | undefined
  /** How the value prints itself, if its type says so. */
  readonly text: string | undefined
  /** The same in JSON, when that differs. */
  readonly jsonText: string | undefined
  constructor(init: StructInit) {
    this.typeName = init.typeName
    this.fields = init.fields
    this.parts = init.parts
    this.pointer = init.pointer ?? false
    this.wire = init.wire
    this.text = init.text
    this.jsonText = init.jsonText
  }
}

/** A row of a listing: columns are methods, computed when a template asks for them. */
export interface Row {
  readonly rowType: string
  get(name: string): GoValue | undefined
  /** A column that takes an argument (`.Label "x"`). */
  call?(name: string, args: GoValue[]): GoValue
  /** How many arguments the column takes; undefined when there is no such column. */
  arity(name: string): number | undefined
  /** Columns in the `json` format. */
  columns(): Map<string, GoValue>
}

export type GoValue =
  | string
  | number
  | bigint
  | boolean
  | null
  | undefined
  | GoFloat
  | JsonNumber
  | GoStruct
  | Row
  | GoValue[]
  | Map<string, GoValue>

export const isRow = (value: GoValue): value is Row => typeof value === 'object' && value !== null && 'rowType' in value
export const isMap = (value: GoValue): value is Map<string, GoValue> => value instanceof Map
export const isList = (value: GoValue): value is GoValue[] => Array.isArray(value)

/** A nil slice or map prints like an empty one but is `null` in JSON. */
const nils = new WeakSet<object>()
export function nilList(): GoValue[] {
  const list: GoValue[] = []
  nils.add(list)
  return list
}
export function nilMap(): Map<string, GoValue> {
  const map = new Map<string, GoValue>()
  nils.add(map)
  return map
}

/** Maps from JSON of unknown type: a missing key has no value. */
const untypedMaps = new WeakSet<object>()
export function markUntyped<T extends object>(map: T): T {
  untypedMaps.add(map)
  return map
}
export const isUntyped = (map: object): boolean => untypedMaps.has(map)

/** Maps whose keys are not plain strings to Go, so that templates cannot look them up by one. */
const foreignKeys = new WeakMap<object, string>()
export function markForeignKeys<T extends object>(map: T, keyType: string): T {
  foreignKeys.set(map, keyType)
  return map
}
export const foreignKeyType = (map: object): string | undefined => foreignKeys.get(map)

export const isNil = (value: object): boolean => nils.has(value)

export function isTrue(value: GoValue): boolean {
  if (value === null || value === undefined) return false
  if (typeof value === 'object') {
    if (value instanceof GoFloat) return value.value !== 0
    if (value instanceof JsonNumber) return value.text !== ''
    if (isList(value)) return value.length > 0
    if (isMap(value)) return value.size > 0
    return true
  }
  return Boolean(value)
}

/** Sorted as Go sorts map keys when it prints or ranges. */
export function sortedEntries(map: ReadonlyMap<string, GoValue>): [string, GoValue][] {
  return [...map].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
}

const ESCAPES: Record<string, string> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  "'": "'",
  '"': '"',
}

/** The value of a Go string or character literal. */
export function unquote(literal: string): string {
  const inner = literal.slice(1, -1)
  if (literal.startsWith('`')) return inner
  return inner.replace(/\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{3}|.)/g, (_, code: string) => {
    const simple = ESCAPES[code]
    if (simple !== undefined) return simple
    if (/^[xuU]/.test(code)) return String.fromCodePoint(Number.parseInt(code.slice(1), 16))
    return /^[0-7]{3}$/.test(code) ? String.fromCharCode(Number.parseInt(code, 8)) : code
  })
}

/** Go's %q. */
export function quote(text: string): string {
  return JSON.stringify(text)
    .replace(/\\u00([01][0-9a-f]|7f)/g, '\\x$1')
    .replaceAll('\\x07', '\\a')
    .replaceAll('\\x0b', '\\v')
}
