/** The `filters` query parameter, in the current form `{"label":{"a=b":true}}` and the older `{"label":["a=b"]}`. */
import type { Filters } from '../endpoints/define-endpoint.ts'
import { InvalidRequest } from './invalid-request.ts'

const noFilters: Filters = Object.freeze({})

/** `allowed` are the endpoint's keys; another is refused in Docker's words. */
export function parseFilters(text: string, allowed: readonly string[]): Filters {
  if (text === '') return noFilters
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    throw new InvalidRequest('invalid filter')
  }
  if (parsed === null) return noFilters
  if (typeof parsed !== 'object' || Array.isArray(parsed)) throw new InvalidRequest('invalid filter')
  const filters: Record<string, readonly string[]> = {}
  for (const [key, value] of Object.entries(parsed)) {
    if (!allowed.includes(key)) throw new InvalidRequest(`invalid filter '${key}'`)
    filters[key] = filterValues(value)
  }
  return filters
}

function filterValues(value: unknown): readonly string[] {
  if (value === null) return []
  if (Array.isArray(value)) {
    if (!value.every((entry) => typeof entry === 'string')) throw new InvalidRequest('invalid filter')
    return [...new Set(value)]
  }
  if (typeof value !== 'object') throw new InvalidRequest('invalid filter')
  if (!Object.values(value).every((flag) => typeof flag === 'boolean')) throw new InvalidRequest('invalid filter')
  return Object.keys(value)
}

/** The current wire form. undefined when there is nothing to say, so that the parameter is left out. */
export function formatFilters(filters: Filters): string | undefined {
  const entries = Object.entries(filters).filter(([, values]) => values.length > 0)
  if (entries.length === 0) return undefined
  return JSON.stringify(
    Object.fromEntries(entries.map(([key, values]) => [key, Object.fromEntries(values.map((value) => [value, true]))])),
  )
}
