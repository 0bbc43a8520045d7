/** Which volumes a client's `filters` let through, for list and prune. */
import type { Filters } from '../engine.ts'
import { invalidArgument } from '../errors/engine-error.ts'
import { matchesLabels } from '../events/event-filters.ts'
import type { VolumeRow } from '../ports/storage.ts'
import { anonymousLabel } from './volume-rules.ts'

export interface VolumeFilterInput {
  volume: VolumeRow
  inUse: boolean
}

type VolumeFilter = (input: VolumeFilterInput) => boolean

/** Throws invalidArgument for unknown keys and values. */
export function listFilter(filters: Filters): VolumeFilter {
  checkKeys(filters, ['dangling', 'driver', 'label', 'name'])
  const dangling = danglingValue(filters.dangling ?? [])
  const names = filters.name ?? []
  const drivers = filters.driver ?? []
  return ({ volume, inUse }) =>
    (dangling === undefined || dangling === !inUse) &&
    (drivers.length === 0 || drivers.includes(volume.driver)) &&
    (names.length === 0 || names.some((name) => matchesName(name, volume.name))) &&
    matchesLabels(filters.label, volume.labels)
}

/** Only what no container uses and has no driver options; without `all` only anonymous ones. */
export function pruneFilter(filters: Filters): VolumeFilter {
  checkKeys(filters, ['all', 'label', 'label!'])
  const all = allValue(filters.all ?? [])
  const unwanted = filters['label!'] ?? []
  return ({ volume, inUse }) =>
    !inUse &&
    Object.keys(volume.options).length === 0 &&
    (all || Object.hasOwn(volume.labels, anonymousLabel)) &&
    matchesLabels(filters.label, volume.labels) &&
    !unwanted.some((value) => matchesLabels([value], volume.labels))
}

function checkKeys(filters: Filters, known: readonly string[]): void {
  const unknown = Object.keys(filters).find((key) => !known.includes(key))
  if (unknown !== undefined) throw invalidArgument(`invalid filter '${unknown}'`)
}

function danglingValue(values: readonly string[]): boolean | undefined {
  if (values.length === 0) return undefined
  const isTrue = values.includes('1') || values.includes('true')
  const isFalse = values.includes('0') || values.includes('false')
  if (isTrue === isFalse) throw invalidArgument(`invalid filter 'dangling=[${values.join(' ')}]'`)
  return isTrue
}

const trueWords = new Set(['1', 't', 'T', 'TRUE', 'true', 'True'])
const falseWords = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False'])

function allValue(values: readonly string[]): boolean {
  const [value] = values
  if (value === undefined || falseWords.has(value)) return false
  if (trueWords.has(value)) return true
  throw invalidArgument(`invalid filter 'all': strconv.ParseBool: parsing ${JSON.stringify(value)}: invalid syntax`)
}

/** Docker takes the value as a regular expression that may match anywhere; a wrong one matches as plain text. */
function matchesName(pattern: string, name: string): boolean {
  try {
    return new RegExp(pattern).test(name)
  } catch {
    return name.includes(pattern)
  }
}
