/** Ping, version, facts, events, disk usage, registry login. */
import {
  endpoints,
  newestApiVersion,
  oldestApiVersion,
  openApiDocument,
  type SystemVersion,
  shapeDiskUsage,
} from '@dockerd-ts/api'
import { type Engine, invalidArgument } from '@dockerd-ts/core'
import { defined } from '../defined.ts'
import { eventFormat } from '../event-format.ts'
import { pingHeaders, type ServerFacts } from '../negotiation.ts'
import { empty, json, text } from '../replies.ts'
import { type Route, route } from '../route.ts'

const { system: table } = endpoints

const diskUsageTypes = ['container', 'image', 'volume', 'build-cache'] as const

export function systemRoutes({ system, images }: Engine, facts: ServerFacts): Route[] {
  return [
    route(table.ping, async () => text('OK', pingHeaders(facts))),
    route(table.pingHead, async () => empty({ 'Content-Type': 'text/plain; charset=utf-8', ...pingHeaders(facts) })),
    route(table.version, async () => json(withApiVersions(await system.version()))),
    route(table.info, async () => json(await system.info())),
    route(table.events, async ({ query, headers, version, signal }) => {
      const { since: sinceNs, until: untilNs, filters } = query
      checkOrder(sinceNs, untilNs)
      const values = system.events({ ...defined({ sinceNs, untilNs }), filters, signal })
      return { kind: 'objects', early: true, ...eventFormat(headers.accept, version), values }
    }),
    route(table.dataUsage, async ({ query, version }) => {
      const usage = await system.diskUsage({ types: query.type.map(diskUsageType) })
      return json(shapeDiskUsage(usage, { version, verbose: query.verbose }))
    }),
    route(table.diskCheck, async ({ query: { verify } }) => json(await system.checkDisk({ verify, repair: false }))),
    route(table.diskRepair, async ({ query: { verify } }) => json(await system.checkDisk({ verify, repair: true }))),
    route(table.auth, async ({ body }) => json(await images.login(defined(body)))),
    route(table.pluginList, async () => json([])),
    // There is no build cache without a builder.
    route(table.buildPrune, async () => json({ CachesDeleted: null, SpaceReclaimed: 0 })),
    route(table.openApi, async () => json(openApiDocument())),
  ]
}

/** The versions of the API are this layer's knowledge. */
function withApiVersions(version: SystemVersion): SystemVersion {
  const versions = { ApiVersion: newestApiVersion, MinAPIVersion: oldestApiVersion }
  const components = version.Components?.map((component) =>
    component.Name === 'Engine' ? { ...component, Details: { ...component.Details, ...versions } } : component,
  )
  return { ...version, ...versions, ...defined({ Components: components }) }
}

function checkOrder(sinceNs: bigint | undefined, untilNs: bigint | undefined): void {
  if (sinceNs === undefined || untilNs === undefined || sinceNs <= untilNs) return
  const seconds = (ns: bigint) => ns / 1_000_000_000n
  throw invalidArgument(`\`since\` time (${seconds(sinceNs)}) cannot be after \`until\` time (${seconds(untilNs)})`)
}

function diskUsageType(name: string): (typeof diskUsageTypes)[number] {
  const type = diskUsageTypes.find((known) => known === name)
  if (type === undefined) throw invalidArgument(`unknown object type: ${name}`)
  return type
}
