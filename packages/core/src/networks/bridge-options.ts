/** What the bridge driver reads from a network's options, in Docker's keys and with its complaints. */
import { invalidArgument } from '../errors/engine-error.ts'
import type { NetworkRow } from '../ports/networks.ts'
import { parseAddress } from './inet.ts'

export const bridgeOptionKeys = {
  name: 'com.docker.network.bridge.name',
  defaultBridge: 'com.docker.network.bridge.default_bridge',
  icc: 'com.docker.network.bridge.enable_icc',
  masquerade: 'com.docker.network.bridge.enable_ip_masquerade',
  hostBindingIpv4: 'com.docker.network.bridge.host_binding_ipv4',
  mtu: 'com.docker.network.driver.mtu',
  interfacePrefix: 'com.docker.network.container_iface_prefix',
} as const

export interface BridgeOptions {
  bridge: string
  isDefault: boolean
  icc: boolean
  masquerade: boolean
  /** Where ports go that name no host address; '' is everywhere. */
  hostBindingIpv4: string
  mtu: number
  interfacePrefix: string
}

/** Throws invalidArgument `failed to parse … value: …`. */
export function bridgeOptionsOf({ id, options }: Pick<NetworkRow, 'id' | 'options'>, defaultMtu = 1500): BridgeOptions {
  const keys = bridgeOptionKeys
  const binding = options[keys.hostBindingIpv4] ?? ''
  if (binding !== '' && parseAddress(binding)?.family !== 4) throw unparsable(keys.hostBindingIpv4, binding, 'nil ip')
  const bridge = options[keys.name] || `br-${id.slice(0, 12)}`
  if (bridge.length > 15 || /[\s/:]/.test(bridge) || bridge === '.' || bridge === '..') {
    throw invalidArgument(`invalid bridge name: ${bridge}`)
  }
  return {
    bridge,
    isDefault: parseFlag(options, keys.defaultBridge, false),
    icc: parseFlag(options, keys.icc, true),
    masquerade: parseFlag(options, keys.masquerade, true),
    hostBindingIpv4: binding === '0.0.0.0' ? '' : binding,
    mtu: parseMtu(options[keys.mtu], defaultMtu),
    interfacePrefix: options[keys.interfacePrefix] || 'eth',
  }
}

function parseFlag(options: Record<string, string>, key: string, otherwise: boolean): boolean {
  const text = options[key]
  if (text === undefined) return otherwise
  if (/^(1|t|T|TRUE|true|True)$/.test(text)) return true
  if (/^(0|f|F|FALSE|false|False)$/.test(text)) return false
  throw unparsable(key, text, `strconv.ParseBool: parsing "${text}": invalid syntax`)
}

function parseMtu(text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise
  if (!/^[+-]?\d{1,9}$/.test(text)) {
    throw unparsable(bridgeOptionKeys.mtu, text, `strconv.Atoi: parsing "${text}": invalid syntax`)
  }
  if (Number(text) < 0 || Number(text) > 65535) throw invalidArgument(`invalid MTU: ${text}`)
  return Number(text) || otherwise
}

const unparsable = (key: string, text: string, why: string) =>
  invalidArgument(`failed to parse ${key} value: ${text} (${why})`)
