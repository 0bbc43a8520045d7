/** Networks of the user come and go: records, a bridge, and the rules of the firewall. The caller takes them one by one. */
import { crashPoint, forbidden, internal, type NetworkDraft, type NetworkRow, newId } from '@dockerd-ts/core'
import { applyNftWithOptional, removeTables } from '../firewall/nft.ts'
import { renderBounce, renderRules, renderTable } from '../firewall/render-table.ts'
import { ensureBridges, listLinks, removeBridge } from './bridges.ts'
import { bridgePlan } from './built-in-networks.ts'
import { enableIpv4Forwarding, enableIpv6Forwarding, writeNetSysctl } from './net-sysctls.ts'
import type { NetworkContext } from './network-context.ts'
import { type BridgeNetwork, firewallNetwork } from './network-registry.ts'
import { completeIpam } from './network-subnets.ts'

export async function createNetwork(context: NetworkContext, draft: NetworkDraft): Promise<NetworkRow> {
  const { registry, options, derive } = context
  const row: NetworkRow = {
    ...draft,
    options: { ...options.defaultNetworkOptions?.[draft.driver], ...draft.options },
    id: newId(),
    createdAtNs: String(BigInt(Date.now()) * 1_000_000n),
    scope: 'local',
    ipam: completeIpam(context, draft),
  }
  const network = derive(row)
  if (network !== undefined) checkBridgeName(context, network)
  options.records.putNetwork(row)
  crashPoint('network:recorded')
  registry.add(row, network)
  try {
    if (network !== undefined) await raiseBridge(context, network)
    return row
  } catch (error) {
    await removeNetwork(context, row.id).catch((cause: unknown) => {
      options.log.error({ networkId: row.id, error: cause }, 'a network that could not be made is not taken back whole')
    })
    throw internal(`failed to create network ${row.name}: ${(error as Error).message}`, error)
  }
}

function checkBridgeName({ registry }: NetworkContext, { row, options: { bridge } }: BridgeNetwork): void {
  const other = registry.bridges().find(({ options }) => options.bridge === bridge)
  if (other === undefined) return
  throw forbidden(
    `cannot create network ${row.id} (${bridge}): conflicts with network ${other.row.id} (${bridge}): networks have same bridge name`,
  )
}

async function raiseBridge(context: NetworkContext, network: BridgeNetwork): Promise<void> {
  await ensureBridges([bridgePlan(network)], await listLinks())
  crashPoint('network:bridge-made')
  raiseSettings(context, network)
  await renderNetworks(context, 'added')
}

/** Settings of a bridge that is there. */
export function raiseSettings(
  { options: { log, forwarding } }: NetworkContext,
  { options, ipv6, transit }: BridgeNetwork,
): void {
  if (forwarding !== false && enableIpv4Forwarding()) log.info({}, 'IPv4 forwarding of the host switched on')
  // Lets connections from 127.0.0.1 leave by the bridge; the table drops what comes in by it for 127.0.0.0/8.
  writeNetSysctl(`ipv4/conf/${options.bridge}/route_localnet`, '1')
  if (ipv6 || transit) writeNetSysctl(`ipv6/conf/${options.bridge}/accept_ra`, '0')
  if (ipv6 && forwarding !== false && enableIpv6Forwarding()) log.info({}, 'IPv6 forwarding of the host switched on')
}

/** The table is there as long as there is a network; with the first one it is made, and nothing is published yet. */
async function renderNetworks({ registry, table }: NetworkContext, change: 'added' | 'removed'): Promise<void> {
  const networks = registry.bridges().map(firewallNetwork)
  if (networks.length === 0) return removeTables(table)
  const isFirst = change === 'added' && networks.length === 1
  const rules = isFirst ? renderTable(table, networks, []) : renderRules(table, networks)
  await applyNftWithOptional(rules, renderBounce(table, networks))
}

export async function removeNetwork(context: NetworkContext, id: string): Promise<void> {
  const { registry, options } = context
  const network = registry.bridge(id)
  if (network !== undefined) await removeBridge(network.options.bridge, id)
  crashPoint('network:bridge-removed')
  registry.delete(id)
  options.records.deleteNetwork(id)
  crashPoint('network:row-deleted')
  if (network !== undefined) await renderNetworks(context, 'removed')
}

/** Rows stay. Another daemon's bridges, and those that somebody else made, are not touched. */
export async function releaseNetworks({ registry, table }: NetworkContext): Promise<void> {
  for (const { options, row } of registry.bridges()) await removeBridge(options.bridge, row.id)
  await removeTables(table)
}
