/** The networks that are always there: the default bridge, host and none. */
import {
  bridgeOptionKeys,
  formatAddress,
  formatSubnet,
  type IpamConfig,
  invalidArgument,
  type NetworkRow,
  newId,
  parseCidr,
  type Subnet,
} from '@dockerd-ts/core'
import { type BridgePlan, type LinkInfo, listLinks } from './bridges.ts'
import type { NetworkContext } from './network-context.ts'
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
    enableIPv6: options.ipv6 === true,
    ipam: {
      driver: 'default',
      options: {},
      config: [defaultIpam(context, stored, link), ...(options.ipv6 ? [defaultIpv6(context, stored)] : [])],
    },
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
  const { bip, fixedCidr, defaultGateway } = context.options
  const present = link?.addresses.find(({ family, scope }) => family === 4 && scope === 'global')
  const cidr = bip || (present && `${present.address}/${present.prefixLength}`)
  const before = stored?.options[bridgeOptionKeys.name] === (context.options.bridge ?? 'docker0')
  const known = before ? stored.ipam.config.find(({ subnet }) => !subnet.includes(':')) : undefined
  const parsed = parseCidr(cidr ?? (fixedCidr || known?.subnet) ?? '')
  if (cidr !== undefined && parsed?.subnet.family !== 4) throw invalidArgument(`invalid CIDR address: ${cidr}`)
  const subnet = parsed?.subnet ?? freeSubnet(context, 4)
  const own = cidr === undefined ? undefined : parsed?.address
  return {
    subnet: formatSubnet(subnet),
    gateway:
      own === undefined ? (fixedCidr || !known?.gateway ? firstAddress(subnet) : known.gateway) : formatAddress(own),
    ...(fixedCidr && { ipRange: fixedCidr }),
    ...auxiliary('DefaultGatewayIPv4', defaultGateway),
    automatic: true,
  }
}

/** `--bip6`, else the network of `--fixed-cidr-v6`, else what it had before, else the first free pool. */
function defaultIpv6(context: NetworkContext, stored: NetworkRow | undefined): IpamConfig {
  const { bip6, fixedCidrV6, defaultGatewayV6 } = context.options
  const known = stored?.ipam.config.find(({ subnet }) => subnet.includes(':'))?.subnet
  const text = bip6 || fixedCidrV6 || known
  const parsed = text === undefined ? undefined : parseCidr(text)
  if (text !== undefined && parsed?.subnet.family !== 6) throw invalidArgument(`invalid CIDR address: ${text}`)
  const subnet = parsed?.subnet ?? freeSubnet(context, 6)
  return {
    subnet: formatSubnet(subnet),
    gateway: bip6 && parsed ? formatAddress(parsed.address) : firstAddress(subnet),
    ...(bip6 && fixedCidrV6 && { ipRange: fixedCidrV6 }),
    ...auxiliary('DefaultGatewayIPv6', defaultGatewayV6),
    automatic: true,
  }
}

const firstAddress = (subnet: Subnet): string => formatAddress({ family: subnet.family, value: subnet.base + 1n })

const auxiliary = (name: string, address: string | undefined): Partial<IpamConfig> =>
  address ? { auxiliaryAddresses: { [name]: address } } : {}

export const bridgePlan = (network: BridgeNetwork): BridgePlan => ({
  name: network.options.bridge,
  ownerId: network.row.id,
  addresses: bridgeAddresses(network),
  mtu: network.options.mtu,
})
