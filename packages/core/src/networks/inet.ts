/** IPv4 and IPv6 addresses and subnets as numbers: reading, writing (RFC 5952), and the arithmetic of pools. */

export interface Address {
  readonly family: 4 | 6
  readonly value: bigint
}

export interface Subnet {
  readonly family: 4 | 6
  /** The first address. */
  readonly base: bigint
  readonly prefixLength: number
}

const bitsOf = (family: 4 | 6): number => (family === 4 ? 32 : 128)

/** undefined for anything but a plain address: no zone, no port, no leading zeros in IPv4 (as Go reads them). */
export function parseAddress(text: string): Address | undefined {
  const value = text.includes(':') ? parseIpv6(text) : parseIpv4(text)
  if (value === undefined) return undefined
  return { family: text.includes(':') ? 6 : 4, value }
}

function parseIpv4(text: string): bigint | undefined {
  const parts = text.split('.')
  if (parts.length !== 4) return undefined
  let value = 0n
  for (const part of parts) {
    if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return undefined
    value = (value << 8n) | BigInt(part)
  }
  return value
}

function parseIpv6(text: string): bigint | undefined {
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const [head, tail] = halves.map(parseGroups)
  if (head === undefined || (halves.length === 2 && tail === undefined)) return undefined
  const missing = 8 - head.length - (tail?.length ?? 0)
  // `::` stands for at least one group; without it all eight are there.
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined
  const groups = [...head, ...new Array<number>(missing).fill(0), ...(tail ?? [])]
  return groups.reduce((value, group) => (value << 16n) | BigInt(group), 0n)
}

function parseGroups(text: string): number[] | undefined {
  if (text === '') return []
  const groups: number[] = []
  const parts = text.split(':')
  for (const [index, part] of parts.entries()) {
    if (part.includes('.') && index === parts.length - 1) {
      const embedded = parseIpv4(part)
      if (embedded === undefined) return undefined
      groups.push(Number(embedded >> 16n), Number(embedded & 0xffffn))
    } else if (/^[0-9a-fA-F]{1,4}$/.test(part)) {
      groups.push(Number.parseInt(part, 16))
    } else {
      return undefined
    }
  }
  return groups
}

export function formatAddress({ family, value }: Address): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 0xffn).join('.')
  const groups = Array.from({ length: 8 }, (_, index) => Number((value >> BigInt(112 - 16 * index)) & 0xffffn))
  const gap = longestZeroRun(groups)
  const text = (part: number[]) => part.map((group) => group.toString(16)).join(':')
  if (gap.length < 2) return text(groups)
  return `${text(groups.slice(0, gap.start))}::${text(groups.slice(gap.start + gap.length))}`
}

function longestZeroRun(groups: number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 }
  let start = 0
  for (const [index, group] of groups.entries()) {
    if (group !== 0) start = index + 1
    else if (index + 1 - start > best.length) best = { start, length: index + 1 - start }
  }
  return best
}

/** Network byte order: 4 or 16 bytes. */
export function addressBytes({ family, value }: Address): Uint8Array {
  const bytes = new Uint8Array(bitsOf(family) / 8)
  for (let index = bytes.length - 1, rest = value; index >= 0; index -= 1, rest >>= 8n)
    bytes[index] = Number(rest & 0xffn)
  return bytes
}

/** `a/n`: the address as written beside the subnet it lies in. */
export function parseCidr(text: string): { address: Address; subnet: Subnet } | undefined {
  const [, host = '', length = ''] = /^([^/]+)\/(\d{1,3})$/.exec(text) ?? []
  const address = parseAddress(host)
  if (address === undefined || Number(length) > bitsOf(address.family)) return undefined
  return { address, subnet: subnetOf(address, Number(length)) }
}

export function subnetOf(address: Address, prefixLength: number): Subnet {
  const hostBits = BigInt(bitsOf(address.family) - prefixLength)
  return { family: address.family, base: (address.value >> hostBits) << hostBits, prefixLength }
}

/** Number of addresses, network and broadcast included. */
export const subnetSize = ({ family, prefixLength }: Subnet): bigint => 1n << BigInt(bitsOf(family) - prefixLength)

export const formatSubnet = ({ family, base, prefixLength }: Subnet): string =>
  `${formatAddress({ family, value: base })}/${prefixLength}`

export const contains = (subnet: Subnet, address: Address): boolean =>
  subnet.family === address.family && address.value >= subnet.base && address.value < subnet.base + subnetSize(subnet)

export const containsSubnet = (outer: Subnet, inner: Subnet): boolean =>
  inner.prefixLength >= outer.prefixLength && contains(outer, { family: inner.family, value: inner.base })

export const overlaps = (one: Subnet, other: Subnet): boolean =>
  containsSubnet(one, other) || containsSubnet(other, one)

/** `02:42:` and the four bytes of the IPv4 address, as Docker names interfaces: a neighbour's cache stays true. */
export function macOf(ipv4: Address): string {
  return [0x02, 0x42, ...addressBytes(ipv4)].map((byte) => byte.toString(16).padStart(2, '0')).join(':')
}
