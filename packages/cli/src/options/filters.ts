/** `--filter name=value`, and the JSON form in which the API takes it. */
import { custom, cut, type Flag } from './flags.ts'

export type Filters = Record<string, Record<string, boolean>>

export function filterFlag(usage: string, short = 'f'): Flag<Filters> {
  return custom<Filters>(short, 'filter', usage, {}, (current, text) => {
    const [name, value] = cut(text, '=')
    if (value === undefined) throw new Error('bad format of filter (expected name=value)')
    return addFilter(current, name.trim().toLowerCase(), value.trim())
  })
}

export function addFilter(filters: Filters, name: string, value: string): Filters {
  return { ...filters, [name]: { ...filters[name], [value]: true } }
}

/** The query parameter, or undefined when there is nothing to filter by. */
export function encodeFilters(filters: Filters): string | undefined {
  const sorted = <T>(object: Record<string, T>): Record<string, T> =>
    Object.fromEntries(Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1)))
  const pairs = Object.entries(filters).map(([name, values]): [string, Record<string, boolean>] => [
    name,
    sorted(values),
  ])
  return pairs.length === 0 ? undefined : JSON.stringify(sorted(Object.fromEntries(pairs)))
}
