/** What a step between two API versions is, and the small tools that steps are written with. */

export type Fields = Record<string, unknown>

/** Takes an answer from the version that introduced the change to the one before. Never changes its argument. */
export type ResponseAdapter = (value: Fields) => Fields
/** Takes a request of the version before to the version that introduced the change, in place. */
export type RequestAdapter = (request: { query: Fields; body: Fields }) => void

export interface VersionStep {
  /** The version that introduced the change. */
  readonly version: `1.${number}`
  /** By operation. Of lists: for one element. */
  readonly responses?: Readonly<Record<string, ResponseAdapter>>
  readonly requests?: Readonly<Record<string, RequestAdapter>>
}

export function without(value: Fields, ...keys: readonly string[]): Fields {
  const result = { ...value }
  for (const key of keys) delete result[key]
  return result
}

/** Keys that older versions always have, where they are missing. */
export const withDefaults = (value: Fields, defaults: Fields): Fields => ({ ...defaults, ...value })

export const fieldsOf = (value: unknown): Fields => (value ?? {}) as Fields

export function mapValues(value: unknown, adapt: (entry: Fields) => Fields): Fields {
  return Object.fromEntries(Object.entries(fieldsOf(value)).map(([key, entry]) => [key, adapt(fieldsOf(entry))]))
}

/** The list that an answer has at this key, each of its entries adapted; nothing where it has none, or null. */
export const adaptEntries = (value: Fields, key: string, adapt: (entry: Fields) => Fields): Fields =>
  Array.isArray(value[key]) ? { [key]: value[key].map((entry) => adapt(fieldsOf(entry))) } : {}

/** Of every network of a container. */
export function withoutEndpointField(value: Fields, key: string): Fields {
  const settings = fieldsOf(value.NetworkSettings)
  const networks = mapValues(settings.Networks, (endpoint) => without(endpoint, key))
  return { ...value, NetworkSettings: { ...settings, Networks: networks } }
}

/** Requests of older versions do not know these parameters: they are as if absent. */
export const ignoreQuery =
  (absent: Fields): RequestAdapter =>
  ({ query }) =>
    void Object.assign(query, absent)

export const ignoreBody =
  (...keys: readonly string[]): RequestAdapter =>
  ({ body }) => {
    for (const key of keys) delete body[key]
  }

interface MountFields extends Fields {
  Type?: string
}

/** The mounts of a create request. */
export const mountsOf = (body: Fields): MountFields[] => (fieldsOf(body.HostConfig).Mounts ?? []) as MountFields[]
