/** Which of a container's endpoints carries its default route and published ports. */
import type { EndpointRow, NetworkRow } from '../ports/networks.ts'

/**
 * The highest priority first, then networks with IPv6 before those without, then by name; internal networks never.
 * undefined: the container reaches nothing beyond its networks.
 */
export function gatewayEndpoint(
  endpoints: readonly EndpointRow[],
  networkOf: (id: string) => NetworkRow | undefined,
): EndpointRow | undefined {
  const ranked = endpoints
    .map((endpoint) => ({ endpoint, network: networkOf(endpoint.networkId) }))
    .filter(({ network }) => network !== undefined && !network.internal)
  ranked.sort(
    (one, other) =>
      (other.endpoint.gwPriority ?? 0) - (one.endpoint.gwPriority ?? 0) ||
      Number(other.endpoint.ipv6 !== undefined) - Number(one.endpoint.ipv6 !== undefined) ||
      compare(one.network?.name ?? '', other.network?.name ?? ''),
  )
  return ranked[0]?.endpoint
}

const compare = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0)
