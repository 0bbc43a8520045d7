/** `HostConfig.NetworkMode` read once: which kind of networking a container has. Pure. */
import type * as wire from '@dockerd-ts/api'
import { invalidArgument } from '../errors/engine-error.ts'
import { isMacAddress } from '../networks/check-endpoints.ts'
import type { NetworkRow } from '../ports/networks.ts'

export type NetworkMode =
  | { kind: 'bridge' | 'host' | 'none' }
  /** Shares the network of another container: reference as given, an id once stored. */
  | { kind: 'container'; container: string }
  | { kind: 'user'; network: string }

export function networkModeOf(hostConfig: Pick<wire.HostConfig, 'NetworkMode'>): NetworkMode {
  const mode = hostConfig.NetworkMode ?? ''
  if (mode === '' || mode === 'default' || mode === 'bridge') return { kind: 'bridge' }
  if (mode === 'host' || mode === 'none') return { kind: mode }
  if (mode.startsWith('container:')) return { kind: 'container', container: mode.slice('container:'.length) }
  return { kind: 'user', network: mode }
}

/** `default` is an old client's word for `bridge`, as the mode and as a key of EndpointsConfig. */
const normalName = (network: string) => (network === 'default' || network === '' ? 'bridge' : network)

export interface NormalNetworking {
  networkMode: string
  endpoints: Record<string, wire.EndpointSettings>
}

function checkMacAddress(network: string, address: string | undefined): void {
  if (!address || isMacAddress(address)) return
  throw invalidArgument(`invalid config for network ${network}: invalid MAC address ${address}`)
}

/**
 * Throws invalidArgument. The stored form: the mode's own network is there when no other is asked for, unless the network
 * is another container's; networks that exist are called by their names.
 */
export function normalizeNetworking(
  hostConfig: Pick<wire.HostConfig, 'NetworkMode'>,
  networking: wire.NetworkingConfig | undefined,
  macAddress: string | undefined,
  networkOf: (reference: string) => NetworkRow | undefined,
): NormalNetworking {
  const networkMode = normalName(hostConfig.NetworkMode ?? '')
  const nameOf = (reference: string) => networkOf(normalName(reference))?.name ?? normalName(reference)
  const endpoints: Record<string, wire.EndpointSettings> = {}
  for (const [name, settings] of Object.entries(networking?.EndpointsConfig ?? {})) {
    if (settings === null)
      throw invalidArgument(`invalid config for network ${normalName(name)}: EndpointsConfig is nil`)
    endpoints[nameOf(name)] = { ...settings }
  }
  if (networkMode.startsWith('container:')) return { networkMode, endpoints: {} }
  if (Object.keys(endpoints).length === 0 || macAddress) endpoints[nameOf(networkMode)] ??= {}
  const own = endpoints[nameOf(networkMode)] ?? {}
  if (macAddress && !own.MacAddress) own.MacAddress = macAddress
  for (const [name, { MacAddress: address }] of Object.entries(endpoints)) checkMacAddress(name, address)
  return { networkMode, endpoints }
}
