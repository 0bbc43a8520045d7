/** Bridges of the host, on the cold path: made, addressed, inspected and removed by ip(8). */
import { createHash } from 'node:crypto'
import { formatAddress, parseAddress } from '@dockerd-ts/core'
import { runCommand, tryCommand } from '../command/run-command.ts'

export interface BridgePlan {
  name: string
  /** Who made it; a bridge of the same name that somebody else made is used but never deleted. */
  ownerId: string
  /** CIDR. Addresses of the same family that are not named here are taken off. */
  addresses: readonly string[]
  mtu: number
}

export interface LinkInfo {
  name: string
  isBridge: boolean
  mac: string
  mtu: number
  isUp: boolean
  /** Name of the bridge that it is a port of. */
  master?: string
  alias?: string
  addresses: { address: string; prefixLength: number; family: 4 | 6; scope: string }[]
}

const bounds = { timeoutMs: 10_000, maxOutputBytes: 16_777_216 }

interface IpLink {
  ifname: string
  address?: string
  mtu: number
  flags?: string[]
  master?: string
  ifalias?: string
  linkinfo?: { info_kind?: string }
  addr_info?: { family: string; local?: string; prefixlen?: number; scope?: string }[]
}

/** Every link of the namespace with its addresses. */
export async function listLinks(): Promise<LinkInfo[]> {
  const { stdout } = await runCommand(['ip', '-j', '-d', 'addr', 'show'], bounds)
  return (JSON.parse(stdout || '[]') as Partial<IpLink>[]).flatMap((link): LinkInfo[] =>
    link.ifname === undefined ? [] : [linkInfo({ mtu: 0, ...link, ifname: link.ifname })],
  )
}

function linkInfo(link: IpLink): LinkInfo {
  return {
    name: link.ifname,
    isBridge: link.linkinfo?.info_kind === 'bridge',
    mac: link.address ?? '',
    mtu: link.mtu,
    isUp: link.flags?.includes('UP') ?? false,
    ...(link.master !== undefined && { master: link.master }),
    ...(link.ifalias !== undefined && { alias: link.ifalias }),
    addresses: (link.addr_info ?? []).flatMap(({ family, local, prefixlen, scope }) =>
      local === undefined || prefixlen === undefined
        ? []
        : [
            {
              address: local,
              prefixLength: prefixlen,
              family: family === 'inet6' ? 6 : 4,
              scope: scope ?? '',
            } as const,
          ],
    ),
  }
}

/** Makes every bridge of the plan that is missing and puts right what differs; one run of ip(8) for all of them. */
export async function ensureBridges(plans: readonly BridgePlan[], links: readonly LinkInfo[]): Promise<void> {
  const lines = plans.flatMap((plan) =>
    bridgeCommands(
      plan,
      links.find(({ name }) => name === plan.name),
    ),
  )
  if (lines.length > 0) await ipBatch(lines)
}

function bridgeCommands(plan: BridgePlan, link: LinkInfo | undefined): string[] {
  const { name } = plan
  const lines: string[] = []
  if (link === undefined) {
    // An address of its own: a bridge without one takes the lowest of its ports and changes it as they come and go.
    lines.push(`link add name ${name} address ${stableMac(name, plan.ownerId)} type bridge`)
    lines.push(`link set dev ${name} alias ${aliasOf(plan.ownerId)}`)
  }
  const wanted = plan.addresses.map(normalised)
  const present = (link?.addresses ?? []).map(({ address, prefixLength }) => normalised(`${address}/${prefixLength}`))
  for (const { address, prefixLength, family, scope } of link?.addresses ?? []) {
    const replaced = wanted.some((cidr) => cidr.includes(':') === (family === 6))
    const cidr = normalised(`${address}/${prefixLength}`)
    if (scope !== 'link' && replaced && !wanted.includes(cidr)) lines.push(`addr del ${cidr} dev ${name}`)
  }
  for (const cidr of wanted) {
    if (!present.includes(cidr)) lines.push(`addr add ${cidr} dev ${name}${cidr.includes(':') ? ' nodad' : ' brd +'}`)
  }
  if (link === undefined || link.mtu !== plan.mtu) lines.push(`link set dev ${name} mtu ${plan.mtu}`)
  if (!link?.isUp) lines.push(`link set dev ${name} up`)
  if (wanted.some((cidr) => cidr.includes(':'))) {
    // Lets the answers to connections from ::1 in by this bridge; the one by lo is always preferred.
    lines.push(`route replace local ::1 dev ${name} table local metric ${loopbackMetric(name)}`)
  }
  return lines
}

/** One for each bridge, since routes to one destination are told apart by their metrics. */
const loopbackMetric = (name: string): number => 0x10000 + createHash('sha256').update(name).digest().readUIntBE(0, 3)

const normalised = (cidr: string): string => {
  const [host = '', length = ''] = cidr.split('/')
  const address = parseAddress(host)
  return address === undefined ? cidr : `${formatAddress(address)}/${length}`
}

const aliasOf = (ownerId: string): string => `dockerd-ts:${ownerId.slice(0, 12)}`

/** Locally administered, and the same after a restart. */
function stableMac(name: string, ownerId: string): string {
  const bytes = createHash('sha256').update(`${name}/${ownerId}`).digest()
  return [0x02, 0x42, ...bytes.subarray(0, 4)].map((byte) => byte.toString(16).padStart(2, '0')).join(':')
}

/** Only a bridge that was made for that owner; anything else of the name stays. */
export async function removeBridge(name: string, ownerId: string): Promise<void> {
  const { exitCode, stdout } = await tryCommand(['ip', '-j', '-d', 'addr', 'show', 'dev', name], bounds)
  if (exitCode !== 0) return
  const link = (JSON.parse(stdout || '[]') as Partial<IpLink>[]).find(({ ifname }) => ifname === name)
  if (link?.ifalias === aliasOf(ownerId)) await removeLinks([name])
}

/** Already gone counts as done. */
export async function removeLinks(names: readonly string[]): Promise<void> {
  for (const name of names) {
    const { exitCode, stderr } = await tryCommand(['ip', 'link', 'del', 'dev', name], bounds)
    if (exitCode !== 0 && !/Cannot find device|No such device/.test(stderr)) {
      throw new Error(`cannot remove link ${name}: ${stderr.trim()}`)
    }
  }
}

/** Makes links that have lost their bridge (it was deleted and made again) ports of it. */
export async function joinBridge(ports: readonly { name: string; bridge: string }[]): Promise<void> {
  if (ports.length > 0) await ipBatch(ports.map(({ name, bridge }) => `link set dev ${name} master ${bridge} up`))
}

async function ipBatch(lines: readonly string[]): Promise<void> {
  await runCommand(['ip', '-batch', '-'], { ...bounds, input: `${lines.join('\n')}\n` })
}
