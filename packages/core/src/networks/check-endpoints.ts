/** What can be found wrong with the settings of a container's endpoints before there is a network to ask. Pure. */
import type * as wire from '@dockerd-ts/api'
import { invalidArgument } from '../errors/engine-error.ts'
import { parseAddress } from './inet.ts'
import { builtInNetworks } from './network-rules.ts'

/** By network. Throws invalidArgument `invalid config for network x: invalid endpoint settings:…`, every reason on a line. */
export function checkEndpoints(endpoints: Readonly<Record<string, wire.EndpointSettings>>): void {
  for (const [network, settings] of Object.entries(endpoints)) {
    const problems = endpointProblems(network, settings)
    if (problems.length === 0) continue
    const reasons = problems.length === 1 ? problems.join() : problems.map((problem) => `* ${problem}`).join('\n')
    throw invalidArgument(`invalid config for network ${network}: invalid endpoint settings:\n${reasons}`)
  }
}

function endpointProblems(network: string, { IPAMConfig: ipam, Aliases: aliases }: wire.EndpointSettings): string[] {
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
    const wrong = parseAddress(address) === undefined
    problems.push(wrong ? `invalid link-local IP address: ${address}` : 'link-local IP addresses are not supported')
  }
  return problems
}
