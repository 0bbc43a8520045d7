/** Networks and ports of a container as inspect and list show them. */
import { createHash } from 'node:crypto'
import type * as wire from '@dockerd-ts/api'
import { resolveIfThere } from '../networks/network-service.ts'
import type { ContainerNetworks, EndpointRow, NetworkRow } from '../ports/networks.ts'
import type { ContainerRecord } from './container-record.ts'
import { hasProcess, isRunning } from './container-state.ts'
import { parsePort } from './port-text.ts'

/** What was asked of each network, with what came of it while the container runs. */
export function networksView(
  networks: ContainerNetworks,
  record: ContainerRecord,
  endpoints: readonly EndpointRow[],
): Record<string, wire.EndpointSettings> {
  const byId = new Map(endpoints.map((row) => [row.networkId, row]))
  return Object.fromEntries(
    Object.entries(record.endpoints).map(([name, settings]) => {
      const network = resolveIfThere(networks, name)
      const row = network === undefined ? undefined : byId.get(network.id)
      const view = endpointView(settings, network?.id ?? '', row)
      const isBare = network !== undefined && network.driver !== 'bridge' && hasProcess(record.status)
      return [name, isBare ? { ...view, EndpointID: bareEndpointId(record, network) } : view]
    }),
  )
}

/** An end in a network without addresses, `none` or `host`: nothing of it is in the kernel, and it is told all the same. */
const bareEndpointId = (record: ContainerRecord, { id }: NetworkRow): string =>
  createHash('sha256').update(`endpoint/${record.id}/${id}/${record.state.startedAtNs}`).digest('hex')

function endpointView(
  settings: wire.EndpointSettings,
  networkId: string,
  row: EndpointRow | undefined,
): wire.EndpointSettings {
  return {
    IPAMConfig: settings.IPAMConfig ?? null,
    Links: settings.Links ?? null,
    Aliases: settings.Aliases ?? null,
    DriverOpts: settings.DriverOpts ?? null,
    GwPriority: settings.GwPriority ?? 0,
    NetworkID: networkId,
    EndpointID: row?.endpointId ?? '',
    Gateway: row?.gateway ?? '',
    IPAddress: row?.ipv4 ?? '',
    MacAddress: row?.mac ?? settings.MacAddress ?? '',
    IPPrefixLen: row?.ipv4PrefixLength ?? 0,
    IPv6Gateway: row?.gateway6 ?? '',
    GlobalIPv6Address: row?.ipv6 ?? '',
    GlobalIPv6PrefixLen: row?.ipv6PrefixLength ?? 0,
    DNSNames: row === undefined || row.dnsNames.length === 0 ? null : [...row.dnsNames],
  }
}

/** Of a container that has ended none are shown, also while they are being taken down. */
export const shownEndpoints = (networks: ContainerNetworks, record: ContainerRecord): readonly EndpointRow[] =>
  record.status === 'starting' || isRunning(record.status) ? networks.endpointsOf(record.id) : []

/** `80/tcp` → bindings; null is exposed and not published. Empty while nothing runs. */
export function portMap(record: ContainerRecord, endpoints: readonly EndpointRow[]): wire.PortMap {
  if (!hasProcess(record.status)) return {}
  const map: wire.PortMap = {}
  for (const port of exposedPorts(record)) map[port] = null
  for (const { protocol, containerPort, hostIp, hostPort } of endpoints.flatMap((row) => row.ports)) {
    const key = `${containerPort}/${protocol}`
    const bindings = map[key] ?? []
    bindings.push({ HostIp: hostIp, HostPort: String(hostPort) })
    map[key] = bindings
  }
  return map
}

/** Exposed by the configuration or named by a binding, with the protocol written out. */
function exposedPorts({ config, hostConfig }: ContainerRecord): string[] {
  const named = [...Object.keys(config.ExposedPorts ?? {}), ...Object.keys(hostConfig.PortBindings ?? {})]
  return named.map((text) => {
    const port = parsePort(text)
    return port === undefined ? text : `${port.port}/${port.protocol}`
  })
}

export function portSummaries(map: wire.PortMap): wire.PortSummary[] {
  return Object.entries(map).flatMap(([text, bindings]): wire.PortSummary[] => {
    const port = parsePort(text)
    if (port === undefined) return []
    if (!bindings?.length) return [{ PrivatePort: port.port, Type: port.protocol }]
    return bindings.map(({ HostIp: ip = '', HostPort: hostPort = '' }) => ({
      IP: ip,
      PrivatePort: port.port,
      PublicPort: Number(hostPort),
      Type: port.protocol,
    }))
  })
}
