/** The networks that clients see and ask for: list, inspect, create, connect, disconnect, remove, prune. */
import type * as wire from '@dockerd-ts/api'
import type { NetworkService } from '../engine.ts'
import type { ContainerUser, ContainerUsers } from '../engine-dependencies.ts'
import { conflict, forbidden, internal, isEngineError, notFound } from '../errors/engine-error.ts'
import type { EventPublisher } from '../ports/events.ts'
import type { ContainerNetworks, EndpointRow, NetworkRow } from '../ports/networks.ts'
import { shortId } from '../support/ids.ts'
import { checkEndpointSettings } from './check-endpoints.ts'
import { endpointPlan } from './endpoint-plan.ts'
import { builtInNetworks, checkConnectable, hostRefusal, networkDraft } from './network-rules.ts'
import { endpointResource, networkFilter, networkSummary } from './network-wire.ts'

export interface NetworkServiceDependencies {
  networks: ContainerNetworks
  events: EventPublisher
  users: ContainerUsers
  /** Unix time in nanoseconds; the system's when absent. */
  nowNs?: () => bigint
}

export function createNetworkService(dependencies: NetworkServiceDependencies): NetworkService {
  const { networks, users } = dependencies
  const nowNs = dependencies.nowNs ?? (() => BigInt(Date.now()) * 1_000_000n)
  return {
    async list(filters) {
      const used = usedNetworks(dependencies)
      const matches = networkFilter(filters, { isUsed: (id) => used.has(id), nowNs: nowNs() })
      return networks.list().filter(matches).map(networkSummary)
    },
    async inspect(reference, { scope }) {
      const row = networks.resolve(reference)
      if (scope !== undefined && scope !== '' && row.scope !== scope) throw notFound(`network ${reference} not found`)
      const endpoints = endpointsIn(dependencies, row.id)
      const containers = endpoints.map(([user, endpoint]) => [user.id, endpointResource(user.name, endpoint)])
      return { ...networkSummary(row), Containers: Object.fromEntries(containers) }
    },
    create: (body) => createNetwork(dependencies, body),
    connect: (reference, body) => connectContainer(dependencies, reference, body),
    disconnect: (reference, body) => disconnectContainer(dependencies, reference, body),
    async remove(reference) {
      await removeNetwork(dependencies, networks.resolve(reference))
    },
    async prune(filters) {
      const used = usedNetworks(dependencies)
      for (const name of users.list().flatMap((user) => Object.keys(user.endpoints))) {
        const row = resolveIfThere(networks, name)
        if (row !== undefined) used.add(row.id)
      }
      const matches = networkFilter(filters, { isUsed: (id) => used.has(id), nowNs: nowNs() })
      const chosen = networks
        .list()
        .filter((row) => !builtInNetworks.has(row.name) && !used.has(row.id) && matches(row))
      const deleted: string[] = []
      for (const row of chosen) {
        if (await removeUnlessUsed(dependencies, row)) deleted.push(row.name)
      }
      dependencies.events.publish({ type: 'network', action: 'prune', actorId: '', attributes: { reclaimed: '0' } })
      return { NetworksDeleted: deleted.length > 0 ? deleted : null }
    },
  }
}

/** Endpoints of a network that are up, with their containers. */
function endpointsIn({ networks, users }: NetworkServiceDependencies, networkId: string) {
  return users
    .list()
    .flatMap((user) => networks.endpointsOf(user.id).map((endpoint): [ContainerUser, EndpointRow] => [user, endpoint]))
    .filter(([, endpoint]) => endpoint.networkId === networkId)
}

const usedNetworks = ({ networks, users }: NetworkServiceDependencies): Set<string> =>
  new Set(users.list().flatMap(({ id }) => networks.endpointsOf(id).map(({ networkId }) => networkId)))

export function resolveIfThere(networks: ContainerNetworks, reference: string): NetworkRow | undefined {
  try {
    return networks.resolve(reference)
  } catch {
    return undefined
  }
}

async function createNetwork(
  { networks, events }: NetworkServiceDependencies,
  body: wire.NetworkCreateRequest,
): Promise<wire.NetworkCreateResponse> {
  const draft = networkDraft(body)
  if (networks.list().some(({ name }) => name === draft.name)) {
    throw conflict(`network with name ${draft.name} already exists`)
  }
  const row = await networks.createNetwork(draft)
  publish(events, 'create', row)
  return { Id: row.id, Warning: '' }
}

function publish(events: EventPublisher, action: string, row: NetworkRow, containerId?: string): void {
  const attributes = { ...(containerId !== undefined && { container: containerId }), name: row.name, type: row.driver }
  events.publish({ type: 'network', action, actorId: row.id, attributes })
}

async function connectContainer(
  dependencies: NetworkServiceDependencies,
  reference: string,
  body: wire.NetworkConnectRequest,
): Promise<void> {
  const { networks, users, events } = dependencies
  // The container is looked for first: where both are missing, that is what Docker says.
  const { id } = users.find(body.Container ?? '')
  const network = networks.resolve(reference)
  const settings = body.EndpointConfig ?? {}
  await users.exclusively(id, async () => {
    const user = users.find(id)
    const others = Object.keys(user.endpoints).flatMap((name) => resolveIfThere(networks, name) ?? [])
    if (user.networkMode.startsWith('container:')) checkConnectable(user.networkMode, network, others)
    checkEndpointSettings(network, settings)
    checkConnectable(user.networkMode, network, others)
    if (user.running) {
      const isThere = others.some((other) => other.id === network.id)
      if (isThere) throw forbidden(`endpoint with name ${user.name} already exists in network ${network.name}`)
      if (network.driver === 'bridge') await networks.connect(liveConnection(user, network, settings))
      publish(events, 'connect', network, id)
    }
    users.setEndpoint(id, network.name, settings)
  })
}

function liveConnection(user: ContainerUser, network: NetworkRow, settings: wire.EndpointSettings) {
  return {
    containerId: user.id,
    containerName: user.name,
    hostname: user.hostname,
    domainname: user.domainname,
    ports: user.portRequests(),
    endpoint: endpointPlan(user, network.id, settings),
  }
}

async function disconnectContainer(
  { networks, users, events }: NetworkServiceDependencies,
  reference: string,
  body: wire.NetworkDisconnectRequest,
): Promise<void> {
  const network = networks.resolve(reference)
  const { id } = findUser(users, body)
  await users.exclusively(id, async () => {
    const user = users.find(id)
    if (user.running && user.networkMode === 'host' && network.driver === 'host') throw hostRefusal()
    const names = Object.keys(user.endpoints)
    const name = names.find((key) => resolveIfThere(networks, key)?.id === network.id)
    if (name === undefined) {
      throw internal(`container ${id} is not connected to ${user.running ? '' : 'the '}network ${network.name}`)
    }
    const settings = user.endpoints[name]
    // First the wish: an endpoint that is up without one is taken down by the next daemon.
    users.setEndpoint(id, name, undefined)
    try {
      if (user.running) await networks.disconnect(id, network.id)
    } catch (error) {
      users.setEndpoint(id, name, settings)
      throw error
    }
    publish(events, 'disconnect', network, id)
  })
}

/** With force, what is looked for is an endpoint, of a container that may be gone. */
function findUser(users: ContainerUsers, { Container: container = '', Force: force }: wire.NetworkDisconnectRequest) {
  try {
    return users.find(container)
  } catch (error) {
    if (force && isEngineError(error, 'notFound')) throw notFound(`endpoint ${container} not found`)
    throw error
  }
}

async function removeNetwork(dependencies: NetworkServiceDependencies, row: NetworkRow): Promise<void> {
  if (builtInNetworks.has(row.name)) throw forbidden(`${row.name} is a pre-defined network and cannot be removed`)
  const ended = endpointsIn(dependencies, row.id).filter(([user]) => !user.running)
  // Their end has been told: who has heard of it may count on the network being free.
  await Promise.all(ended.map(([user]) => dependencies.users.released(user.id)))
  const used = endpointsIn(dependencies, row.id)
  if (used.length > 0) {
    const names = used.map(([user, endpoint]) => `name:"${user.name}" id:"${shortId(endpoint.endpointId)}"`)
    throw forbidden(`error while removing network: network ${row.name} has active endpoints (${names.join(', ')})`)
  }
  await dependencies.networks.removeNetwork(row.id)
  publish(dependencies.events, 'destroy', row)
}

/** A container may have taken the network since it was chosen. */
async function removeUnlessUsed(dependencies: NetworkServiceDependencies, row: NetworkRow): Promise<boolean> {
  try {
    await removeNetwork(dependencies, row)
    return true
  } catch (error) {
    if (isEngineError(error, 'forbidden')) return false
    throw error
  }
}
