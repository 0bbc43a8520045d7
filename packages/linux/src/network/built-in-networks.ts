/** The networks that are always there: the default bridge, host and none. */
import {
  bridgeOptionKeys,
  formatSubnet,
  type IpamConfig,
  invalidArgument,
  type NetworkRow,
  newId,
  parseCidr,
} from '@dockerd-ts/core'
import { type BridgePlan, type LinkInfo, listLinks } from './bridges.ts'
import type { NetworkContext } from './container-networks.ts'
import { type BridgeNetwork, bridgeAddresses } from './network-registry.ts'
import { freeSubnet } from './network-subnets.ts'

/** Reads all rows into the registry; makes the built-in ones that are missing, updates the default bridge's. */
export async function ensureBuiltInNetworks(context: NetworkContext): Promise<void> {
  const { registry, derive, options } = context
  const rows = options.records.listNetworks()
  for (const row of rows) if (row.name !== 'bridge') registry.add(row, derive(row))
  for (const [name, driver] of [['none', 'null'] as const, ['host', 'host'] as const]) {
    if (!rows.some((row) => row.name === name)) store(context, { ...emptyRow(name, driver), id: newId() })
  }
  const stored = rows.find((row) => row.name === 'bridge')
  if ((options.bridge ?? 'docker0') === 'none') {
    if (stored !== undefined) options.records.deleteNetwork(stored.id)
    return
  }
  store(context, await defaultBridge(context, stored))
}

function store({ registry, derive, options }: NetworkContext, row: NetworkRow): void {
  options.records.putNetwork(row)
  registry.add(row, derive(row))
}

const emptyRow = (name: string, driver: string): Omit<NetworkRow, 'id'> => ({
  name,
  driver,
  scope: 'local',
  createdAtNs: String(BigInt(Date.now()) * 1_000_000n),
  internal: false,
  attachable: false,
  ingress: false,
  enableIPv4: true,
  enableIPv6: false,
  ipam: { driver: 'default', options: {}, config: [] },
  options: {},
  labels: {},
})

async function defaultBridge(context: NetworkContext, stored: NetworkRow | undefined): Promise<NetworkRow> {
  const { options } = context
  const name = options.bridge ?? 'docker0'
  const keys = bridgeOptionKeys
  const link = (await listLinks()).find((candidate) => candidate.name === name)
  return {
    ...emptyRow('bridge', 'bridge'),
    ...(stored && { createdAtNs: stored.createdAtNs }),
    id: stored?.id ?? newId(),
    ipam: { driver: 'default', options: {}, config: [defaultIpam(context, stored, link)] },
    options: {
      [keys.defaultBridge]: 'true',
      [keys.icc]: String(options.icc !== false),
      [keys.masquerade]: String(options.ipMasquerade !== false),
      [keys.hostBindingIpv4]: options.defaultHostIp || '0.0.0.0',
      [keys.name]: name,
      [keys.mtu]: String(options.mtu ?? 1500),
    },
  }
}

/** `--bip`, else the address that the bridge has, else what it had before, else the first free pool. */
function defaultIpam(context: NetworkContext, stored: NetworkRow | undefined, link: LinkInfo | undefined): IpamConfig {
  const { bip, fixedCidr } = context.options
  const present = link?.addresses.find(({ family, scope }) => family === 4 && scope === 'global')
  const cidr = bip || (present && `${present.address}/${present.prefixLength}`)
  const before = stored?.options[bridgeOptionKeys.name] === (context.options.bridge ?? 'docker0') && !fixedCidr
  if (cidr === undefined && before && stored.ipam.config[0] !== undefined) return stored.ipam.config[0]
  const parsed = cidr === undefined ? undefined : parseCidr(cidr)
  if (cidr !== undefined && parsed?.subnet.family !== 4) throw invalidArgument(`invalid CIDR address: ${cidr}`)
  const subnet = parsed?.subnet ?? freeSubnet(context, 4)
  const gateway = parsed?.address ?? { family: 4, value: subnet.base + 1n }
  return {
    subnet: formatSubnet(subnet),
    gateway: formatSubnet({ family: 4, base: gateway.value, prefixLength: 32 }).replace('/32', ''),
    ...(fixedCidr && { ipRange: fixedCidr }),
    automatic: true,
  }
}

export const bridgePlan = (network: BridgeNetwork): BridgePlan => ({
  name: network.options.bridge,
  ownerId: network.row.id,
  addresses: bridgeAddresses(network),
  mtu: network.options.mtu,
})
