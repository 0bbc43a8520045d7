/** Published ports as elements of the firewall table's maps: one element per host address, changed without a rule. */
import { addressBytes, isWildcard, type NftElementChange, type PublishedPort, parseAddress } from '@dockerd-ts/core'

/** A published port and where its connections go. */
export interface PortMapping extends PublishedPort {
  /** The container's address, of the same family as `hostIp`. */
  target: string
}

const protocolNumbers = { tcp: 6, udp: 17, sctp: 132 } as const

const bigEndian16 = (value: number): Uint8Array => Uint8Array.of(value >> 8, value & 0xff)

/** The map that a host address belongs in: any local address, or just this one. */
export function mapOf({ hostIp }: Pick<PublishedPort, 'hostIp'>): 'ports4' | 'ports6' | 'ports4at' | 'ports6at' {
  return `ports${hostIp.includes(':') ? 6 : 4}${isWildcard(hostIp) ? '' : 'at'}`
}

export function elementChange(
  action: 'add' | 'delete',
  table: string,
  mapping: PublishedPort | PortMapping,
): NftElementChange {
  const { protocol, hostIp, hostPort, containerPort } = mapping
  const address = isWildcard(hostIp) ? [] : [bytesOf(hostIp)]
  return {
    action,
    family: 'inet',
    table,
    set: mapOf(mapping),
    key: [Uint8Array.of(protocolNumbers[protocol]), ...address, bigEndian16(hostPort)],
    ...('target' in mapping && { value: [bytesOf(mapping.target), bigEndian16(containerPort)] }),
  }
}

/** The same as text of `nft -f`, for the rendering of the whole table. */
export function elementText({ protocol, hostIp, hostPort, target, containerPort }: PortMapping): string {
  const address = isWildcard(hostIp) ? '' : `${hostIp} . `
  return `${protocol} . ${address}${hostPort} : ${target} . ${containerPort}`
}

function bytesOf(text: string): Uint8Array {
  const address = parseAddress(text)
  if (address === undefined) throw new Error(`not an address: ${text}`)
  return addressBytes(address)
}
