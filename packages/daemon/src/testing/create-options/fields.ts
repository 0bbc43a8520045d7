/** The fields of a create request, taken from its schema: what has no row there is found missing. */
import { schemas } from '@dockerd-ts/api'
import type { FieldPath } from './row.ts'

/** The parts of zod's definition objects that are read here. */
interface Definition {
  type: string
  shape?: Record<string, Schema>
  element?: Schema
  valueType?: Schema
  innerType?: Schema
}
interface Schema {
  def: object
}

/** Lists and maps of plain values are one field; those of objects are looked into. */
export const createFields = (): FieldPath[] => fieldsOf(schemas.ContainerCreateRequest, '')

function fieldsOf(schema: Schema, path: FieldPath): FieldPath[] {
  const { type, shape, element, valueType, innerType } = schema.def as Definition
  if (innerType !== undefined) return fieldsOf(innerType, path)
  if (type === 'object' && Object.keys(shape ?? {}).length > 0) {
    return Object.entries(shape ?? {}).flatMap(([key, field]) => fieldsOf(field, path === '' ? key : `${path}.${key}`))
  }
  if (type === 'array' && element !== undefined) return within(element, path, '[]')
  if (type === 'record' && valueType !== undefined) return within(valueType, path, '{}')
  return [path]
}

function within(schema: Schema, path: FieldPath, step: '[]' | '{}'): FieldPath[] {
  const inner = fieldsOf(schema, path + step)
  const plain = inner.length === 1 && !inner[0]?.includes('.', path.length)
  return plain ? [path] : inner
}

type Tree = Record<string, unknown>

/** A copy of the request with the field set. */
export function withField(request: object, field: FieldPath, value: unknown): object {
  const copy = structuredClone(request) as Tree
  let at = copy
  const steps = field.split('.')
  const last = steps.pop() ?? ''
  for (const step of steps) at = entered(at, step)
  at[last] = value
  return copy
}

/** `Mounts[]`, `EndpointsConfig{}`, `PortBindings{}[]`, `RestartPolicy`: the object there, made where it is missing. */
function entered(tree: Tree, step: string): Tree {
  const [, name = '', marks = ''] = /^(\w+)((?:\[\]|\{\})*)$/.exec(step) ?? []
  let holder: Tree = tree
  let key = name
  for (const mark of marks.match(/\[\]|\{\}/g) ?? []) {
    holder[key] ??= mark === '[]' ? [] : {}
    holder = holder[key] as Tree
    key = mark === '[]' ? '0' : (Object.keys(holder)[0] ?? 'first')
  }
  holder[key] ??= {}
  return holder[key] as Tree
}
