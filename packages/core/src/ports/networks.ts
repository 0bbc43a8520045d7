/** Connects containers to networks: namespaces, links, addresses, published ports, name files. */
import type { EngineError } from '../errors/engine-error.ts'

export interface NetworkRow {
  id: string
  name: string
  driver: string
  scope: 'local'
  createdAtNs: string
  internal: boolean
  attachable: boolean
  ingress: boolean
  enableIPv4: boolean
  enableIPv6: boolean
  /** `options` as given: clients tell null from {}. */
  ipam: { driver: string; options: Record<string, string> | null; config: IpamConfig[] }
  options: Record<string, string>
  labels: Record<string, string>
}

export interface IpamConfig {
  subnet: string
  gateway?: string
  ipRange?: string
  auxiliaryAddresses?: Record<string, string>
  /** The subnet was chosen by the engine: containers cannot ask for an address in it. */
  automatic?: boolean
}

/** Rows of networks and of endpoints that are up; implemented by the store. Synchronous, short. */
export interface NetworkRecords {
  putNetwork(network: NetworkRow): void
  listNetworks(): NetworkRow[]
  deleteNetwork(id: string): void
  putEndpoint(endpoint: EndpointRow): void
  listEndpoints(): EndpointRow[]
  deleteEndpoint(endpointId: string): void
  /** All of the writes, or none. */
  transaction<T>(work: () => T extends Promise<unknown> ? never : T): T
}

/** An endpoint that is up (or half up, after a crash): written before the kernel is touched. */
export interface EndpointRow {
  endpointId: string
  networkId: string
  containerId: string
  namespacePath: string
  hostInterface: string
  containerInterface: string
  mac: string
  ipv4?: string
  ipv4PrefixLength?: number
  gateway?: string
  ipv6?: string
  ipv6PrefixLength?: number
  gateway6?: string
  linkLocal?: string[]
  /** With the interface's name. */
  sysctls?: Record<string, string>
  aliases: string[]
  dnsNames: string[]
  /** As asked; decides with the network's name which endpoint carries the default route. */
  gwPriority?: number
  /** Those of the endpoint that carries the default route; the container's other endpoints have none. */
  ports: PublishedPort[]
}

export interface PublishedPort {
  protocol: 'tcp' | 'udp' | 'sctp'
  containerPort: number
  hostIp: string
  hostPort: number
}

/** What a container asks of one network (from NetworkingConfig, HostConfig). */
export interface EndpointPlan {
  /** Name, id or id prefix; `default` is the default bridge. */
  network: string
  ipv4Address?: string
  ipv6Address?: string
  /** Further addresses of the interface; nobody else's business, so no pool is asked. */
  linkLocalAddresses?: readonly string[]
  mac?: string
  aliases?: readonly string[]
  gwPriority?: number
  /** Settings of the interface, which they call IFNAME. */
  sysctls?: Readonly<Record<string, string>>
}

export interface PortRequest {
  protocol: 'tcp' | 'udp' | 'sctp'
  containerPort: number
  /** '' is all addresses, IPv4 and IPv6. */
  hostIp: string
  /** '' or '0' is an ephemeral port; `8000-8010` the first free of a range. */
  hostPort: string
}

export interface SetUpRequest {
  containerId: string
  /** Named in errors; '' or absent falls back to the short id. */
  containerName?: string
  hostname: string
  domainname?: string
  endpoints: readonly EndpointPlan[]
  ports: readonly PortRequest[]
  sysctls?: Readonly<Record<string, string>>
  /** The namespace belongs to a user namespace: a new one with this map, or one that is there. */
  userNamespace?: { idMap: string } | { path: string }
}

export interface SetUpResult {
  /** Named in the OCI spec's network namespace. */
  namespacePath: string
  /** The one that owns it, where one was asked for. */
  userNamespacePath?: string
  endpoints: EndpointRow[]
}

/** A network to be made: checked and completed (id, name, subnets) by NetworkService. */
export type NetworkDraft = Omit<NetworkRow, 'id' | 'createdAtNs' | 'scope'>

/**
 * Life: made at start, then `reconcile` once (bridge, table and ports are there from then on), then any number of
 * set-ups and tear-downs, then `close`, which leaves everything in the kernel as it is.
 */
export interface ContainerNetworks {
  /** Throws in Docker's words, e.g. `… Bind for 0.0.0.0:80 failed: port is already allocated`; nothing stays behind. */
  setUp(request: SetUpRequest): Promise<SetUpResult>
  /** Idempotent; releases addresses, ports, namespace. */
  tearDown(containerId: string): Promise<void>
  endpointsOf(containerId: string): EndpointRow[]
  /** Finds a network by id, name or id prefix. Throws notFound `network x not found`. */
  resolve(reference: string): NetworkRow
  list(): NetworkRow[]
  /** Connects and disconnects a running container. */
  connect(request: Omit<SetUpRequest, 'endpoints'> & { endpoint: EndpointPlan }): Promise<EndpointRow>
  disconnect(containerId: string, networkId: string): Promise<void>
  /** Chooses free subnets where the draft has none. Throws forbidden `Pool overlaps with other one on this address space`. */
  createNetwork(draft: NetworkDraft): Promise<NetworkRow>
  /** The caller has checked that no endpoint is left. Idempotent. */
  removeNetwork(id: string): Promise<void>
  /** Address of the default bridge, which `host-gateway` stands for; undefined when there is none. */
  hostGateway(): string | undefined
  /** After a restart: removes host objects that no row of `liveContainerIds` names, restores bridge, table, ports. */
  reconcile(liveContainerIds: ReadonlySet<string>): Promise<{ errors: EngineError[] }>
  /** Gives up the ports held against other programs; what runs goes on running. */
  close(): Promise<void>
  /** Takes the bridges and firewall tables off the host; rows stay, and `reconcile` makes them anew. No container runs. */
  release(): Promise<void>
}

/** Content of /etc/hosts, /etc/resolv.conf and /etc/hostname for a container. */
export interface NameFilesRequest {
  directory: string
  hostname: string
  domainname?: string
  endpoints: readonly EndpointRow[]
  extraHosts: readonly string[]
  dns: readonly string[]
  dnsSearch: readonly string[]
  dnsOptions: readonly string[]
  /** Of hosts and hostname and resolv.conf; the daemon's user when absent. */
  owner?: { uid: number; gid: number }
  /** `host`: copies the host's own files. */
  mode: 'bridge' | 'user' | 'none' | 'host'
}

export interface NameFiles {
  /** Writes hostname, hosts, resolv.conf below `directory`; a resolv.conf that the user edited is left alone. */
  write(request: NameFilesRequest): Promise<{ hostnamePath: string; hostsPath: string; resolvConfPath: string }>
}
