/** The networks of this daemon in memory: rows with what is derived from them (bridge, pools, gateways). */
import { createHash } from 'node:crypto'
import {
  type Address,
  AddressPool,
  type BridgeOptions,
  bridgeOptionsOf,
  contains,
  formatAddress,
  formatSubnet,
  type IpamConfig,
  invalidArgument,
  type NetworkRow,
  notFound,
  parseAddress,
  parseCidr,
  type Subnet,
} from '@dockerd-ts/core'
import type { FirewallNetwork } from '../firewall/render-table.ts'
import { interfaceExists } from './net-sysctls.ts'

export interface AddressFamily {
  subnet: Subnet
  pool: AddressPool
  /** The bridge's own address. */
  gateway: Address
  /** Where containers send what is for elsewhere: the bridge, or what the auxiliary address of that name says. */
  route: Address
  /** The subnet was chosen by us: containers cannot ask for addresses in it. */
  automatic: boolean
}

export interface BridgeNetwork {
  row: NetworkRow
  options: BridgeOptions
  ipv4?: AddressFamily
  ipv6?: AddressFamily
  /** Carries ports published on IPv6 addresses into containers that have IPv4 only. */
  transit?: Subnet
}

export class NetworkRegistry {
  readonly #rows = new Map<string, NetworkRow>()
  readonly #bridges = new Map<string, BridgeNetwork>()

  add(row: NetworkRow, bridge?: BridgeNetwork): void {
    this.#rows.set(row.id, row)
    if (bridge !== undefined) this.#bridges.set(row.id, bridge)
  }

  delete(id: string): void {
    this.#rows.delete(id)
    this.#bridges.delete(id)
  }

  list(): NetworkRow[] {
    return [...this.#rows.values()]
  }

  bridges(): BridgeNetwork[] {
    return [...this.#bridges.values()]
  }

  get(id: string): NetworkRow | undefined {
    return this.#rows.get(id)
  }

  bridge(id: string): BridgeNetwork | undefined {
    return this.#bridges.get(id)
  }

  defaultBridge(): BridgeNetwork | undefined {
    return this.bridges().find(({ options }) => options.isDefault)
  }

  /** By id, name (`default` is the default bridge) or a prefix of the id. Throws notFound; invalidArgument when ambiguous. */
  resolve(reference: string): NetworkRow {
    const exact = this.#rows.get(reference) ?? this.list().find(({ name }) => name === reference)
    if (exact !== undefined) return exact
    const initial = reference === 'default' ? this.defaultBridge()?.row : undefined
    if (initial !== undefined) return initial
    const matches = reference === '' ? [] : this.list().filter(({ id }) => id.startsWith(reference))
    if (matches.length > 1) {
      throw invalidArgument(`network ${reference} is ambiguous (${matches.length} matches found on ID prefix)`)
    }
    if (matches[0] === undefined) throw notFound(`network ${reference} not found`)
    return matches[0]
  }
}

/** The kernel takes IPv6 away from a device with less. */
const ipv6MinimumMtu = 1280

/** Derives pools and options from a row. Gateways and auxiliary addresses are taken out of the pools. */
export function bridgeNetwork(row: NetworkRow, settings: { defaultMtu: number; transit: boolean }): BridgeNetwork {
  const options = bridgeOptionsOf(row, settings.defaultMtu)
  const ipv4 = addressFamily(row.ipam.config, 4)
  const ipv6 = row.enableIPv6 ? addressFamily(row.ipam.config, 6) : undefined
  const carriesIpv6 = settings.transit && options.mtu >= ipv6MinimumMtu
  const transit = carriesIpv6 && !row.internal && ipv4 && !ipv6 ? transitSubnet(row.id) : undefined
  return { row, options, ...(ipv4 && { ipv4 }), ...(ipv6 && { ipv6 }), ...(transit && { transit }) }
}

function addressFamily(configs: readonly IpamConfig[], family: 4 | 6): AddressFamily | undefined {
  const config = configs.find(({ subnet }) => parseCidr(subnet)?.subnet.family === family)
  const subnet = config && parseCidr(config.subnet)?.subnet
  if (config === undefined || subnet === undefined) return undefined
  const range = config.ipRange === undefined ? undefined : parseCidr(config.ipRange)?.subnet
  const pool = new AddressPool({ subnet, ...(range && { range }), interfaceExists })
  const asked = config.gateway === undefined ? undefined : parseAddress(config.gateway)
  const gateway = asked === undefined ? pool.allocate() : pool.take(asked)
  for (const text of Object.values(config.auxiliaryAddresses ?? {})) {
    const address = parseAddress(text)
    if (address !== undefined && contains(subnet, address) && !pool.isTaken(address)) pool.take(address)
  }
  const route = parseAddress(config.auxiliaryAddresses?.[`DefaultGatewayIPv${family}`] ?? '') ?? gateway
  return { subnet, pool, gateway, route, automatic: config.automatic ?? false }
}

/** A unique local /64 that is the network's alone and the same after every restart. */
function transitSubnet(networkId: string): Subnet {
  const digest = createHash('sha256').update(`transit/${networkId}`).digest('hex').slice(0, 14)
  return { family: 6, base: BigInt(`0xfd${digest}`) << 64n, prefixLength: 64 }
}

/** The transit subnet's address of whoever has that IPv4 address. */
export function transitAddress(transit: Subnet, ipv4: Address): string {
  return formatAddress({ family: 6, value: transit.base | ipv4.value })
}

/** Addresses of the bridge itself, in CIDR form. */
export function bridgeAddresses({ ipv4, ipv6, transit, row }: BridgeNetwork): string[] {
  const cidr = ({ gateway, subnet }: AddressFamily) => `${formatAddress(gateway)}/${subnet.prefixLength}`
  const all = [...(ipv4 ? [cidr(ipv4)] : []), ...(ipv6 ? [cidr(ipv6)] : [])]
  if (transit && ipv4 && !row.internal) all.push(`${transitAddress(transit, ipv4.gateway)}/${transit.prefixLength}`)
  return all
}

export function firewallNetwork({ row, options, ipv4, ipv6, transit }: BridgeNetwork): FirewallNetwork {
  return {
    bridge: options.bridge,
    ...(ipv4 && { ipv4: formatSubnet(ipv4.subnet) }),
    ...(ipv6 && { ipv6: formatSubnet(ipv6.subnet) }),
    ...(transit && { transitIpv6: formatSubnet(transit) }),
    masquerade: options.masquerade,
    icc: options.icc,
    internal: row.internal,
  }
}
