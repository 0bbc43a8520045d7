/** Settings of the daemon's own network namespace, below /proc/sys/net. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'

const path = (name: string) => `/proc/sys/net/${name}`

/** undefined when the kernel does not have it. */
export function readNetSysctl(name: string): string | undefined {
  try {
    return readFileSync(path(name), 'utf8').trim()
  } catch {
    return undefined
  }
}

/** Writes only a change, so that a read-only /proc/sys does where nothing needs to be set. */
export function writeNetSysctl(name: string, value: string): void {
  if (readNetSysctl(name) !== value) writeFileSync(path(name), value)
}

/** True while the kernel has an interface of that name. */
export const interfaceExists = (name: string): boolean => existsSync(path(`ipv4/conf/${name}`))

export function listInterfaces(): string[] {
  return readdirSync(path('ipv4/conf')).filter((name) => name !== 'all' && name !== 'default')
}

/** IPv6 is in the kernel and not switched off for new interfaces. */
export const hasIpv6 = (): boolean =>
  readNetSysctl('ipv6/conf/all/disable_ipv6') === '0' && readNetSysctl('ipv6/conf/default/disable_ipv6') === '0'

/** Answers whether it was off before. */
export function enableIpv4Forwarding(): boolean {
  if (readNetSysctl('ipv4/ip_forward') === '1') return false
  writeNetSysctl('ipv4/ip_forward', '1')
  return true
}

/** Answers whether it was off before. */
export function enableIpv6Forwarding(): boolean {
  if (readNetSysctl('ipv6/conf/all/forwarding') === '1') return false
  // A forwarding host stops listening to router advertisements unless told otherwise: it would lose its own route.
  for (const name of readdirSync(path('ipv6/conf'))) {
    if (readNetSysctl(`ipv6/conf/${name}/accept_ra`) === '1') writeNetSysctl(`ipv6/conf/${name}/accept_ra`, '2')
  }
  writeNetSysctl('ipv6/conf/all/forwarding', '1')
  return true
}

/** The kernel's range of ephemeral ports, or the one that IANA names. */
export function ephemeralPorts(): { first: number; last: number } {
  const [first = 0, last = 0] = (readNetSysctl('ipv4/ip_local_port_range') ?? '').split(/\s+/).map(Number)
  return first > 0 && last >= first ? { first, last } : { first: 49153, last: 65535 }
}

/** br_netfilter hands bridged frames to the IP hooks: a container then reaches itself only through a hairpin port. */
export const bridgesAreFiltered = (): boolean =>
  readNetSysctl('bridge/bridge-nf-call-iptables') === '1' || readNetSysctl('bridge/bridge-nf-call-ip6tables') === '1'
