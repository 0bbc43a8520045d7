/** Which containers `filters` of list and prune let through; unknown keys and values are refused in Docker's words. */
import type { Filters } from '../engine.ts'
import { EngineError, internal, invalidArgument } from '../errors/engine-error.ts'
import { matchesLabels } from '../events/event-filters.ts'
import { parseTimestamp } from '../support/go-time.ts'
import type { Container } from './container.ts'
import type { ContainerContext } from './container-context.ts'
import { isRunning, wireStatus } from './container-state.ts'
import { networksView, portMap, portSummaries, shownEndpoints } from './network-view.ts'

type Test = (container: Container) => boolean
type Values = readonly string[]

const statuses = ['created', 'running', 'paused', 'restarting', 'removing', 'exited', 'dead']

/** Throws invalidArgument `invalid filter 'x'`. */
export function listFilter(context: ContainerContext, filters: Filters): { all: boolean; matches: Test } {
  const tests: Test[] = []
  for (const [key, values] of Object.entries(filters)) {
    const makeTest = listTests[key]
    if (makeTest === undefined) throw invalidArgument(`invalid filter '${key}'`)
    if (values.length > 0) tests.push(makeTest(values, context))
  }
  const { publish = [], expose = [] } = filters
  if (publish.length + expose.length > 0) tests.push(portTest(context, { publish, expose }))
  return {
    // Asking for a status asks for containers that do not run, too.
    all: (filters.status ?? []).length > 0,
    matches: (container) => tests.every((test) => test(container)),
  }
}

const listTests: Readonly<Record<string, (values: Values, context: ContainerContext) => Test>> = {
  id: (values) => (container) => matchesAny(values, [container.id]),
  name: (values) => (container) => matchesAny(values, [`/${container.record.name}`, container.record.name]),
  label: (values) => (container) => matchesLabels(values, container.record.config.Labels ?? {}),
  status: statusTest,
  exited: exitedTest,
  health: healthTest,
  ancestor: ancestorTest,
  before: (values, context) => {
    const limits = values.map((value) => createdAt(context, value))
    return (container) => limits.every((limit) => BigInt(container.record.createdAtNs) < limit)
  },
  since: (values, context) => {
    const limits = values.map((value) => createdAt(context, value))
    return (container) => limits.every((limit) => BigInt(container.record.createdAtNs) > limit)
  },
  volume: (values) => (container) =>
    container.record.mounts.some((mount) => values.includes(mount.name ?? '') || values.includes(mount.destination)),
  network: (values, context) => (container) => {
    const { record } = container
    const networks = networksView(context.networks, record, context.networks.endpointsOf(record.id))
    return Object.entries(networks).some(
      ([name, { NetworkID: id = '' }]) => values.includes(name) || values.some((value) => id.startsWith(value)),
    )
  },
  // Tested together: one of either is enough.
  publish: () => () => true,
  expose: () => () => true,
  'is-task': (values) => {
    const wanted = values.map((value) => {
      if (value === 'true' || value === '1') return true
      if (value === 'false' || value === '0') return false
      throw invalidArgument(`invalid filter 'is-task=[${value}]'`)
    })
    return () => !wanted.includes(true)
  },
  isolation: (values) => (container) => {
    const isolation = container.record.hostConfig.Isolation ?? ''
    return isolation === '' || values.includes(isolation)
  },
}

/** Regular expressions, as in Docker; text that is none of them is compared as it is. */
function matchesAny(values: Values, texts: readonly string[]): boolean {
  return values.some((value) => {
    let pattern: RegExp | undefined
    try {
      pattern = new RegExp(value)
    } catch {
      pattern = undefined
    }
    return texts.some((text) => pattern?.test(text) ?? text === value)
  })
}

function statusTest(values: Values): Test {
  for (const value of values) {
    if (!statuses.includes(value)) throw invalidArgument(`invalid filter 'status=${value}'`)
  }
  return (container) => values.includes(wireStatus(container.record))
}

function exitedTest(values: Values): Test {
  const codes = values.map((value) => {
    if (/^[+-]?\d+$/.test(value)) return Number(value)
    throw invalidArgument(`invalid filter 'exited=${value}': strconv.Atoi: parsing "${value}": invalid syntax`)
  })
  return ({ record }) =>
    codes.includes(record.state.exitCode) && !isRunning(record.status) && record.state.startedAtNs !== ''
}

function healthTest(values: Values): Test {
  for (const value of values) {
    if (!['none', 'starting', 'healthy', 'unhealthy'].includes(value)) {
      throw invalidArgument(`unrecognized filter value for health: ${value}`)
    }
  }
  return ({ record }) => values.includes(record.state.health?.status ?? 'none')
}

/** An image that does not exist has no containers; that is no error. */
function ancestorTest(values: Values, context: ContainerContext): Test {
  const ids = new Set(
    values.flatMap((value) => {
      try {
        return [context.images.resolve(value).id]
      } catch (error) {
        if (error instanceof EngineError) return []
        throw error
      }
    }),
  )
  return ({ record }) => ids.has(record.imageId)
}

const createdAt = (context: ContainerContext, reference: string): bigint =>
  BigInt(context.registry.find(reference).record.createdAtNs)

/** Ports as a list shows them, so of running containers alone: `publish` is the host's port, `expose` the container's. */
function portTest(context: ContainerContext, { publish, expose }: Record<'publish' | 'expose', Values>): Test {
  const published = new Set(publish.flatMap((value) => portRange('publish', value)))
  const exposed = new Set(expose.flatMap((value) => portRange('expose', value)))
  return ({ record }) =>
    portSummaries(portMap(record, shownEndpoints(context.networks, record))).some(
      ({ PublicPort, PrivatePort, Type }) =>
        published.has(`${PublicPort ?? 0}/${Type}`) || exposed.has(`${PrivatePort}/${Type}`),
    )
}

/** `80`, `80/udp`, `8000-8010/tcp`; refused in the words of Go and of Docker's go-connections. */
function portRange(what: string, value: string): string[] {
  if (value.includes(':')) throw internal(`filter for '${what}' should not contain ':': ${value}`)
  const [range = '', protocol = 'tcp'] = value.split('/')
  const refused = (reason: string) => internal(`error while looking up for ${what} ${value}: ${reason}`)
  // Of `1-2-3` the first two count, as in Docker.
  if (range === '') throw refused('Empty string specified for ports.')
  const [first = '', last = first] = range.split('-')
  for (const text of [first, last]) {
    if (!/^\d+$/.test(text)) throw refused(`strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`)
    if (Number(text) > 65_535) throw refused(`strconv.ParseUint: parsing ${JSON.stringify(text)}: value out of range`)
  }
  if (Number(last) < Number(first)) throw refused(`Invalid range specified for the Port: ${range}`)
  const count = Number(last) - Number(first) + 1
  return Array.from({ length: count }, (_, index) => `${Number(first) + index}/${protocol}`)
}

/** Prune: label, label! and until (of creation). */
export function pruneFilter(context: ContainerContext, filters: Filters): Test {
  const nowNs = context.clock.nowNs()
  for (const key of Object.keys(filters)) {
    if (!['label', 'label!', 'until'].includes(key)) throw invalidArgument(`invalid filter '${key}'`)
  }
  const until = filters.until ?? []
  if (until.length > 1) throw invalidArgument('more than one until filter specified')
  const limit = until[0] === undefined ? undefined : parseTimestamp(until[0], nowNs)
  const unwanted = filters['label!'] ?? []
  return ({ record }) => {
    const labels = record.config.Labels ?? {}
    if (limit !== undefined && BigInt(record.createdAtNs) > limit) return false
    if (unwanted.length > 0 && matchesLabels(unwanted, labels)) return false
    return matchesLabels(filters.label ?? [], labels)
  }
}
