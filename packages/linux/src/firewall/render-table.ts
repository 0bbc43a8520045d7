/**
 * The text of our nftables table, from the networks alone. The frame (chains, maps) is made anew at start in one
 * transaction; when networks come and go only the rules are replaced, and the maps keep their elements.
 */
import { elementText, mapOf, type PortMapping } from './port-mappings.ts'

/** What the firewall must know of a bridge network. */
export interface FirewallNetwork {
  bridge: string
  ipv4?: string
  ipv6?: string
  /** IPv6 subnet that only carries published ports into containers without IPv6 of their own. */
  transitIpv6?: string
  masquerade: boolean
  /** Containers of the network may talk to each other. */
  icc: boolean
  internal: boolean
}

/** Of packets that the bounce chain sent to lo; see renderBounce. */
const bounceMark = '0x64747301'

const chains = {
  raw: 'type filter hook prerouting priority -300',
  bounced: 'type filter hook prerouting priority -199',
  input: 'type filter hook input priority 0',
  prerouting: 'type nat hook prerouting priority -100',
  output: 'type nat hook output priority -100',
  postrouting: 'type nat hook postrouting priority 100',
  forward: 'type filter hook forward priority 0',
}

const maps = {
  ports4: 'inet_proto . inet_service : ipv4_addr . inet_service',
  ports4at: 'inet_proto . ipv4_addr . inet_service : ipv4_addr . inet_service',
  ports6: 'inet_proto . inet_service : ipv6_addr . inet_service',
  ports6at: 'inet_proto . ipv6_addr . inet_service : ipv6_addr . inet_service',
}

/** Replaces whatever the table was, with these networks and published ports, in one transaction. */
export function renderTable(
  table: string,
  networks: readonly FirewallNetwork[],
  mappings: readonly PortMapping[],
): string {
  const name = `inet ${table}`
  const lines = [`add table ${name}`, `delete table ${name}`, `add table ${name}`]
  for (const [map, type] of Object.entries(maps)) lines.push(`add map ${name} ${map} { type ${type}; }`)
  lines.push(`add set ${name} bridges { type ifname; }`, `add chain ${name} publish`)
  for (const [chain, hook] of Object.entries(chains))
    lines.push(`add chain ${name} ${chain} { ${hook}; policy accept; }`)
  for (const mapping of mappings) lines.push(`add element ${name} ${mapOf(mapping)} { ${elementText(mapping)} }`)
  return `${lines.join('\n')}\n${renderRules(table, networks)}`
}

/** Replaces the rules of a table that is there; elements of the maps stay as they are. */
export function renderRules(table: string, networks: readonly FirewallNetwork[]): string {
  const name = `inet ${table}`
  const rules: Record<string, string[]> = {
    // Before address translation nobody behind a bridge has business with our loopback.
    raw: ['iifname @bridges ip daddr 127.0.0.0/8 drop', 'iifname @bridges ip6 daddr ::1 drop'],
    bounced: bouncedRules,
    input: bouncedRules,
    publish: publishRules,
    // What is published on 127.0.0.1 is for this host alone, also when a neighbour sends us such a packet.
    prerouting: ['iifname != "lo" ip daddr 127.0.0.0/8 return', 'jump publish'],
    output: ['jump publish'],
    postrouting: networks.flatMap(postroutingRules),
    forward: forwardRules(networks),
  }
  const lines = [...Object.keys(rules).map((chain) => `flush chain ${name} ${chain}`), `flush set ${name} bridges`]
  for (const { bridge } of networks) lines.push(`add element ${name} bridges { "${bridge}" }`)
  for (const [chain, list] of Object.entries(rules)) {
    for (const rule of list) lines.push(`add rule ${name} ${chain} ${rule}`)
  }
  return `${lines.join('\n')}\n`
}

/** Only answers come back that way: a container must not reach the host's loopback by it. */
const bouncedRules = [`iifname "lo" meta mark ${bounceMark} ct state new,invalid,untracked drop`]

const publishRules = [
  'fib daddr type != local return',
  'meta nfproto ipv4 dnat ip to meta l4proto . ip daddr . th dport map @ports4at',
  'meta nfproto ipv4 dnat ip to meta l4proto . th dport map @ports4',
  'meta nfproto ipv6 dnat ip6 to meta l4proto . ip6 daddr . th dport map @ports6at',
  'meta nfproto ipv6 dnat ip6 to meta l4proto . th dport map @ports6',
]

function postroutingRules({ bridge, ipv4, ipv6, transitIpv6, masquerade, internal }: FirewallNetwork): string[] {
  const published = `oifname "${bridge}" ct status dnat`
  const rules = [
    // The host's own connections (from 127.0.0.1 too) need a source that the container can answer to.
    `${published} fib saddr type local masquerade`,
    // From one container to a port that another of the same bridge, or it itself, publishes: the answer must come back
    // through the host, not directly.
    ...(ipv4 ? [`${published} ip saddr ${ipv4} masquerade`] : []),
    ...(ipv6 ? [`${published} ip6 saddr ${ipv6} masquerade`] : []),
    // The container has no IPv6 route beyond the bridge.
    ...(transitIpv6 ? [`${published} ip6 daddr ${transitIpv6} masquerade`] : []),
  ]
  if (masquerade && !internal) {
    if (ipv4) rules.push(`oifname != "${bridge}" ip saddr ${ipv4} masquerade`)
    if (ipv6) rules.push(`oifname != "${bridge}" ip6 saddr ${ipv6} masquerade`)
  }
  return rules
}

function forwardRules(networks: readonly FirewallNetwork[]): string[] {
  const internal = networks.filter((network) => network.internal)
  return [
    'iifname != @bridges oifname != @bridges accept',
    // Paths with a smaller MTU than the bridge's whose routers do not say so would hang large answers.
    'tcp flags & (syn | rst) == syn tcp option maxseg size set rt mtu',
    'ct state established,related accept',
    ...internal.flatMap(({ bridge }) => [
      `iifname "${bridge}" oifname != "${bridge}" drop`,
      `iifname != "${bridge}" oifname "${bridge}" drop`,
    ]),
    'oifname @bridges ct status dnat accept',
    ...networks.map(({ bridge, icc }) => `iifname "${bridge}" oifname "${bridge}" ${icc ? 'accept' : 'drop'}`),
    // From other networks, and from outside past the published ports.
    'oifname @bridges drop',
  ]
}

/**
 * Where br_netfilter is on, the answer to a connection from ::1 has its address translated back while it is still on the
 * bridge, and the IPv6 input path drops what claims to be for ::1 on any interface but lo. So it is sent on to lo. (With
 * br_netfilter off the translation comes after that check, and a local route is enough.) A table of its own, since not
 * every kernel can do it.
 */
export function renderBounce(table: string, networks: readonly FirewallNetwork[]): string {
  const name = `netdev ${table}`
  const lines = [`add table ${name}`, `delete table ${name}`]
  const devices = networks.filter(({ ipv6, transitIpv6 }) => ipv6 ?? transitIpv6).map(({ bridge }) => `"${bridge}"`)
  if (devices.length > 0) {
    lines.push(
      `add table ${name}`,
      `add chain ${name} bounce { type filter hook ingress devices = { ${devices.join(', ')} } priority 0; policy accept; }`,
      `add rule ${name} bounce ip6 daddr ::1 meta mark set ${bounceMark} ether daddr set 00:00:00:00:00:00 fwd to "lo"`,
    )
  }
  return `${lines.join('\n')}\n`
}
