/**
 * The ContainerNetworks port: bridges and one nftables table on the cold path, and on the hot path (a container starts or
 * ends) records, one request for the namespace and one for the map elements, no program started.
 */
import { existsSync } from 'node:fs'
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type {
  ContainerNetworks,
  EndpointPlan,
  EndpointRow,
  NetworkDraft,
  NetworkRow,
  SetUpRequest,
  SetUpResult,
} from '@dockerd-ts/core'
import { crashPoint, EngineError, forbidden, gatewayEndpoint, internal, KeyedMutex } from '@dockerd-ts/core'
import { elementChange } from '../firewall/port-mappings.ts'
import { ensureBuiltInNetworks } from './built-in-networks.ts'
import {
  ipv6Setting,
  planEndpoint,
  portMappings,
  releaseAddresses,
  restoreAddresses,
  vethRequest,
} from './endpoint-planner.ts'
import { createNetwork, releaseNetworks, removeNetwork } from './manage-networks.ts'
import { bridgesAreFiltered, enableIpv6Forwarding, ephemeralPorts, hasIpv6 } from './net-sysctls.ts'
import type { ContainerNetworksOptions, NetworkContext } from './network-context.ts'
import { type BridgeNetwork, bridgeNetwork, NetworkRegistry } from './network-registry.ts'
import { PortPublisher } from './port-publisher.ts'
import { reconcileNetworks } from './reconcile-networks.ts'

/** Reads the records and settles the built-in networks; the kernel is first touched by `reconcile`. */
export async function createContainerNetworks(options: ContainerNetworksOptions): Promise<ContainerNetworks> {
  const ipv6 = options.publishIpv6 !== false && hasIpv6()
  const derive = (row: NetworkRow) =>
    row.driver === 'bridge' ? bridgeNetwork(row, { defaultMtu: options.mtu ?? 1500, transit: ipv6 }) : undefined
  const context: NetworkContext = {
    options,
    table: options.firewallTable ?? tableName(options),
    namespaceDirectory: join(options.execRoot, 'netns'),
    userNamespaceDirectory: join(options.execRoot, 'userns'),
    registry: new NetworkRegistry(),
    publisher: new PortPublisher(ephemeralPorts()),
    endpoints: new Map(),
    ipv6,
    derive,
  }
  for (const directory of [context.namespaceDirectory, context.userNamespaceDirectory]) {
    await mkdir(directory, { recursive: true, mode: 0o711 })
  }
  await ensureBuiltInNetworks(context)
  for (const row of options.records.listEndpoints()) {
    context.endpoints.set(row.containerId, [...(context.endpoints.get(row.containerId) ?? []), row])
    const network = context.registry.bridge(row.networkId)
    if (network !== undefined) restoreAddresses(network, row)
  }
  return new LinuxContainerNetworks(context)
}

/** nftables names are at most 255 long; a bridge's at most 15. */
function tableName({ bridge = 'docker0', execRoot }: ContainerNetworksOptions): string {
  return bridge === 'none' ? `dockerd-ts-${execRoot.replace(/\W+/g, '-').slice(-64)}` : `dockerd-ts-${bridge}`
}

class LinuxContainerNetworks implements ContainerNetworks {
  readonly #context: NetworkContext
  readonly #locks = new KeyedMutex()

  constructor(context: NetworkContext) {
    this.#context = context
  }

  resolve(reference: string): NetworkRow {
    return this.#context.registry.resolve(reference)
  }

  list(): NetworkRow[] {
    return this.#context.registry.list()
  }

  endpointsOf(containerId: string): EndpointRow[] {
    return [...(this.#context.endpoints.get(containerId) ?? [])]
  }

  hostGateway(): string | undefined {
    const network = this.#context.registry.defaultBridge()
    return network?.row.ipam.config.find(({ subnet }) => !subnet.includes(':'))?.gateway
  }

  async setUp(request: SetUpRequest): Promise<SetUpResult> {
    const { containerId } = request
    if (this.#context.endpoints.has(containerId)) await this.tearDown(containerId)
    const namespacePath = this.#namespacePath(containerId)
    const rows = this.#planAll(request, namespacePath)
    try {
      const carrier = gatewayEndpoint(rows, (id) => this.#context.registry.get(id))
      if (carrier !== undefined) carrier.ports = await this.#publish(request, carrier)
      // From here on the records name what the kernel may hold; whatever fails is taken back from them.
      this.#context.endpoints.set(containerId, rows)
      for (const row of rows) this.#context.options.records.putEndpoint(row)
      crashPoint('endpoint:recorded')
      await this.#raise(request, { namespacePath, rows, carrier })
      const user = this.#userNamespace(request)
      return { namespacePath, ...(user && { userNamespacePath: user.path }), endpoints: [...rows] }
    } catch (error) {
      await this.#undo(containerId, rows)
      throw error
    }
  }

  #planAll({ containerId, endpoints }: SetUpRequest, namespacePath: string): EndpointRow[] {
    const rows: EndpointRow[] = []
    try {
      for (const plan of endpoints) {
        const interfaces = new Set(rows.map(({ containerInterface }) => containerInterface))
        rows.push(planEndpoint(this.#bridge(plan), plan, { containerId, namespacePath, interfaces }))
      }
      return rows
    } catch (error) {
      for (const row of rows) this.#release(row, false)
      throw error
    }
  }

  #bridge({ network }: EndpointPlan): BridgeNetwork {
    const row = this.resolve(network)
    const bridge = this.#context.registry.bridge(row.id)
    if (bridge === undefined) throw forbidden(`network ${row.name} cannot be connected with an endpoint`)
    return bridge
  }

  /** Both requests are sent at once; the helper works in order. */
  async #raise(
    request: SetUpRequest,
    plan: { namespacePath: string; rows: readonly EndpointRow[]; carrier: EndpointRow | undefined },
  ): Promise<void> {
    const { helper } = this.#context.options
    const { namespacePath: path, rows, carrier } = plan
    const { sysctls } = request
    const [first, ...others] = rows.map((row) => this.#veth(row, row === carrier))
    const settings = { ...Object.assign({}, ...rows.map(ipv6Setting), ...rows.map((row) => row.sysctls)), ...sysctls }
    // With several interfaces the settings may name any of them, so they are written with the last.
    const early = others.length === 0 ? { sysctls: settings } : {}
    const user = this.#userNamespace(request)
    const steps = [
      helper.createNetworkNamespace({
        path,
        ...(user && { userNamespace: user }),
        ...(first && { veth: first }),
        ...early,
      }),
    ]
    for (const veth of others) steps.push(helper.addInterface(path, veth))
    if (others.length > 0) steps.push(helper.createNetworkNamespace({ path, sysctls: settings }))
    if (carrier !== undefined && carrier.ports.length > 0) {
      this.#prepareIpv6(carrier)
      steps.push(helper.changeNftElements(this.#elements('add', carrier)))
    }
    await allSettled(steps)
  }

  #veth(row: EndpointRow, carriesDefaultRoute: boolean) {
    const network = this.#networkOf(row)
    return vethRequest(network, row, { carriesDefaultRoute, hairpin: row.ports.length > 0 && bridgesAreFiltered() })
  }

  #networkOf(row: EndpointRow): BridgeNetwork {
    const network = this.#context.registry.bridge(row.networkId)
    if (network === undefined) throw internal(`network ${row.networkId} of endpoint ${row.endpointId} is gone`)
    return network
  }

  #elements(action: 'add' | 'delete', row: EndpointRow) {
    const mappings = portMappings(this.#networkOf(row), row)
    return mappings.map((mapping) => elementChange(action, this.#context.table, mapping))
  }

  #prepareIpv6(row: EndpointRow): void {
    if (this.#context.options.forwarding === false) return
    if (!row.ports.some(({ hostIp }) => hostIp.includes(':'))) return
    if (enableIpv6Forwarding()) this.#context.options.log.info({}, 'IPv6 forwarding of the host switched on')
  }

  async #publish(request: Omit<SetUpRequest, 'endpoints'>, row: EndpointRow) {
    const network = this.#networkOf(row)
    const owner = {
      endpointId: row.endpointId,
      containerName: request.containerName || request.containerId.slice(0, 12),
      address: row.ipv4 ?? row.ipv6 ?? '',
    }
    const ipv6 = this.#context.ipv6 && (network.transit !== undefined || row.ipv6 !== undefined)
    return this.#context.publisher.publish(request.ports, owner, {
      ipv6,
      hostBindingIpv4: network.options.hostBindingIpv4,
    })
  }

  async #undo(containerId: string, rows: readonly EndpointRow[]): Promise<void> {
    if (!this.#context.endpoints.has(containerId)) {
      for (const row of rows) this.#release(row, false)
      return
    }
    try {
      await this.tearDown(containerId)
    } catch (error) {
      this.#context.options.log.error({ containerId, error }, 'network of a failed start is not taken back whole')
    }
  }

  async tearDown(containerId: string): Promise<void> {
    const { helper, records } = this.#context.options
    const rows = this.#context.endpoints.get(containerId) ?? []
    const known = rows.filter((row) => this.#context.registry.bridge(row.networkId) !== undefined)
    await allSettled([
      helper.changeNftElements(known.flatMap((row) => this.#elements('delete', row))),
      helper.deleteNetworkNamespace(this.#namespacePath(containerId)),
      this.#deleteUserNamespace(containerId),
    ])
    for (const row of rows) records.deleteEndpoint(row.endpointId)
    this.#context.endpoints.delete(containerId)
    for (const row of rows) this.#release(row, true)
  }

  #release(row: EndpointRow, dying: boolean): void {
    this.#context.publisher.release(row.ports, row.endpointId)
    const network = this.#context.registry.bridge(row.networkId)
    if (network !== undefined) releaseAddresses(network, row, dying)
  }

  async connect(request: Omit<SetUpRequest, 'endpoints'> & { endpoint: EndpointPlan }): Promise<EndpointRow> {
    const { containerId, endpoint } = request
    const network = this.#bridge(endpoint)
    const rows = this.endpointsOf(containerId)
    if (rows.some(({ networkId }) => networkId === network.row.id)) {
      const name = request.containerName || containerId.slice(0, 12)
      throw forbidden(`endpoint with name ${name} already exists in network ${network.row.name}`)
    }
    const namespacePath = this.#namespacePath(containerId)
    const interfaces = new Set(rows.map(({ containerInterface }) => containerInterface))
    const row = planEndpoint(network, endpoint, { containerId, namespacePath, interfaces })
    try {
      this.#context.endpoints.set(containerId, [...rows, row])
      this.#context.options.records.putEndpoint(row)
      crashPoint('connect:recorded')
      const { helper } = this.#context.options
      await helper.addInterface(namespacePath, this.#veth(row, false))
      crashPoint('connect:interface-added')
      await helper.createNetworkNamespace({ path: namespacePath, sysctls: { ...ipv6Setting(row), ...row.sysctls } })
      await this.#moveDefaultRoute(request, rows)
      return row
    } catch (error) {
      await this.disconnect(containerId, network.row.id).catch((cause: unknown) => {
        this.#context.options.log.error({ containerId, error: cause }, 'endpoint of a failed connect is not taken back')
      })
      throw error
    }
  }

  async disconnect(containerId: string, networkId: string): Promise<void> {
    const { helper, records } = this.#context.options
    const rows = this.endpointsOf(containerId)
    const row = rows.find((candidate) => candidate.networkId === networkId)
    if (row === undefined) return
    const rest = rows.filter((candidate) => candidate !== row)
    await allSettled([
      helper.changeNftElements(this.#elements('delete', row)),
      helper.removeInterface(row.namespacePath, row.containerInterface),
    ])
    crashPoint('disconnect:interface-removed')
    const next = gatewayEndpoint(rest, (id) => this.#context.registry.get(id))
    const { ports } = row
    row.ports = []
    records.transaction(() => {
      if (next === undefined) this.#context.publisher.release(ports, row.endpointId)
      else if (ports.length > 0) this.#givePorts(next, ports)
      records.putEndpoint(row)
    })
    if (next !== undefined) await this.#lower(next)
    // The row goes last: a new daemon takes up again what was cut off.
    records.deleteEndpoint(row.endpointId)
    crashPoint('disconnect:recorded')
    if (rest.length > 0) this.#context.endpoints.set(containerId, rest)
    else this.#context.endpoints.delete(containerId)
    this.#release(row, false)
  }

  #givePorts(row: EndpointRow, ports: EndpointRow['ports']): void {
    this.#context.publisher.move(ports, row.endpointId)
    row.ports = ports
    this.#context.options.records.putEndpoint(row)
  }

  /** Gives an endpoint that is up the default route and the way in of its ports. */
  async #lower(row: EndpointRow): Promise<void> {
    const { helper } = this.#context.options
    this.#prepareIpv6(row)
    await allSettled([
      // Ports may have brought IPv6 to an interface that had none.
      helper.createNetworkNamespace({ path: row.namespacePath, sysctls: ipv6Setting(row) }),
      helper.addInterface(row.namespacePath, this.#veth(row, true)),
      helper.changeNftElements(this.#elements('add', row)),
    ])
  }

  /** After a connect: another endpoint may now be the one that carries route and ports. */
  async #moveDefaultRoute(request: Omit<SetUpRequest, 'endpoints'>, before: readonly EndpointRow[]): Promise<void> {
    const networkOf = (id: string) => this.#context.registry.get(id)
    const was = gatewayEndpoint(before, networkOf)
    const now = gatewayEndpoint(this.endpointsOf(request.containerId), networkOf)
    if (now === undefined || now === was) return
    if (was !== undefined && was.ports.length > 0) {
      const { ports } = was
      const { helper, records } = this.#context.options
      await helper.changeNftElements(this.#elements('delete', was))
      was.ports = []
      records.transaction(() => {
        records.putEndpoint(was)
        this.#givePorts(now, ports)
      })
    } else if (was === undefined) {
      now.ports = await this.#publish(request, now)
      this.#context.options.records.putEndpoint(now)
    }
    await this.#lower(now)
  }

  createNetwork(draft: NetworkDraft): Promise<NetworkRow> {
    return this.#locks.run('networks', () => createNetwork(this.#context, draft))
  }

  removeNetwork(id: string): Promise<void> {
    return this.#locks.run('networks', () => removeNetwork(this.#context, id))
  }

  reconcile(liveContainerIds: ReadonlySet<string>): Promise<{ errors: EngineError[] }> {
    return this.#locks.run('networks', () =>
      reconcileNetworks(this.#context, {
        liveContainerIds,
        tearDown: (id) => this.tearDown(id),
        namespaces: async () => {
          const { namespaceDirectory, userNamespaceDirectory } = this.#context
          return [...(await readdir(namespaceDirectory)), ...(await readdir(userNamespaceDirectory))]
        },
      }),
    )
  }

  async close(): Promise<void> {
    this.#context.publisher.close()
  }

  release(): Promise<void> {
    return releaseNetworks(this.#context)
  }

  #userNamespace({ containerId, userNamespace: asked }: SetUpRequest): { path: string; idMap?: string } | undefined {
    if (asked === undefined || 'path' in asked) return asked
    return { path: this.#userNamespacePath(containerId), ...asked }
  }

  /** Most containers have none, and need not wait for the helper to say so. */
  async #deleteUserNamespace(containerId: string): Promise<void> {
    const path = this.#userNamespacePath(containerId)
    if (existsSync(path)) await this.#context.options.helper.deleteNetworkNamespace(path)
  }

  #userNamespacePath(containerId: string): string {
    return join(this.#context.userNamespaceDirectory, containerId)
  }

  #namespacePath(containerId: string): string {
    return join(this.#context.namespaceDirectory, containerId)
  }
}

/** Waits for all, so that an undo never overtakes a step; then throws the first failure. */
async function allSettled(steps: readonly Promise<unknown>[]): Promise<void> {
  const results = await Promise.allSettled(steps)
  const failed = results.find((result) => result.status === 'rejected')
  if (failed === undefined) return
  const { reason } = failed
  if (reason instanceof EngineError) throw reason
  throw internal(`failed to set up container networking: ${(reason as Error).message}`, reason)
}
