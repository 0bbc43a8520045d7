/** What the parts of the networks' adapter share. */
import type { EndpointRow, HostHelper, Logger, NetworkRecords, NetworkRow, PoolSettings } from '@dockerd-ts/core'
import type { BridgeNetwork, NetworkRegistry } from './network-registry.ts'
import type { PortPublisher } from './port-publisher.ts'
export interface ContainerNetworksOptions {
  helper: HostHelper
  records: NetworkRecords
  /** Namespaces are bound below `<execRoot>/netns`, named after their containers. */
  execRoot: string
  log: Logger
  /** Name of the default bridge (`docker0`), or `none`. One that exists with an address keeps it. */
  bridge?: string
  /** CIDR of the default bridge itself. */
  bip?: string
  /** CIDR; containers of the default bridge get addresses in it. */
  fixedCidr?: string
  /** CIDR of the default bridge's IPv6 address, and of the addresses of its containers; both need `ipv6`. */
  bip6?: string
  fixedCidrV6?: string
  /** The default bridge has IPv6 too. */
  ipv6?: boolean
  /** Where containers of the default bridge send what is for elsewhere; the bridge itself unless given. */
  defaultGateway?: string
  defaultGatewayV6?: string
  /** Driver → options of new networks that do not say otherwise. */
  defaultNetworkOptions?: Readonly<Record<string, Readonly<Record<string, string>>>>
  /** Switch on forwarding of the host where it is off; true. */
  forwarding?: boolean
  /** Of networks that name none; 1500. */
  mtu?: number
  /** Containers of the default bridge may talk to each other; true. */
  icc?: boolean
  /** Containers of the default bridge reach the world under the host's address; true. */
  ipMasquerade?: boolean
  /** Ports are published on IPv6 too, where the host has it; true. */
  publishIpv6?: boolean
  /** Where ports of the default bridge go that name no host address. */
  defaultHostIp?: string
  addressPools?: readonly PoolSettings[]
  /** Name of the nftables table; one of its own for each daemon of a host. Derived from the bridge. */
  firewallTable?: string
}

/** Everything that the parts of this adapter share. */
export interface NetworkContext {
  options: ContainerNetworksOptions
  table: string
  namespaceDirectory: string
  /** User namespaces that own them, of containers with ids of their own. */
  userNamespaceDirectory: string
  registry: NetworkRegistry
  publisher: PortPublisher
  /** Container id → its endpoints that are up. */
  endpoints: Map<string, EndpointRow[]>
  /** IPv6 is there and ports are published on it. */
  ipv6: boolean
  derive: (row: NetworkRow) => BridgeNetwork | undefined
}
