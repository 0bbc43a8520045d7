/**
 * Makes the kernel agree with the records after a start of the daemon: bridges, table and ports of what lives are there,
 * namespaces, links and rows of what does not are gone.
 */
import { rm } from 'node:fs/promises'
import { EngineError, internal } from '@dockerd-ts/core'
import { applyNftWithOptional, droppingForwardChains, removeTables } from '../firewall/nft.ts'
import { renderBounce, renderTable } from '../firewall/render-table.ts'
import { ensureBridges, joinBridge, type LinkInfo, listLinks, removeLinks } from './bridges.ts'
import { bridgePlan } from './built-in-networks.ts'
import { portMappings } from './endpoint-planner.ts'
import { raiseSettings } from './manage-networks.ts'
import { enableIpv6Forwarding } from './net-sysctls.ts'
import type { NetworkContext } from './network-context.ts'
import { firewallNetwork } from './network-registry.ts'

export interface ReconcileRequest {
  liveContainerIds: ReadonlySet<string>
  tearDown: (containerId: string) => Promise<void>
  /** Names below the namespace directory: container ids. */
  namespaces: () => Promise<string[]>
}

export async function reconcileNetworks(
  context: NetworkContext,
  request: ReconcileRequest,
): Promise<{ errors: EngineError[] }> {
  const errors: EngineError[] = []
  const attempt = async (what: string, work: () => Promise<void>) => {
    try {
      await work()
    } catch (error) {
      errors.push(error instanceof EngineError ? error : internal(`${what}: ${(error as Error).message}`, error))
    }
  }
  let links: LinkInfo[] = []
  await attempt('bridges', async () => {
    links = await listLinks()
    await raiseBridges(context, links)
  })
  // The table comes before the dead are taken down: deleting their elements needs it.
  await attempt('firewall table', () => restoreTable(context, request.liveContainerIds))
  const dead = [...context.endpoints.keys()].filter((id) => !request.liveContainerIds.has(id))
  const orphans = (await request.namespaces().catch(() => [])).filter((id) => !request.liveContainerIds.has(id))
  for (const id of new Set([...dead, ...orphans])) {
    await attempt(`network of container ${id}`, async () => {
      await request.tearDown(id)
      await rm(`${context.namespaceDirectory}/${id}`, { force: true })
    })
  }
  await attempt('links', () => repairLinks(context, links))
  await attempt('published ports', () => holdPorts(context))
  return { errors }
}

async function raiseBridges(context: NetworkContext, links: readonly LinkInfo[]): Promise<void> {
  const networks = context.registry.bridges()
  await ensureBridges(networks.map(bridgePlan), links)
  for (const network of networks) raiseSettings(context, network)
}

async function restoreTable(context: NetworkContext, live: ReadonlySet<string>): Promise<void> {
  const { table, registry, endpoints, options } = context
  if (registry.bridges().length === 0) return removeTables(table)
  const mappings = [...endpoints].flatMap(([id, rows]) =>
    !live.has(id)
      ? []
      : rows.flatMap((row) => {
          const network = registry.bridge(row.networkId)
          return network === undefined ? [] : portMappings(network, row)
        }),
  )
  const networks = registry.bridges().map(firewallNetwork)
  if (!(await applyNftWithOptional(renderTable(table, networks, mappings), renderBounce(table, networks)))) {
    options.log.warn(
      {},
      'this kernel cannot forward packets between devices by nftables: ports may not be reached by ::1',
    )
  }
  for (const chain of await droppingForwardChains(table)) {
    options.log.warn(
      { chain },
      'another firewall chain drops forwarded packets; containers reach the network only if it accepts those of our bridges',
    )
  }
}

/** Ports of our bridges that no record names go; those that have lost their bridge are joined to it again. */
async function repairLinks({ registry, endpoints }: NetworkContext, links: readonly LinkInfo[]): Promise<void> {
  const bridges = new Map(registry.bridges().map(({ options, row }) => [row.id, options.bridge]))
  const rows = [...endpoints.values()].flat()
  const known = new Set(rows.map(({ hostInterface }) => hostInterface))
  const names = new Set(bridges.values())
  const stale = links.filter(
    ({ name, master }) =>
      master !== undefined && names.has(master) && /^veth[0-9a-f]{8}$/.test(name) && !known.has(name),
  )
  await removeLinks(stale.map(({ name }) => name))
  const masters = new Map(links.map(({ name, master }) => [name, master]))
  await joinBridge(
    rows.flatMap(({ hostInterface, networkId }) => {
      const bridge = bridges.get(networkId)
      const isLost = masters.has(hostInterface) && masters.get(hostInterface) !== bridge
      return bridge !== undefined && isLost ? [{ name: hostInterface, bridge }] : []
    }),
  )
}

async function holdPorts({ endpoints, publisher, options }: NetworkContext): Promise<void> {
  for (const row of [...endpoints.values()].flat()) {
    for (const port of await publisher.restore(row.ports, row.endpointId)) {
      options.log.warn({ containerId: row.containerId, port }, 'a program of the host has taken a published port')
    }
    if (options.forwarding !== false && row.ports.some(({ hostIp }) => hostIp.includes(':'))) enableIpv6Forwarding()
  }
}
