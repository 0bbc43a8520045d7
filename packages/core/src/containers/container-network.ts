/** The network of a container: what is asked of the networks at start, its name files, and the events that tell of it. */
import type * as wire from '@dockerd-ts/api'
import { conflict, internal } from '../errors/engine-error.ts'
import { endpointPlan } from '../networks/endpoint-plan.ts'
import { parseAddress } from '../networks/inet.ts'
import { checkConnectable } from '../networks/network-rules.ts'
import { resolveIfThere } from '../networks/network-service.ts'
import type { EndpointPlan, EndpointRow, NameFilesRequest, PortRequest, SetUpRequest } from '../ports/networks.ts'
import type { ContainerContext } from './container-context.ts'
import type { ContainerRecord } from './container-record.ts'
import { idMapOf } from './id-map.ts'
import { joinableNetwork, joinedNamespaces } from './joined-namespaces.ts'
import { linkHosts } from './links.ts'
import { type NetworkMode, networkModeOf } from './network-mode.ts'
import { parsePort } from './port-text.ts'

export interface ContainerNetwork {
  /** undefined: the host's own. */
  namespacePath?: string
  /** That it belongs to, of a container with ids of its own. */
  userNamespacePath?: string
  nameFiles: NonNullable<ContainerRecord['nameFiles']>
  /** What the container calls itself. */
  hostname: string
}

export async function setUpNetwork(context: ContainerContext, record: ContainerRecord): Promise<ContainerNetwork> {
  const mode = networkModeOf(record.hostConfig)
  if (mode.kind === 'container') return joinNetwork(context, record, mode.container)
  const hostname = record.config.Hostname ?? ''
  if (mode.kind === 'host') {
    const others = Object.keys(record.endpoints).flatMap((name) => resolveIfThere(context.networks, name) ?? [])
    for (const other of others) checkConnectable('host', other, others)
    return { hostname, nameFiles: await writeNameFiles(context, record, { mode, endpoints: [] }) }
  }
  const userNamespace = userNamespaceOf(context, record)
  const { namespacePath, userNamespacePath, endpoints } = await context.networks.setUp({
    containerId: record.id,
    containerName: record.name,
    hostname,
    ...(record.config.Domainname && { domainname: record.config.Domainname }),
    endpoints: record.config.NetworkDisabled ? [] : endpointPlans(context, record),
    ports: record.config.NetworkDisabled ? [] : portRequests(record),
    sysctls: networkSysctls(record.hostConfig),
    ...(userNamespace && { userNamespace }),
  })
  const nameFiles = await writeNameFiles(context, record, { mode, endpoints })
  return { namespacePath, ...(userNamespacePath && { userNamespacePath }), hostname, nameFiles }
}

/** A new one, or that of the container whose other namespaces this one joins. */
function userNamespaceOf(context: ContainerContext, record: ContainerRecord): SetUpRequest['userNamespace'] {
  const idMap = idMapOf(context, record.hostConfig)?.text
  if (idMap === undefined) return undefined
  const path = joinedNamespaces(context, record).user
  return path === undefined ? { idMap } : { path }
}

/** The other container's namespace, and the very same name files: who rewrites one rewrites it for both. */
function joinNetwork(context: ContainerContext, record: ContainerRecord, otherId: string): ContainerNetwork {
  const other = joinableNetwork(context, record, otherId)
  const { nameFiles, state, config } = other.record
  if (nameFiles === undefined) throw conflict(`container ${otherId} has no network files yet`)
  const namespaces = `/proc/${state.pid}/ns`
  return {
    namespacePath: `${namespaces}/net`,
    // Who shares what a user namespace owns has to be in it.
    ...(idMapOf(context, record.hostConfig) && { userNamespacePath: `${namespaces}/user` }),
    nameFiles,
    hostname: config.Hostname ?? '',
  }
}

/** `none` and `host` have no end in a container, nor has a default bridge that the daemon is not to have: it is as `none`. */
function endpointPlans(
  { networks }: ContainerContext,
  { id, name, config, endpoints }: ContainerRecord,
): EndpointPlan[] {
  const all = networks.list()
  const bare = new Set(all.flatMap((row) => (row.driver === 'bridge' ? [] : [row.name])))
  if (!all.some(({ name }) => name === 'bridge')) bare.add('bridge')
  return Object.entries(endpoints)
    .filter(([network]) => !bare.has(network))
    .map(([network, settings]) => endpointPlan({ id, name, hostname: config.Hostname ?? '' }, network, settings))
}

/** PortBindings, and with PublishAllPorts every exposed port that they do not name. */
export function portRequests({ config, hostConfig }: ContainerRecord): PortRequest[] {
  const requests: PortRequest[] = []
  const bindings = { ...hostConfig.PortBindings }
  if (hostConfig.PublishAllPorts) {
    for (const port of Object.keys(config.ExposedPorts ?? {})) bindings[port] ??= [{}]
  }
  for (const [text, hosts] of Object.entries(bindings)) {
    const port = parsePort(text)
    if (port === undefined) continue
    // A port without bindings counts as one binding to anywhere.
    for (const { HostIp: hostIp = '', HostPort: hostPort = '' } of hosts?.length ? hosts : [{}]) {
      requests.push({ protocol: port.protocol, containerPort: port.port, hostIp, hostPort })
    }
  }
  return requests
}

/** Those that belong to the namespace are set in it before anything runs; the spec carries the rest. */
function networkSysctls(hostConfig: wire.HostConfig): Record<string, string> {
  return Object.fromEntries(Object.entries(hostConfig.Sysctls ?? {}).filter(([name]) => name.startsWith('net.')))
}

function writeNameFiles(
  context: ContainerContext,
  record: ContainerRecord,
  { mode, endpoints }: { mode: NetworkMode; endpoints: readonly EndpointRow[] },
): Promise<ContainerNetwork['nameFiles']> {
  const { config, hostConfig } = record
  const { dns } = context.settings
  const owner = idMapOf(context, hostConfig)?.root
  checkNameServers(hostConfig.Dns ?? [])
  return context.nameFiles.write({
    directory: context.files.dataDirectory(record.id),
    hostname: config.Hostname ?? '',
    ...(config.Domainname && { domainname: config.Domainname }),
    endpoints,
    extraHosts: [...(hostConfig.ExtraHosts ?? []), ...linkHosts(context, record)],
    dns: hostConfig.Dns?.length ? hostConfig.Dns : dns.servers,
    dnsSearch: hostConfig.DnsSearch?.length ? hostConfig.DnsSearch : dns.search,
    dnsOptions: hostConfig.DnsOptions?.length ? hostConfig.DnsOptions : dns.options,
    mode: nameFilesMode(mode),
    ...(owner && { owner }),
  })
}

/** Docker says it when the container starts. */
function checkNameServers(servers: readonly string[]): void {
  const wrong = servers.find((server) => parseAddress(server.replace(/%.*$/, '')) === undefined)
  if (wrong === undefined) return
  throw internal(`bad nameserver address ${wrong}: ParseAddr(${JSON.stringify(wrong)}): unable to parse IP`)
}

const nameFilesMode = (mode: NetworkMode): NameFilesRequest['mode'] => (mode.kind === 'container' ? 'none' : mode.kind)

/** One event for each endpoint that came up or went down; `none` and `host` have none here, and are told as Docker does. */
export function publishNetworkEvents(
  context: ContainerContext,
  record: ContainerRecord,
  action: 'connect' | 'disconnect',
  endpoints = context.networks.endpointsOf(record.id),
): void {
  const all = context.networks.list()
  const bare = all.filter(({ driver, name }) => (driver === 'null' || driver === 'host') && name in record.endpoints)
  for (const networkId of [...endpoints.map((row) => row.networkId), ...bare.map(({ id }) => id)]) {
    const network = all.find((row) => row.id === networkId)
    context.events.publish({
      type: 'network',
      action,
      actorId: networkId,
      attributes: { container: record.id, name: network?.name ?? '', type: network?.driver ?? '' },
    })
  }
}
