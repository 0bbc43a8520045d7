/** Which events a client's `filters` let through; the rules are Docker's, odd ones included. */
import type { Filters } from '../engine.ts'
import { invalidArgument } from '../errors/engine-error.ts'
import type { StoredEvent } from '../ports/records.ts'

const knownKeys = new Set([
  'config',
  'container',
  'daemon',
  'event',
  'image',
  'label',
  'network',
  'node',
  'plugin',
  'scope',
  'secret',
  'service',
  'type',
  'volume',
])

/** Keys that match the start of the actor's id or name, whatever its type. */
const actorKeys = ['container', 'network', 'volume', 'plugin', 'daemon', 'node', 'service', 'secret', 'config']

/** These actions carry a text after a colon, so the filter names their beginning. */
const prefixedActions = new Set(['health_status', 'exec_create', 'exec_start'])

/** Throws invalidArgument for an unknown key. */
export function eventFilter(filters: Filters): (event: StoredEvent) => boolean {
  for (const key of Object.keys(filters)) {
    if (!knownKeys.has(key)) throw invalidArgument(`invalid filter '${key}'`)
  }
  if (Object.values(filters).every((values) => values.length === 0)) return () => true
  return (event) =>
    matchesAction(filters.event, event.action) &&
    exactly(filters.type, event.type) &&
    exactly(filters.scope, 'local') &&
    actorKeys.every((key) => startsWithAny(filters[key], [event.actorId, event.attributes.name ?? ''])) &&
    matchesImage(filters.image, event) &&
    matchesLabels(filters.label, event.attributes)
}

type Values = readonly string[] | undefined
const none = (values: Values): boolean => values === undefined || values.length === 0
const exactly = (values: Values, text: string) => none(values) || (values?.includes(text) ?? false)

function startsWithAny(values: Values, texts: readonly string[]): boolean {
  return none(values) || (values ?? []).some((value) => texts.some((text) => text.startsWith(value)))
}

function matchesAction(values: Values, action: string): boolean {
  if ((values ?? []).some((value) => prefixedActions.has(value))) return startsWithAny(values, [action])
  return exactly(values, action)
}

function matchesImage(values: Values, event: StoredEvent): boolean {
  if (none(values)) return true
  const name = event.attributes[event.type === 'image' ? 'name' : 'image'] ?? ''
  return [event.actorId, name, withoutTag(event.actorId), withoutTag(name)].some((text) => exactly(values, text))
}

/** `repo:tag` and `host:5000/repo:tag` lose the tag; other texts stay. */
function withoutTag(reference: string): string {
  const colon = reference.lastIndexOf(':')
  return colon > reference.lastIndexOf('/') ? reference.slice(0, colon) : reference
}

/** Every given label must be there: `key`, or `key=value`. */
export function matchesLabels(values: Values, labels: Readonly<Record<string, string>>): boolean {
  return (values ?? []).every((value) => {
    const equals = value.indexOf('=')
    if (equals < 0) return Object.hasOwn(labels, value)
    return labels[value.slice(0, equals)] === value.slice(equals + 1)
  })
}
