/** `--network`, short (`mynet`) and long (`name=mynet,ip=10.0.0.5,alias=web`), and the endpoint settings it leads to. */
import { custom, cut, type Flag, parseInteger, splitCsv } from './flags.ts'

export interface NetworkAttachment {
  target: string
  aliases: string[]
  driverOpts: Record<string, string>
  links: string[]
  ip: string
  ip6: string
  linkLocalIps: string[]
  macAddress: string
  gwPriority: number
}

export interface EndpointConfig {
  IPAMConfig: { IPv4Address?: string; IPv6Address?: string; LinkLocalIPs?: string[] } | null
  Links: string[] | null
  Aliases: string[] | null
  DriverOpts: Record<string, string> | null
  GwPriority: number
  MacAddress: string
  [empty: string]: unknown
}

export function networkFlag(usage: string): Flag<NetworkAttachment[]> {
  return custom<NetworkAttachment[]>('', 'network', usage, [], (current, text) => [...current, parseNetwork(text)], {
    alias: ['net'],
  })
}

export function emptyAttachment(target: string): NetworkAttachment {
  return {
    target,
    aliases: [],
    driverOpts: {},
    links: [],
    ip: '',
    ip6: '',
    linkLocalIps: [],
    macAddress: '',
    gwPriority: 0,
  }
}

function parseNetwork(text: string): NetworkAttachment {
  const fields = splitCsv(text)
  // A value without any "=" is a name, whatever else is in it.
  if (!/\w+=\w+(,\w+=\w+)*/.test(text)) return emptyAttachment(fields.length > 1 ? text : (fields[0] ?? ''))
  const network = emptyAttachment('')
  for (const field of fields) {
    const [rawKey, rawValue] = cut(field.toLowerCase(), '=')
    if (rawValue === undefined || rawValue === '') throw new Error(`invalid field ${field}`)
    const value = cut(field, '=')[1]?.trim() ?? ''
    switch (rawKey.trim()) {
      case 'name':
        network.target = value.toLowerCase()
        break
      case 'alias':
        network.aliases.push(value.toLowerCase())
        break
      case 'ip':
        network.ip = value
        break
      case 'ip6':
        network.ip6 = value
        break
      case 'mac-address':
        network.macAddress = value
        break
      case 'link-local-ip':
        network.linkLocalIps.push(value)
        break
      case 'driver-opt': {
        const [key, option] = cut(value.toLowerCase(), '=')
        if (option === undefined) throw new Error('invalid key value pair format in driver options')
        network.driverOpts[key] = option
        break
      }
      case 'gw-priority':
        try {
          network.gwPriority = parseInteger(value)
        } catch {
          throw new Error(
            `invalid gw-priority (${value}): strconv.ParseInt: parsing ${JSON.stringify(value)}: invalid syntax`,
          )
        }
        break
      default:
        throw new Error(`invalid field key ${rawKey}`)
    }
  }
  if (network.target === '') throw new Error('network name/id is not specified')
  return network
}

/** The endpoint settings of one network, with every field as Docker's client sends it. */
export function endpointConfig(network: NetworkAttachment): EndpointConfig {
  const { ip, ip6, linkLocalIps } = network
  const hasAddress = ip !== '' || ip6 !== '' || linkLocalIps.length > 0
  const ipam = {
    ...(ip === '' ? {} : { IPv4Address: ip }),
    ...(ip6 === '' ? {} : { IPv6Address: ip6 }),
    ...(linkLocalIps.length === 0 ? {} : { LinkLocalIPs: linkLocalIps }),
  }
  return {
    IPAMConfig: hasAddress ? ipam : null,
    Links: network.links.length > 0 ? network.links : null,
    Aliases: network.aliases.length > 0 ? network.aliases : null,
    DriverOpts: Object.keys(network.driverOpts).length > 0 ? network.driverOpts : null,
    GwPriority: network.gwPriority,
    NetworkID: '',
    EndpointID: '',
    Gateway: '',
    IPAddress: '',
    MacAddress: network.macAddress,
    IPPrefixLen: 0,
    IPv6Gateway: '',
    GlobalIPv6Address: '',
    GlobalIPv6PrefixLen: 0,
    DNSNames: null,
  }
}
