/** Which containers `filters` of list and prune let through; unknown keys and values are refused in Docker's words. */
import type { Filters } from '../engine.ts'
import { EngineError, internal, invalidArgument } from '../errors/engine-error.ts'
import { matchesLabels } from '../events/event-filters.ts'
import { parseTimestamp } from '../support/go-time.ts'
import type { Container } from './container.ts'
import type { ContainerContext } from './container-context.ts'
import { isRunning, wireStatus } from './container-state.ts'
import { networksView } from './network-view.ts'
import { parsePort } from './port-text.ts'

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
  publish: (values) => portTest('publish', values, ({ hostConfig }) => Object.keys(hostConfig.PortBindings ?? {})),
  expose: (values) => portTest('expose', values, ({ config }) => Object.keys(config.ExposedPorts ?? {})),
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

function portTest(what: string, values: Values, portsOf: (record: Container['record']) => string[]): Test {
  const wanted = new Set(values.flatMap((value) => portRange(what, value)))
  return ({ record }) =>
    portsOf(record).some((text) => {
      const port = parsePort(text)
      return port !== undefined && wanted.has(`${port.port}/${port.protocol}`)
    })
}

/** `80`, `80/udp`, `8000-8010/tcp`. */
function portRange(what: string, value: string): string[] {
  const [range = '', protocol = 'tcp'] = value.split('/')
  const [first = '', last = first] = range.split('-')
  for (const text of [first, last]) {
    if (/^\d{1,5}$/.test(text)) continue
    throw internal(`error while looking up for ${what} ${value}: strconv.ParseUint: parsing "${text}": invalid syntax`)
  }
  const count = Math.max(0, Number(last) - Number(first) + 1)
  return Array.from({ length: Math.min(count, 65_536) }, (_, index) => `${Number(first) + index}/${protocol}`)
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
