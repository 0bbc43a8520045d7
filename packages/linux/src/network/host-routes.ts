/** Subnets that the host has routes to, so that no network is put over one of them. */
import { readFileSync } from 'node:fs'
import { parseAddress, type Subnet } from '@dockerd-ts/core'

/** Destinations of the main tables, without default routes and without those through `ownInterfaces`. */
export function hostRoutes(ownInterfaces: ReadonlySet<string>): Subnet[] {
  return [
    ...parseIpv4Routes(read('/proc/self/net/route'), ownInterfaces),
    ...parseIpv6Routes(read('/proc/self/net/ipv6_route'), ownInterfaces),
  ]
}

/** Rows of /proc/net/route: interface, destination and mask as little-endian hexadecimal. */
export function parseIpv4Routes(text: string, ownInterfaces: ReadonlySet<string>): Subnet[] {
  return text.split('\n').flatMap((line): Subnet[] => {
    const [name = '', destination = '', , , , , , mask = ''] = line.split('\t')
    if (!/^[0-9A-F]{8}$/.test(destination) || ownInterfaces.has(name)) return []
    const prefixLength = bitCount(Number.parseInt(mask, 16))
    return prefixLength === 0
      ? []
      : [{ family: 4, base: BigInt(swapBytes(Number.parseInt(destination, 16))), prefixLength }]
  })
}

/** Rows of /proc/net/ipv6_route: destination, prefix length, …, interface; link-local, multicast and local are no matter. */
export function parseIpv6Routes(text: string, ownInterfaces: ReadonlySet<string>): Subnet[] {
  return text.split('\n').flatMap((line): Subnet[] => {
    const fields = line.trim().split(/\s+/)
    const [destination = '', length = ''] = fields
    const name = fields.at(-1) ?? ''
    const prefixLength = Number.parseInt(length, 16)
    if (destination.length !== 32 || prefixLength === 0 || ownInterfaces.has(name) || name === 'lo') return []
    const address = parseAddress(destination.replace(/(.{4})(?=.)/g, '$1:'))
    if (address === undefined || /^(fe[89ab]|ff)/.test(destination)) return []
    return [{ family: 6, base: address.value, prefixLength }]
  })
}

const bitCount = (value: number): number => value.toString(2).replaceAll('0', '').length

function swapBytes(value: number): number {
  const bytes = new DataView(new ArrayBuffer(4))
  bytes.setUint32(0, value, true)
  return bytes.getUint32(0)
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    // A kernel without that protocol.
    return ''
  }
}
