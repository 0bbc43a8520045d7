/** The networks that clients see and ask for: list, inspect, create, connect, disconnect, remove, prune. */
import type * as wire from '@dockerd-ts/api'
import type { Filters, NetworkService } from '../engine.ts'
import type { ContainerUser, ContainerUsers } from '../engine-dependencies.ts'
import { conflict, forbidden, invalidArgument, notFound } from '../errors/engine-error.ts'
import type { EventPublisher } from '../ports/events.ts'
import type { ContainerNetworks, EndpointRow, NetworkRow } from '../ports/networks.ts'
import { rfc3339Nano } from '../support/go-time.ts'

export interface NetworkServiceDependencies {
  networks: ContainerNetworks
  events: EventPublisher
  users: ContainerUsers
}

const builtIn = new Set(['bridge', 'host', 'none'])

function summary(row: NetworkRow): wire.NetworkSummary {
  return {
    Name: row.name,
    Id: row.id,
    Created: rfc3339Nano(BigInt(row.createdAtNs)),
    Scope: row.scope,
    Driver: row.driver,
    EnableIPv4: row.enableIPv4,
    EnableIPv6: row.enableIPv6,
    IPAM: {
      Driver: row.ipam.driver,
      Options: Object.keys(row.ipam.options).length > 0 ? row.ipam.options : null,
      Config: row.ipam.config.map((config) => ({
        Subnet: config.subnet,
        ...(config.ipRange !== undefined && { IPRange: config.ipRange }),
        ...(config.gateway !== undefined && { Gateway: config.gateway }),
        ...(config.auxiliaryAddresses !== undefined && { AuxiliaryAddresses: config.auxiliaryAddresses }),
      })),
    },
    Internal: row.internal,
    Attachable: row.attachable,
    Ingress: row.ingress,
    ConfigFrom: { Network: '' },
    ConfigOnly: false,
    Options: row.options,
    Labels: row.labels,
  }
}

const cidr = (address: string | undefined, length: number | undefined) =>
  address === undefined ? '' : `${address}/${length ?? ''}`

function endpointResource(user: ContainerUser, endpoint: EndpointRow): wire.EndpointResource {
  return {
    Name: user.name,
    EndpointID: endpoint.endpointId,
    MacAddress: endpoint.mac,
    IPv4Address: cidr(endpoint.ipv4, endpoint.ipv4PrefixLength),
    IPv6Address: cidr(endpoint.ipv6, endpoint.ipv6PrefixLength),
  }
}

function hasLabel(labels: Readonly<Record<string, string>>, wanted: string): boolean {
  const at = wanted.indexOf('=')
  return at < 0 ? wanted in labels : labels[wanted.slice(0, at)] === wanted.slice(at + 1)
}

function matches(row: NetworkRow, filters: Filters, inUse: (id: string) => boolean): boolean {
  const any = (key: string, test: (value: string) => boolean) => filters[key] === undefined || filters[key].some(test)
  return (
    any('driver', (value) => row.driver === value) &&
    any('scope', (value) => row.scope === value) &&
    any('id', (value) => row.id.startsWith(value)) &&
    any('name', (value) => row.name.includes(value)) &&
    any('type', (value) => (value === 'builtin') === builtIn.has(row.name)) &&
    any('dangling', (value) => /^(1|true)$/i.test(value) === (!builtIn.has(row.name) && !inUse(row.id))) &&
    (filters.label ?? []).every((value) => hasLabel(row.labels, value)) &&
    (filters['label!'] ?? []).every((value) => !hasLabel(row.labels, value))
  )
}

/** Endpoints that are up, with their containers. */
function endpointsIn(
  { networks, users }: NetworkServiceDependencies,
  networkId: string,
): [ContainerUser, EndpointRow][] {
  return users
    .list()
    .flatMap((user) => networks.endpointsOf(user.id).map((endpoint): [ContainerUser, EndpointRow] => [user, endpoint]))
    .filter(([, endpoint]) => endpoint.networkId === networkId)
}

function ipamConfig(config: wire.IPAMConfig): NetworkRow['ipam']['config'][number] {
  if (!config.Subnet) throw invalidArgument('invalid network config:\ninvalid subnet : must specify a subnet')
  return {
    subnet: config.Subnet,
    ...(config.Gateway && { gateway: config.Gateway }),
    ...(config.IPRange && { ipRange: config.IPRange }),
    ...(config.AuxiliaryAddresses && { auxiliaryAddresses: config.AuxiliaryAddresses }),
  }
}

function checkCreate(networks: ContainerNetworks, body: wire.NetworkCreateRequest): { name: string; driver: string } {
  const name = (body.Name ?? '').trim()
  const driver = body.Driver || 'bridge'
  if (name === '') throw invalidArgument('invalid network name: name is empty')
  if (builtIn.has(name)) throw forbidden(`operation is not permitted on predefined ${name} network`)
  if (networks.list().some((row) => row.name === name)) throw conflict(`network with name ${name} already exists`)
  if (driver === 'host' || driver === 'null' || driver === 'none') {
    throw forbidden(`only one instance of "${driver === 'none' ? 'null' : driver}" network is allowed`)
  }
  if (driver !== 'bridge') throw notFound(`could not find plugin ${driver} in v1 plugin registry: plugin not found`)
  if (body.ConfigOnly || body.ConfigFrom?.Network) throw invalidArgument('configuration networks are not served')
  if (body.Ingress) throw invalidArgument('ingress networks need a swarm')
  return { name, driver }
}

async function create(
  { networks, events }: NetworkServiceDependencies,
  body: wire.NetworkCreateRequest,
): Promise<wire.NetworkCreateResponse> {
  const { name, driver } = checkCreate(networks, body)
  const row = await networks.createNetwork({
    name,
    driver,
    internal: body.Internal ?? false,
    attachable: body.Attachable ?? false,
    ingress: false,
    enableIPv4: body.EnableIPv4 ?? true,
    enableIPv6: body.EnableIPv6 ?? false,
    ipam: {
      driver: body.IPAM?.Driver || 'default',
      options: body.IPAM?.Options ?? {},
      config: (body.IPAM?.Config ?? []).map(ipamConfig),
    },
    options: body.Options ?? {},
    labels: body.Labels ?? {},
  })
  events.publish({ type: 'network', action: 'create', actorId: row.id, attributes: { name, type: driver } })
  return { Id: row.id, Warning: '' }
}

async function connect(
  dependencies: NetworkServiceDependencies,
  reference: string,
  body: wire.NetworkConnectRequest,
): Promise<void> {
  const { networks, users, events } = dependencies
  const network = networks.resolve(reference)
  const user = users.find(body.Container ?? '')
  await users.exclusively(user.id, async () => {
    const now = users.find(user.id)
    if (now.networkMode.startsWith('container:'))
      throw forbidden(
        'container sharing network namespace with another container or host cannot be connected to any other network',
      )
    if (now.networkMode === 'host' || network.name === 'host')
      throw forbidden('container cannot be disconnected from host network or connected to host network')
    if (now.networkMode === 'none' || network.name === 'none')
      throw forbidden(
        'container cannot be connected to multiple networks with one of the networks in private (none) mode',
      )
    const known = Object.keys(now.endpoints).some((name) => networks.resolve(name).id === network.id)
    if (known) throw forbidden(`endpoint with name ${now.name} already exists in network ${network.name}`)
    const settings = body.EndpointConfig ?? {}
    if (now.running) {
      const aliases = [now.name, ...(settings.Aliases ?? []), now.id.slice(0, 12)]
      await networks.connect({
        containerId: now.id,
        hostname: now.hostname,
        domainname: now.domainname,
        ports: [],
        endpoint: {
          network: network.id,
          aliases,
          ...(settings.IPAMConfig?.IPv4Address && { ipv4Address: settings.IPAMConfig.IPv4Address }),
          ...(settings.IPAMConfig?.IPv6Address && { ipv6Address: settings.IPAMConfig.IPv6Address }),
          ...(settings.MacAddress && { mac: settings.MacAddress }),
        },
      })
      events.publish({
        type: 'network',
        action: 'connect',
        actorId: network.id,
        attributes: { container: now.id, name: network.name, type: network.driver },
      })
    }
    users.setEndpoint(now.id, network.name, settings)
  })
}

async function disconnect(
  dependencies: NetworkServiceDependencies,
  reference: string,
  body: wire.NetworkDisconnectRequest,
): Promise<void> {
  const { networks, users, events } = dependencies
  const network = networks.resolve(reference)
  const user = users.find(body.Container ?? '')
  await users.exclusively(user.id, async () => {
    const now = users.find(user.id)
    if (network.name === 'host')
      throw forbidden('container cannot be disconnected from host network or connected to host network')
    const name = Object.keys(now.endpoints).find((key) => networks.resolve(key).id === network.id)
    if (name === undefined) throw forbidden(`container ${now.id} is not connected to network ${network.name}`)
    if (now.running) {
      await networks.disconnect(now.id, network.id)
      events.publish({
        type: 'network',
        action: 'disconnect',
        actorId: network.id,
        attributes: { container: now.id, name: network.name, type: network.driver },
      })
    }
    users.setEndpoint(now.id, name, undefined)
  })
}

async function removeNetwork(dependencies: NetworkServiceDependencies, row: NetworkRow): Promise<void> {
  const { networks, events } = dependencies
  if (builtIn.has(row.name)) throw forbidden(`${row.name} is a pre-defined network and cannot be removed`)
  const used = endpointsIn(dependencies, row.id)
  if (used.length > 0) {
    const names = used.map(([user, endpoint]) => `name:"${user.name}" id:"${endpoint.endpointId.slice(0, 12)}"`)
    throw forbidden(`error while removing network: network ${row.name} has active endpoints (${names.join(', ')})`)
  }
  await networks.removeNetwork(row.id)
  events.publish({
    type: 'network',
    action: 'destroy',
    actorId: row.id,
    attributes: { name: row.name, type: row.driver },
  })
}

export function createNetworkService(dependencies: NetworkServiceDependencies): NetworkService {
  const { networks, users } = dependencies
  const isUsed = (id: string) => endpointsIn(dependencies, id).length > 0
  return {
    async list(filters) {
      return networks
        .list()
        .filter((row) => matches(row, filters, isUsed))
        .map(summary)
    },
    async inspect(reference, { scope }) {
      const row = networks.resolve(reference)
      if (scope !== undefined && scope !== '' && row.scope !== scope) throw notFound(`network ${reference} not found`)
      const containers = endpointsIn(dependencies, row.id).map(([user, endpoint]) => [
        user.id,
        endpointResource(user, endpoint),
      ])
      return { ...summary(row), Containers: Object.fromEntries(containers) }
    },
    create: (body) => create(dependencies, body),
    connect: (reference, body) => connect(dependencies, reference, body),
    disconnect: (reference, body) => disconnect(dependencies, reference, body),
    remove: (reference) => removeNetwork(dependencies, networks.resolve(reference)),
    async prune(filters) {
      const named = new Set(
        users
          .list()
          .flatMap((user) => Object.keys(user.endpoints))
          .map((name) => {
            try {
              return networks.resolve(name).id
            } catch {
              return ''
            }
          }),
      )
      const unused = networks.list().filter((row) => !builtIn.has(row.name) && !named.has(row.id) && !isUsed(row.id))
      const chosen = unused.filter((row) => matches(row, filters, isUsed))
      for (const row of chosen) await removeNetwork(dependencies, row)
      return { NetworksDeleted: chosen.length > 0 ? chosen.map(({ name }) => name) : null }
    },
  }
}
