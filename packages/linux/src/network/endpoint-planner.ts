/** Decides an endpoint before the kernel is touched: addresses, names of interfaces, what the helper is asked for. */
import {
  contains,
  type EndpointPlan,
  type EndpointRow,
  forbidden,
  formatAddress,
  invalidArgument,
  macOf,
  newId,
  parseAddress,
  unavailable,
  type VethRequest,
} from '@dockerd-ts/core'
import type { PortMapping } from '../firewall/port-mappings.ts'
import { readNetSysctl } from './net-sysctls.ts'
import { type AddressFamily, type BridgeNetwork, transitAddress } from './network-registry.ts'

export interface EndpointContext {
  containerId: string
  namespacePath: string
  /** Names of interfaces that the container has already. */
  interfaces: ReadonlySet<string>
}

/** Takes addresses out of the network's pools; `releaseAddresses` gives them back. */
export function planEndpoint(network: BridgeNetwork, plan: EndpointPlan, context: EndpointContext): EndpointRow {
  const endpointId = newId()
  const { ipv4, ipv6, row, options } = network
  const taken: { family: AddressFamily; address: ReturnType<AddressFamily['pool']['allocate']> }[] = []
  const choose = (family: AddressFamily | undefined, asked: string | undefined) => {
    if (family === undefined && asked === undefined) return undefined
    const address = chooseAddress(network, family, asked)
    if (family !== undefined) taken.push({ family, address })
    return address
  }
  const containerInterface = freeInterface(options.interfacePrefix, context.interfaces)
  try {
    const address4 = choose(ipv4, plan.ipv4Address || undefined)
    const address6 = choose(ipv6, plan.ipv6Address || undefined)
    return {
      endpointId,
      networkId: row.id,
      containerId: context.containerId,
      namespacePath: context.namespacePath,
      // Unique per start: the predecessor's name stays taken for some tens of milliseconds.
      hostInterface: `veth${endpointId.slice(0, 8)}`,
      containerInterface,
      mac: plan.mac || (address4 ? macOf(address4) : randomMac(endpointId)),
      ...(address4 && ipv4 && { ipv4: formatAddress(address4), ipv4PrefixLength: ipv4.subnet.prefixLength }),
      ...(ipv4 && !row.internal && { gateway: formatAddress(ipv4.route) }),
      ...(address6 && ipv6 && { ipv6: formatAddress(address6), ipv6PrefixLength: ipv6.subnet.prefixLength }),
      ...(ipv6 && !row.internal && { gateway6: formatAddress(ipv6.route) }),
      ...(plan.linkLocalAddresses?.length && { linkLocal: [...plan.linkLocalAddresses] }),
      ...(plan.sysctls && { sysctls: namedSysctls(plan.sysctls, containerInterface) }),
      aliases: [...(plan.aliases ?? [])],
      dnsNames: options.isDefault ? [] : [...new Set(plan.aliases ?? [])],
      ...(plan.gwPriority !== undefined && { gwPriority: plan.gwPriority }),
      ports: [],
    }
  } catch (error) {
    for (const { family, address } of taken) family.pool.release(address)
    throw error
  }
}

const namedSysctls = (sysctls: Readonly<Record<string, string>>, name: string): Record<string, string> =>
  Object.fromEntries(Object.entries(sysctls).map(([key, value]) => [key.replace('.IFNAME.', `.${name}.`), value]))

function chooseAddress({ row }: BridgeNetwork, family: AddressFamily | undefined, asked: string | undefined) {
  if (asked === undefined) {
    if (family === undefined) throw unavailable(`network ${row.name} has no subnet`)
    return family.pool.allocate()
  }
  const address = parseAddress(asked)
  if (address === undefined) throw invalidEndpoint(`invalid IP address: ${asked}`)
  if (family === undefined || family.automatic) {
    throw invalidEndpoint(
      'user specified IP address is supported only when connecting to networks with user configured subnets',
    )
  }
  if (!contains(family.subnet, address)) {
    throw invalidEndpoint(`no configured subnet or ip-range contain the IP address ${asked}`)
  }
  return family.pool.take(address)
}

const invalidEndpoint = (why: string) => invalidArgument(`invalid endpoint settings:\n${why}`)

function freeInterface(prefix: string, used: ReadonlySet<string>): string {
  for (let index = 0; index < 1024; index += 1) {
    if (!used.has(`${prefix}${index}`)) return `${prefix}${index}`
  }
  throw forbidden('a container cannot have more than 1024 interfaces')
}

const randomMac = (endpointId: string): string =>
  ['02', '42', ...(endpointId.slice(8, 16).match(/../g) ?? [])].join(':')

/** What a running endpoint holds, after a restart. Gone from the pool counts as done. */
export function restoreAddresses({ ipv4, ipv6 }: BridgeNetwork, row: EndpointRow): void {
  for (const [family, text] of [[ipv4, row.ipv4] as const, [ipv6, row.ipv6] as const]) {
    const address = text === undefined ? undefined : parseAddress(text)
    if (family && address && !family.pool.isTaken(address)) family.pool.take(address)
  }
}

/** `dying`: the interface is still in the kernel for a while. */
export function releaseAddresses({ ipv4, ipv6 }: BridgeNetwork, row: EndpointRow, dying: boolean): void {
  for (const [family, text] of [[ipv4, row.ipv4] as const, [ipv6, row.ipv6] as const]) {
    const address = text === undefined ? undefined : parseAddress(text)
    if (family && address) family.pool.release(address, dying ? row.hostInterface : undefined)
  }
}

/** The helper's request for an endpoint; `carriesDefaultRoute` as gatewayEndpoint says. */
export function vethRequest(
  { options, transit }: BridgeNetwork,
  row: EndpointRow,
  { carriesDefaultRoute, hairpin }: { carriesDefaultRoute: boolean; hairpin: boolean },
): VethRequest {
  const addresses = []
  if (row.ipv4 !== undefined) addresses.push({ address: row.ipv4, prefixLength: row.ipv4PrefixLength ?? 32 })
  if (row.ipv6 !== undefined) addresses.push({ address: row.ipv6, prefixLength: row.ipv6PrefixLength ?? 128 })
  for (const address of row.linkLocal ?? []) addresses.push({ address, prefixLength: address.includes(':') ? 64 : 16 })
  const inTransit = transit && needsTransit(row) ? transitOf(transit, row) : undefined
  if (transit && inTransit) addresses.push({ address: inTransit, prefixLength: transit.prefixLength })
  return {
    hostName: row.hostInterface,
    bridge: options.bridge,
    containerName: row.containerInterface,
    mac: row.mac,
    mtu: options.mtu,
    hairpin,
    isolated: !options.icc,
    addresses,
    gateways: carriesDefaultRoute ? [row.gateway, row.gateway6].filter((gateway) => gateway !== undefined) : [],
  }
}

/** The container publishes on an IPv6 address and has none of its own. */
const needsTransit = (row: EndpointRow): boolean =>
  row.ipv6 === undefined && row.ports.some(({ hostIp }) => hostIp.includes(':'))

function transitOf(transit: NonNullable<BridgeNetwork['transit']>, row: EndpointRow): string | undefined {
  const ipv4 = row.ipv4 === undefined ? undefined : parseAddress(row.ipv4)
  return ipv4 && transitAddress(transit, ipv4)
}

/** The endpoint's published ports and where each goes; those that its addresses cannot serve are left out. */
export function portMappings({ transit }: BridgeNetwork, row: EndpointRow): PortMapping[] {
  const target6 = row.ipv6 ?? (transit && transitOf(transit, row))
  return row.ports.flatMap((port): PortMapping[] => {
    const target = port.hostIp.includes(':') ? target6 : row.ipv4
    return target === undefined ? [] : [{ ...port, target }]
  })
}

const kernelHasIpv6 = readNetSysctl('ipv6/conf/all/disable_ipv6') !== undefined

/** A setting of the namespace: interfaces without an IPv6 address have no link-local one either, as Docker's have none. */
export function ipv6Setting(row: EndpointRow): Record<string, string> {
  if (!kernelHasIpv6) return {}
  const isUsed = row.ipv6 !== undefined || needsTransit(row) || row.linkLocal?.some((address) => address.includes(':'))
  return { [`net.ipv6.conf.${row.containerInterface}.disable_ipv6`]: isUsed ? '0' : '1' }
}
