/**
 * Go's view of API objects. Templates on `inspect` and the like run on Go structs, so what they print depends on the
 * fields' Go names, their order and their types; a type is described here by one line for each field:
 *
 *     'Name type wireName,omitempty'
 *
 * where the type is string, int, float, bool, any, time, empty, a description's name, or one of these after `[]`,
 * `map[]`, `map[port]` (keys that templates cannot look up by a string) or `*`. The wire name may be left out when it equals the Go name; `embed` in its place promotes the fields.
 */
import {
  GoFloat,
  GoStruct,
  type GoValue,
  JsonNumber,
  markForeignKeys,
  markUntyped,
  nilList,
  nilMap,
  type StructInit,
} from '@dockerd-ts/go-template/values'
import { goTime } from './units.ts'

export interface TypeDescription {
  name: string
  fields: readonly string[]
}

export type TypeTable = Record<string, TypeDescription>

export function describe(name: string, ...fields: string[]): TypeDescription {
  return { name, fields }
}

/** What JSON.parse with `parseExact` yields. */
export type Json = string | number | boolean | null | JsonNumber | Json[] | { [key: string]: Json }

/** Parses JSON keeping numbers that JavaScript would round, or print otherwise than they are written. */
export function parseExact(text: string): Json {
  return JSON.parse(text, (_key, value, context?: { source?: string }) => {
    if (typeof value !== 'number') return value
    const source = context?.source
    return source !== undefined && String(value) !== source ? new JsonNumber(source) : value
  }) as Json
}

/** A JSON value without a type: what Go's decoder makes of it when asked to keep numbers as text. */
export function untyped(json: Json): GoValue {
  if (json === null || typeof json === 'string' || typeof json === 'boolean') return json
  if (typeof json === 'number') return new JsonNumber(String(json))
  if (json instanceof JsonNumber) return json
  if (Array.isArray(json)) return json.map(untyped)
  return markUntyped(new Map(Object.entries(json).map(([key, value]) => [key, untyped(value)])))
}

/** Decodes `json` as Go would decode it into the type. */
export function typed(json: Json | undefined, type: string, table: TypeTable): GoValue {
  if (type.startsWith('[]')) {
    if (!Array.isArray(json)) return nilList()
    return json.map((item) => typed(item, type.slice(2), table))
  }
  if (type.startsWith('map[]')) {
    if (json === null || json === undefined || typeof json !== 'object') return nilMap()
    return new Map(Object.entries(json).map(([key, value]) => [key, typed(value, type.slice(5), table)]))
  }
  if (type.startsWith('map[port]'))
    return markForeignKeys(typed(json, `map[]${type.slice(9)}`, table) as Map<string, GoValue>, 'nat.Port')
  if (type.startsWith('*'))
    return json === null || json === undefined ? null : pointerTo(typed(json, type.slice(1), table))
  return scalar(json, type) ?? structOf(json, type, table)
}

function pointerTo(value: GoValue): GoValue {
  if (!(value instanceof GoStruct)) return value
  return new GoStruct({
    typeName: value.typeName,
    fields: value.fields,
    wire: value.wire,
    parts: value.parts,
    text: value.text,
    jsonText: value.jsonText,
    pointer: true,
  } satisfies StructInit)
}

function scalar(json: Json | undefined, type: string): GoValue | undefined {
  switch (type) {
    case 'string':
      return typeof json === 'string' ? json : ''
    case 'bool':
      return json === true
    case 'int':
      return json instanceof JsonNumber ? integerOf(json.text) : typeof json === 'number' ? json : 0
    case 'float':
      return new GoFloat(json instanceof JsonNumber ? Number(json.text) : typeof json === 'number' ? json : 0)
    case 'any':
      return json === undefined ? null : looseAny(json)
    case 'time':
      return timeOf(typeof json === 'string' ? json : '0001-01-01T00:00:00Z')
    case 'empty':
      return new GoStruct({ typeName: 'struct {}', fields: new Map() })
    default:
      return undefined
  }
}

function integerOf(text: string): number | bigint {
  return /^-?\d+$/.test(text) ? BigInt(text) : Number(text)
}

/** Go decodes a number of unknown type as a float. */
function looseAny(json: Json): GoValue {
  if (typeof json === 'number') return new GoFloat(json)
  if (json instanceof JsonNumber) return new GoFloat(Number(json.text))
  if (Array.isArray(json)) return json.map(looseAny)
  if (json === null || typeof json !== 'object') return json
  return markUntyped(new Map(Object.entries(json).map(([key, value]) => [key, looseAny(value)])))
}

function timeOf(text: string): GoStruct {
  const match = /^(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2}:\d{2})(\.\d+)?(Z|[+-]\d{2}:\d{2})$/.exec(text)
  const shown = match ? `${match[1]} ${match[2]}${match[3] ?? ''} ${zone(match[4] ?? 'Z')}` : text
  return new GoStruct({ typeName: 'time.Time', fields: new Map(), text: shown, jsonText: text })
}

function zone(text: string): string {
  if (text === 'Z') return '+0000 UTC'
  const digits = text.replace(':', '')
  const local = goTime(new Date()).split(' ')
  return digits === local[2] ? `${digits} ${local[3]}` : `${digits} ${digits}`
}

/** What a pointer inside a printed struct shows. */
const ADDRESS = new GoStruct({ typeName: 'uintptr', fields: new Map(), pointer: true })

function structOf(json: Json | undefined, type: string, table: TypeTable): GoValue {
  const description = table[type]
  if (!description) throw new Error(`no description of type ${type}`)
  const source =
    json !== null && typeof json === 'object' && !Array.isArray(json) && !(json instanceof JsonNumber) ? json : {}
  const fields = new Map<string, GoValue>()
  const wire = new Map<string, GoValue>()
  const parts: GoValue[] = []
  for (const line of description.fields) {
    const [name = '', fieldType = '', tag = ''] = line.split(' ')
    if (tag === 'embed') {
      const inner = typed(source, fieldType.replace('*', ''), table) as GoStruct
      parts.push(fieldType.startsWith('*') ? ADDRESS : inner)
      for (const [key, value] of inner.fields) fields.set(key, value)
      for (const [key, value] of inner.wire ?? inner.fields) wire.set(key, value)
      continue
    }
    const [wireName = '', option] = tag.split(',')
    const key = wireName === '' ? name : wireName
    const value = typed(source[key], fieldType, table)
    fields.set(name, value)
    parts.push(fieldType.startsWith('*') && value !== null ? ADDRESS : value)
    if (option !== 'omitempty' || !isEmpty(value)) wire.set(key, value)
  }
  return new GoStruct({ typeName: description.name, fields, wire, parts })
}

function isEmpty(value: GoValue): boolean {
  if (value === null || value === undefined || value === '' || value === 0 || value === false) return true
  if (value instanceof GoFloat) return value.value === 0
  if (Array.isArray(value)) return value.length === 0
  return value instanceof Map && value.size === 0
}
