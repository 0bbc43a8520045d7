/** Subnets, ranges and gateways of a new network, put together by which subnet they lie in. */
import { BlockList, isIP } from 'node:net'

export interface IpamInput {
  subnet: readonly string[]
  'ip-range': readonly string[]
  gateway: readonly string[]
  'aux-address': Readonly<Record<string, string>>
}

export interface IpamPool {
  Subnet: string
  IPRange?: string
  Gateway?: string
  AuxiliaryAddresses?: Record<string, string>
}

export function ipamConfig(input: IpamInput): IpamPool[] {
  const { subnet, gateway } = input
  if (subnet.length < input['ip-range'].length || subnet.length < gateway.length)
    throw new Error('every ip-range or gateway must have a corresponding subnet')
  const pools: IpamPool[] = []
  for (const cidr of subnet) {
    const range = parseCidr(cidr)
    if (
      pools.some(
        (pool) =>
          range.contains(pool.Subnet.split('/')[0] ?? '') || parseCidr(pool.Subnet).contains(cidr.split('/')[0] ?? ''),
      )
    ) {
      throw new Error('multiple overlapping subnet configuration is not supported')
    }
    pools.push({ Subnet: cidr })
  }
  const find = (address: string, complaint: string): IpamPool => {
    const pool = pools.find((candidate) => parseCidr(candidate.Subnet).contains(address))
    if (!pool) throw new Error(complaint)
    return pool
  }
  for (const range of input['ip-range']) {
    const pool = find(parseCidr(range).address, `no matching subnet for range ${range}`)
    if (pool.IPRange !== undefined)
      throw new Error(
        `cannot configure multiple ranges (${range}, ${pool.IPRange}) on the same subnet (${pool.Subnet})`,
      )
    pool.IPRange = range
  }
  for (const address of gateway) {
    const pool = find(address, `no matching subnet for gateway ${address}`)
    if (pool.Gateway !== undefined)
      throw new Error(
        `cannot configure multiple gateways (${address}, ${pool.Gateway}) for the same subnet (${pool.Subnet})`,
      )
    pool.Gateway = address
  }
  for (const [name, address] of Object.entries(input['aux-address'])) {
    const pool = find(address, `no matching subnet for aux-address ${address}`)
    pool.AuxiliaryAddresses = { ...pool.AuxiliaryAddresses, [name]: address }
  }
  return pools
}

function parseCidr(text: string): { address: string; contains(address: string): boolean } {
  const [address = '', bits = ''] = text.split('/')
  const version = isIP(address)
  if (version === 0 || !/^\d+$/.test(bits) || Number(bits) > (version === 4 ? 32 : 128))
    throw new Error(`invalid CIDR address: ${text}`)
  const list = new BlockList()
  list.addSubnet(address, Number(bits), version === 4 ? 'ipv4' : 'ipv6')
  return {
    address,
    contains: (other) => isIP(other) === version && list.check(other, version === 4 ? 'ipv4' : 'ipv6'),
  }
}
