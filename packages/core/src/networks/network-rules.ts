/** What a client may ask of networks, and Docker's words for what it may not. Pure. */
import type * as wire from '@dockerd-ts/api'
import { type EngineError, forbidden, invalidArgument, notFound, notImplemented } from '../errors/engine-error.ts'
import type { IpamConfig, NetworkDraft, NetworkRow } from '../ports/networks.ts'
import { bridgeOptionsOf } from './bridge-options.ts'
import { contains, containsSubnet, formatSubnet, parseAddress, parseCidr, type Subnet } from './inet.ts'

export const builtInNetworks: ReadonlySet<string> = new Set(['bridge', 'host', 'none'])

const swarmDrivers = new Set(['overlay'])

/** Checks a request to create a network and turns it into a draft. Throws in Docker's words. */
export function networkDraft(body: wire.NetworkCreateRequest): NetworkDraft {
  const name = body.Name ?? ''
  if (name.trim() === '') throw invalidArgument(`invalid name: ${name}`)
  if (builtInNetworks.has(name) || name === 'default') {
    throw forbidden(`operation is not permitted on predefined ${name} network `)
  }
  if (body.Scope === 'swarm') throw forbidden('cannot create a swarm scoped network when swarm is not active')
  if (body.ConfigOnly || body.ConfigFrom?.Network) throw notImplemented('configuration-only networks are not supported')
  if (body.Ingress) throw forbidden('ingress networks need a swarm, which is not active')
  const draft: NetworkDraft = {
    name,
    driver: checkDriver(body.Driver || 'bridge'),
    internal: body.Internal ?? false,
    attachable: body.Attachable ?? false,
    ingress: false,
    enableIPv4: body.EnableIPv4 ?? true,
    enableIPv6: body.EnableIPv6 ?? false,
    ipam: checkIpam(body.IPAM ?? {}),
    options: body.Options ?? {},
    labels: body.Labels ?? {},
  }
  if (!draft.enableIPv4 && !draft.enableIPv6) throw invalidArgument('IPv4 or IPv6 must be enabled')
  // Throws for options that cannot be read; the bridge's name is checked when the network has its id.
  bridgeOptionsOf({ id: '', options: draft.options })
  return draft
}

function checkDriver(driver: string): string {
  if (driver === 'host' || driver === 'null' || driver === 'none') {
    throw forbidden(`only one instance of "${driver === 'none' ? 'null' : driver}" network is allowed`)
  }
  if (swarmDrivers.has(driver)) {
    throw forbidden(
      'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.',
    )
  }
  if (driver !== 'bridge') throw notFound(`plugin "${driver}" not found`)
  return driver
}

function checkIpam(ipam: wire.IPAM): NetworkRow['ipam'] {
  const driver = ipam.Driver || 'default'
  if (driver !== 'default') throw notFound(`plugin "${driver}" not found`)
  const problems: string[] = []
  const config = (ipam.Config ?? []).map((entry): IpamConfig => {
    problems.push(...ipamProblems(entry))
    return {
      subnet: canonical(entry.Subnet ?? ''),
      ...(entry.Gateway && { gateway: entry.Gateway }),
      ...(entry.IPRange && { ipRange: canonical(entry.IPRange) }),
      ...(entry.AuxiliaryAddresses && { auxiliaryAddresses: entry.AuxiliaryAddresses }),
    }
  })
  if (problems.length > 0) throw invalidArgument(`invalid network config:\n${problems.join('\n')}`)
  const subnets = config.flatMap(({ subnet }) => parseCidr(subnet)?.subnet ?? [])
  for (const family of [4, 6] as const) {
    if (subnets.filter((subnet) => subnet.family === family).length > 1) {
      throw invalidArgument(`bridge driver supports one IPv${family} subnet for each network`)
    }
  }
  return { driver, options: ipam.Options ?? null, config }
}

const canonical = (text: string): string => {
  const parsed = parseCidr(text)
  return parsed === undefined ? text : formatSubnet(parsed.subnet)
}

function ipamProblems(config: wire.IPAMConfig): string[] {
  const text = config.Subnet ?? ''
  const parsed = parseCidr(text)
  if (parsed === undefined) return [`invalid subnet ${text}: invalid CIDR block notation`]
  const { subnet, address } = parsed
  if (address.value !== subnet.base) return [`invalid subnet ${text}: it should be ${formatSubnet(subnet)}`]
  return [
    ...rangeProblems(subnet, config.IPRange),
    ...addressProblems(subnet, 'gateway', config.Gateway),
    ...Object.values(config.AuxiliaryAddresses ?? {}).flatMap((aux) =>
      addressProblems(subnet, 'auxiliary address', aux),
    ),
  ]
}

function rangeProblems(subnet: Subnet, text: string | undefined): string[] {
  if (!text) return []
  const parsed = parseCidr(text)
  if (parsed === undefined) return [`invalid ip-range ${text}: invalid CIDR block notation`]
  if (parsed.address.value !== parsed.subnet.base) {
    return [`invalid ip-range ${text}: it should be ${formatSubnet(parsed.subnet)}`]
  }
  if (containsSubnet(subnet, parsed.subnet)) return []
  return [`invalid ip-range ${text}: parent subnet ${formatSubnet(subnet)} doesn't contain ip-range`]
}

function addressProblems(subnet: Subnet, what: string, text: string | undefined): string[] {
  if (!text) return []
  const address = parseAddress(text)
  if (address === undefined) return [`invalid ${what} ${text}: invalid address`]
  if (contains(subnet, address)) return []
  return [`invalid ${what} ${text}: parent subnet ${formatSubnet(subnet)} doesn't contain this address`]
}

/**
 * A container has one network namespace: of another's, of the host or none of its own, in which nothing else can be.
 * `others` are the networks that it has already. Throws invalidArgument.
 */
export function checkConnectable(networkMode: string, network: NetworkRow, others: readonly NetworkRow[]): void {
  if (networkMode.startsWith('container:')) throw sharedNetwork()
  if (network.driver === 'host' && networkMode !== 'host') throw hostRefusal()
  for (const other of others) {
    if (other.id === network.id) continue
    if (other.driver === 'host' || network.driver === 'host') throw sharedNetwork()
    if (other.driver === 'null' || network.driver === 'null') {
      throw invalidArgument(
        'container cannot be connected to multiple networks with one of the networks in private (none) mode',
      )
    }
  }
}

const sharedNetwork = (): EngineError =>
  invalidArgument(
    'container sharing network namespace with another container or host cannot be connected to any other network',
  )

export const hostRefusal = (): EngineError =>
  invalidArgument('container cannot be disconnected from host network or connected to host network')
