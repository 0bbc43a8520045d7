/** The subnets that a network gets when its creator names none: Docker's default pools, cut into equal pieces. */
import { invalidArgument, notFound } from '../errors/engine-error.ts'
import { overlaps, parseCidr, type Subnet, subnetSize } from './inet.ts'

export interface PoolSettings {
  /** CIDR. */
  base: string
  /** Prefix length of each piece. */
  size: number
}

export const dockerPools: readonly PoolSettings[] = [
  { base: '172.17.0.0/16', size: 16 },
  { base: '172.18.0.0/16', size: 16 },
  { base: '172.19.0.0/16', size: 16 },
  { base: '172.20.0.0/14', size: 16 },
  { base: '172.24.0.0/14', size: 16 },
  { base: '172.28.0.0/14', size: 16 },
  { base: '192.168.0.0/16', size: 20 },
]

export interface SubnetChoice {
  pools: readonly PoolSettings[]
  family: 4 | 6
  /** Subnets of other networks and of the host's routes. */
  used: readonly Subnet[]
}

/** The first piece that overlaps nothing in use. Throws notFound in Docker's words when there is none. */
export function chooseSubnet({ pools, family, used }: SubnetChoice): Subnet {
  for (const pool of pools) {
    const base = parseCidr(pool.base)?.subnet
    if (base === undefined || pool.size < base.prefixLength) {
      throw invalidArgument(`invalid default address pool ${pool.base} of size ${pool.size}`)
    }
    if (base.family !== family) continue
    const free = firstFree(base, pool.size, used)
    if (free !== undefined) return free
  }
  throw notFound(
    `could not find an available, non-overlapping IPv${family} address pool among the defaults to assign to the network`,
  )
}

function firstFree(base: Subnet, prefixLength: number, used: readonly Subnet[]): Subnet | undefined {
  const end = base.base + subnetSize(base)
  let candidate: Subnet = { family: base.family, base: base.base, prefixLength }
  while (candidate.base < end) {
    const obstacle = used.find((subnet) => overlaps(subnet, candidate))
    if (obstacle === undefined) return candidate
    // Past the whole obstacle, not piece by piece: a /8 in the way of /64s would take for ever.
    const step = subnetSize(candidate)
    const past = obstacle.base + subnetSize(obstacle)
    const pieces = past > candidate.base ? (past - candidate.base + step - 1n) / step : 1n
    candidate = { ...candidate, base: candidate.base + pieces * step }
  }
  return undefined
}
