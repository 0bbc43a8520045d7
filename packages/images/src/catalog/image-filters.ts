/** The filters of image list and prune, parsed once and applied to one image at a time. */
import {
  type Filters,
  type ImageReference,
  invalidArgument,
  matchesReference,
  parseTimestamp,
  pathPattern,
} from '@dockerd-ts/core'
import { parseGoTime } from '../oci/go-time.ts'
import type { ImageStore, StoredImage } from './image-store.ts'

export interface ImageFilter {
  /** true, false, or not asked. */
  dangling: boolean | undefined
  accepts(image: StoredImage): boolean
  acceptsReference(reference: ImageReference): boolean
  readonly filtersReferences: boolean
}

const listKeys = new Set(['dangling', 'label', 'before', 'since', 'reference', 'until'])
const pruneKeys = new Set(['dangling', 'label', 'label!', 'until'])

/** Throws invalidArgument for unknown keys and bad values, notFound for images named by before and since. */
export function imageFilter(filters: Filters, store: ImageStore, use: 'list' | 'prune'): ImageFilter {
  const keys = use === 'list' ? listKeys : pruneKeys
  const unknown = Object.keys(filters).find((key) => !keys.has(key))
  if (unknown !== undefined) throw invalidArgument(`invalid filter '${unknown}'`)
  const times = timeBounds(filters, store, use)
  const patterns = (filters.reference ?? []).map(pathPattern)
  const labels = filters.label ?? []
  const notLabels = filters['label!'] ?? []
  return {
    dangling: boolean('dangling', filters.dangling),
    filtersReferences: patterns.length > 0,
    accepts(image) {
      const created = parseGoTime(image.document.created) ?? 0n
      if (times.some((inBounds) => !inBounds(created))) return false
      const own = image.document.config?.Labels ?? {}
      return labels.every((label) => hasLabel(own, label)) && !notLabels.some((label) => hasLabel(own, label))
    },
    acceptsReference: (reference) =>
      patterns.length === 0 || patterns.some((pattern) => matchesReference(pattern, reference)),
  }
}

function timeBounds(filters: Filters, store: ImageStore, use: 'list' | 'prune'): ((created: bigint) => boolean)[] {
  const createdOf = (name: string) => parseGoTime(store.find(name).document.created) ?? 0n
  const nowNs = BigInt(Date.now()) * 1_000_000n
  const until = filters.until ?? []
  if (use === 'prune' && until.length > 1) throw invalidArgument('more than one until filter specified')
  const before = [...(filters.before ?? []).map(createdOf), ...until.map((text) => parseTimestamp(text, nowNs))]
  const since = (filters.since ?? []).map(createdOf)
  return [
    ...before.map((bound) => (created: bigint) => created < bound),
    ...since.map((bound) => (created: bigint) => created > bound),
  ]
}

function boolean(key: string, values: readonly string[] | undefined): boolean | undefined {
  if (values === undefined || values.length === 0) return undefined
  const parsed = new Set(
    values.map((value) => ['true', '1'].includes(value) || (['false', '0'].includes(value) ? false : undefined)),
  )
  const [value] = parsed
  if (parsed.size !== 1 || value === undefined) {
    throw invalidArgument(`invalid filter '${key}=[${values.join(' ')}]'`)
  }
  return value
}

function hasLabel(labels: Readonly<Record<string, string>>, wanted: string): boolean {
  const equals = wanted.indexOf('=')
  if (equals < 0) return Object.hasOwn(labels, wanted)
  const key = wanted.slice(0, equals)
  return Object.hasOwn(labels, key) && labels[key] === wanted.slice(equals + 1)
}
