/** What can be wrong with the settings of a container's endpoint, the same where one is made and where one is connected. Pure. */
import type * as wire from '@dockerd-ts/api'
import { invalidArgument } from '../errors/engine-error.ts'
import type { NetworkRow } from '../ports/networks.ts'
import { contains, parseAddress, parseCidr } from './inet.ts'
import { builtInNetworks } from './network-rules.ts'

/** By network. Throws invalidArgument `invalid config for network x: invalid endpoint settings:…`, every reason on a line. */
export function checkEndpoints(
  endpoints: Readonly<Record<string, wire.EndpointSettings>>,
  networkOf: (reference: string) => NetworkRow | undefined,
): void {
  const problems = Object.entries(endpoints).flatMap(([network, settings]) => {
    const reasons = endpointProblems(network, networkOf(network), settings)
    return reasons.length === 0 ? [] : [`invalid config for network ${network}: ${told(reasons)}`]
  })
  if (problems.length > 0) throw invalidArgument(problems.length === 1 ? problems.join() : listed(problems))
}

/** Throws invalidArgument `invalid endpoint settings:…`. */
export function checkEndpointSettings(row: NetworkRow, settings: wire.EndpointSettings): void {
  const reasons = endpointProblems(row.name, row, settings)
  if (reasons.length > 0) throw invalidArgument(told(reasons))
  const { MacAddress: mac } = settings
  if (mac && !isMacAddress(mac)) throw invalidArgument(`invalid MAC address ${mac}`)
}

const macAddress48 = /^(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}$|^(?:[0-9a-f]{4}\.){2}[0-9a-f]{4}$/i
export const isMacAddress = (text: string): boolean => macAddress48.test(text)

const listed = (problems: readonly string[]) =>
  problems.map((problem) => `* ${problem.replaceAll('\n', '\n\t')}`).join('\n')

const told = (reasons: readonly string[]): string =>
  `invalid endpoint settings:\n${reasons.length === 1 ? reasons.join() : listed(reasons)}`

function endpointProblems(
  network: string,
  row: NetworkRow | undefined,
  { IPAMConfig: ipam, Aliases: aliases }: wire.EndpointSettings,
): string[] {
  const { IPv4Address: ipv4 = '', IPv6Address: ipv6 = '', LinkLocalIPs: linkLocal } = ipam ?? {}
  const problems: string[] = []
  if (builtInNetworks.has(network)) {
    if (ipv4 || ipv6) problems.push('user specified IP address is supported on user defined networks only')
    if (aliases?.length) {
      problems.push('network-scoped alias is supported only for containers in user defined networks')
    }
  }
  if (ipv4 && parseAddress(ipv4)?.family !== 4) problems.push(`invalid IPv4 address: ${ipv4}`)
  if (ipv6 && parseAddress(ipv6)?.family !== 6) problems.push(`invalid IPv6 address: ${ipv6}`)
  for (const address of linkLocal ?? []) {
    if (address !== '' && parseAddress(address) === undefined) {
      problems.push(`invalid link-local IP address: ${address}`)
    }
  }
  if (row !== undefined) problems.push(...membershipProblems(row, 4, ipv4), ...membershipProblems(row, 6, ipv6))
  return problems
}

/** Nothing was asked, or it lies in a subnet that the network's creator chose (the daemon chose the default bridge's). */
function membershipProblems({ name, ipam }: NetworkRow, family: 4 | 6, text: string): string[] {
  if (text === '') return []
  const chosen = ipam.config
    .filter(({ automatic }) => !automatic || name === 'bridge')
    .flatMap(({ subnet }) => parseCidr(subnet)?.subnet ?? [])
    .filter((subnet) => subnet.family === family)
  if (chosen.length === 0) {
    return ['user specified IP address is supported only when connecting to networks with user configured subnets']
  }
  const address = parseAddress(text)
  if (address !== undefined && chosen.some((subnet) => contains(subnet, address))) return []
  return [`no configured subnet or ip-range contain the IP address ${text}`]
}
