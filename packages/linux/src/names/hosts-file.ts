/** /etc/hosts of a container. */
import { type EndpointRow, invalidArgument } from '@dockerd-ts/core'

export interface HostsRequest {
  hostname: string
  domainname?: string
  endpoints: readonly Pick<EndpointRow, 'ipv4' | 'ipv6'>[]
  /** `name:address`; the address may be `host-gateway`. */
  extraHosts: readonly string[]
  hostGateways: readonly string[]
  /** The kernel has IPv6. */
  ipv6: boolean
}

const ipv6Lines = [
  '::1\tlocalhost ip6-localhost ip6-loopback',
  'fe00::0\tip6-localnet',
  'ff00::0\tip6-mcastprefix',
  'ff02::1\tip6-allnodes',
  'ff02::2\tip6-allrouters',
]

export function renderHosts(request: HostsRequest): string {
  const names = ownNames(request)
  const own = request.endpoints.flatMap(({ ipv4, ipv6 }) => [ipv4, ipv6].filter((address) => address !== undefined))
  const lines = [
    '127.0.0.1\tlocalhost',
    ...(request.ipv6 ? ipv6Lines : []),
    ...request.extraHosts.flatMap((entry) => extraHostLines(entry, request.hostGateways)),
    ...(names === '' ? [] : own.map((address) => `${address}\t${names}`)),
  ]
  return `${lines.join('\n')}\n`
}

/** The full name first, then the first label. */
function ownNames({ hostname, domainname }: HostsRequest): string {
  if (domainname) return `${hostname}.${domainname} ${hostname}`
  const [label = ''] = hostname.split('.')
  return label === hostname ? hostname : `${hostname} ${label}`
}

function extraHostLines(entry: string, hostGateways: readonly string[]): string[] {
  const [, name = '', address = ''] = /^([^:=]+)[:=](.+)$/.exec(entry) ?? []
  if (address !== 'host-gateway') return [`${address.replace(/^\[(.*)\]$/, '$1')}\t${name}`]
  if (hostGateways.length === 0) throw invalidArgument('unable to derive the IP value for host-gateway')
  return hostGateways.map((gateway) => `${gateway}\t${name}`)
}
