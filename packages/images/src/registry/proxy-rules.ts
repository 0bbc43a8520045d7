/** Which hosts are reached without the proxy, as Go reads NO_PROXY (golang.org/x/net/http/httpproxy), so as dockerd does. */
import { BlockList, isIP } from 'node:net'

const defaultPorts: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' }

/**
 * This machine never goes by a proxy. Entries are addresses, networks in CIDR form, `example.com` (with its subdomains),
 * `.example.com` (subdomains only), each with a port or without, or `*` for everything.
 */
export function bypassesProxy(url: URL, noProxy: string): boolean {
  const host = url.hostname
    .replace(/^\[(.*)\]$/, '$1')
    .toLowerCase()
    .replace(/\.$/, '')
  const port = url.port || defaultPorts[url.protocol] || ''
  if (host === 'localhost' || isWithin(host, '127.0.0.0/8') || isWithin(host, '::1/128')) return true
  const entries = noProxy.split(',').map((entry) => entry.trim().toLowerCase())
  return entries.some((entry) => entry !== '' && fits(entry, host, port))
}

function fits(entry: string, host: string, port: string): boolean {
  if (entry === '*') return true
  if (entry.includes('/')) return isWithin(host, entry)
  const [, name = '', wantedPort] = /^(.*?)(?::(\d+))?$/.exec(isIP(entry) === 6 ? `[${entry}]` : entry) ?? []
  if (wantedPort !== undefined && wantedPort !== port) return false
  const bare = name.replace(/^\[(.*)\]$/, '$1')
  if (isIP(bare) !== 0 || isIP(host) !== 0) return bare === host
  if (bare.startsWith('*.') || bare.startsWith('.')) return host.endsWith(bare.replace(/^\*/, ''))
  return bare !== '' && (host === bare || host.endsWith(`.${bare}`))
}

function isWithin(host: string, network: string): boolean {
  const [base = '', prefix = ''] = network.split('/')
  const family = isIP(base)
  const longest = family === 6 ? 128 : 32
  if (family === 0 || family !== isIP(host) || !/^\d+$/.test(prefix) || Number(prefix) > longest) return false
  const list = new BlockList()
  const type = family === 6 ? 'ipv6' : 'ipv4'
  list.addSubnet(base, Number(prefix), type)
  return list.check(host, type)
}
