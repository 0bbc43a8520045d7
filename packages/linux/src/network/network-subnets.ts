/** Completes what a network's creator said of its subnets, and refuses what overlaps. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import {
  chooseSubnet,
  dockerPools,
  forbidden,
  formatSubnet,
  type IpamConfig,
  type NetworkDraft,
  type NetworkRow,
  overlaps,
  type PoolSettings,
  parseCidr,
  type Subnet,
} from '@dockerd-ts/core'
import { hostRoutes } from './host-routes.ts'
import type { NetworkContext } from './network-context.ts'

/** Throws forbidden `Pool overlaps with other one on this address space`, notFound when no subnet is free. */
export function completeIpam(context: NetworkContext, draft: NetworkDraft): NetworkRow['ipam'] {
  if (draft.driver !== 'bridge') return draft.ipam
  const ours = networkSubnets(context)
  const config: IpamConfig[] = draft.ipam.config.map((entry) => ({ ...entry }))
  for (const { subnet: text } of config) {
    const subnet = parseCidr(text)?.subnet
    if (subnet !== undefined && ours.some((other) => overlaps(other, subnet))) {
      throw forbidden('Pool overlaps with other one on this address space')
    }
  }
  const families = [...(draft.enableIPv4 ? [4 as const] : []), ...(draft.enableIPv6 ? [6 as const] : [])]
  for (const family of families) {
    const present = config.some(({ subnet }) => parseCidr(subnet)?.subnet.family === family)
    if (!present) config.push(automaticConfig(context, family, ours))
  }
  return { ...draft.ipam, config }
}

function automaticConfig(context: NetworkContext, family: 4 | 6, ours: readonly Subnet[]): IpamConfig {
  const subnet = freeSubnet(context, family, ours)
  const gateway = { ...subnet, base: subnet.base + 1n, prefixLength: family === 4 ? 32 : 128 }
  return { subnet: formatSubnet(subnet), gateway: formatSubnet(gateway).replace(/\/.*/, ''), automatic: true }
}

/** The first subnet of the pools that neither a network nor a route of the host uses. */
export function freeSubnet(
  context: NetworkContext,
  family: 4 | 6,
  ours: readonly Subnet[] = networkSubnets(context),
): Subnet {
  const own = new Set(context.registry.bridges().map(({ options }) => options.bridge))
  const pools = context.options.addressPools?.length ? context.options.addressPools : dockerPools
  const withIpv6 = [...pools, ...(family === 6 ? [localPool()] : [])]
  return chooseSubnet({ pools: withIpv6, family, used: [...ours, ...hostRoutes(own)] })
}

const networkSubnets = ({ registry }: NetworkContext): Subnet[] =>
  registry.list().flatMap(({ ipam }) => ipam.config.flatMap(({ subnet }) => parseCidr(subnet)?.subnet ?? []))

/** A unique local /48 that stays the same for this host. */
function localPool(): PoolSettings {
  let hostId = ''
  try {
    hostId = readFileSync('/etc/machine-id', 'utf8').trim()
  } catch {
    // A host without one shares its pool with others of the kind, which matters only if they are joined.
  }
  const hex = createHash('sha256').update(`dockerd-ts/${hostId}`).digest('hex').slice(0, 10)
  return { base: `fd${hex.slice(0, 2)}:${hex.slice(2, 6)}:${hex.slice(6, 10)}::/48`, size: 64 }
}
