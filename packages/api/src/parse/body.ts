/**
 * Reads a JSON body the way Go does, by its schema: field names match in any case, null is absent, unknown fields are
 * dropped, a list of strings may be one string for Cmd and Entrypoint. The schema then checks types and bounds.
 */
import type * as z from 'zod'
import { strSlice } from '../schemas/primitives.ts'
import { InvalidRequest } from './invalid-request.ts'
import { findSyntaxError } from './json-syntax.ts'

type Normalizer = (value: unknown) => unknown

/** The parts of zod's definition objects that are read here. */
interface Definition {
  type: string
  shape?: Record<string, z.ZodType>
  element?: z.ZodType
  valueType?: z.ZodType
  innerType?: z.ZodType
}

const normalizers = new WeakMap<z.ZodType, Normalizer>()

/** Throws InvalidRequest with Docker's `invalid JSON: …`. No text, or `null`, is an empty object. */
export function parseJsonBody<S extends z.ZodType>(schema: S, text: string): z.infer<S> {
  const { value, rest } = text === '' ? { value: {}, rest: '' } : parseJson(text)
  const result = schema.safeParse(normalizerOf(schema)(value ?? {}))
  if (!result.success) throw invalid(result.error)
  // Go asks for another element of what is not open: a closing bracket is none.
  if (rest !== '' && !/^[}\]]/.test(rest)) throw new InvalidRequest('unexpected content after JSON')
  return result.data
}

function invalid({ issues: [issue] }: z.ZodError): InvalidRequest {
  const path = issue?.path.map(String).join('.') ?? ''
  return new InvalidRequest(
    `invalid JSON: ${path === '' ? '' : `${path}: `}${issue?.message.replace('Invalid input: ', '') ?? 'invalid value'}`,
  )
}

/** `rest` is what follows the value. */
function parseJson(text: string): { value: unknown; rest: string } {
  try {
    return { value: JSON.parse(text), rest: '' }
  } catch {
    const found = findSyntaxError(text)
    if (found.kind === 'value') {
      return { value: JSON.parse(text.slice(0, found.end)), rest: text.slice(found.end).trimStart() }
    }
    const fault = found.message === 'EOF' ? 'got EOF while reading request body' : found.message
    throw new InvalidRequest(`invalid JSON: ${fault}`)
  }
}

function normalizerOf(schema: z.ZodType): Normalizer {
  const known = normalizers.get(schema)
  if (known !== undefined) return known
  const normalizer = makeNormalizer(schema)
  normalizers.set(schema, normalizer)
  return normalizer
}

function makeNormalizer(schema: z.ZodType): Normalizer {
  const { type, shape, element, valueType, innerType } = schema.def as unknown as Definition
  if (innerType !== undefined) return normalizerOf(innerType)
  if (type === 'object' && shape !== undefined) return objectNormalizer(shape)
  if (type === 'array' && element !== undefined) {
    const normalize = arrayNormalizer(element)
    return schema === strSlice ? (value) => normalize(typeof value === 'string' ? [value] : value) : normalize
  }
  if (type === 'record' && valueType !== undefined) return recordNormalizer(valueType)
  return (value) => value
}

function objectNormalizer(shape: Record<string, z.ZodType>): Normalizer {
  const fields = new Map<string, readonly [name: string, normalize: Normalizer]>()
  for (const [name, schema] of Object.entries(shape)) fields.set(name.toLowerCase(), [name, normalizerOf(schema)])
  return (value) => {
    if (!isPlainObject(value)) return value
    const result: Record<string, unknown> = {}
    for (const [key, entry] of Object.entries(value)) {
      if (entry === null) continue
      const field = fields.get(key.toLowerCase())
      if (field !== undefined) result[field[0]] = field[1](entry)
    }
    return result
  }
}

function arrayNormalizer(element: z.ZodType): Normalizer {
  const normalize = normalizerOf(element)
  return (value) => (Array.isArray(value) ? value.map((entry) => normalize(entry ?? zeroValue(element))) : value)
}

function recordNormalizer(valueSchema: z.ZodType): Normalizer {
  const normalize = normalizerOf(valueSchema)
  return (value) => {
    if (!isPlainObject(value)) return value
    return Object.fromEntries(
      Object.entries(value).map(([key, entry]) => [key, entry === null ? zeroValue(valueSchema) : normalize(entry)]),
    )
  }
}

/** What Go's decoder leaves for a null in a list or map: the type's zero value; null itself where null has a meaning. */
function zeroValue(schema: z.ZodType): unknown {
  switch ((schema.def as unknown as Definition).type) {
    case 'string':
      return ''
    case 'number':
      return 0
    case 'boolean':
      return false
    case 'object':
    case 'record':
      return {}
    case 'array':
      return []
    default:
      return null
  }
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
