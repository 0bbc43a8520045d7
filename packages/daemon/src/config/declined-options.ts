/**
 * Options of dockerd that this engine does not serve. None is ignored in silence: those that would change what
 * containers get are refused, those whose purpose this engine has no use for are taken with a warning.
 */

export interface DeclinedOption {
  /** In daemon.json. */
  key: string
  /** undefined: dockerd has it in the file only. */
  flag?: string
  kind: 'text' | 'boolean' | 'list'
  /** `warned`: taken, without effect. */
  effect: 'refused' | 'warned'
  /** Completes "--x is not served: …" and "--x has no effect: …". */
  reason: string
  /** Values that ask for nothing that this engine does not do; '' and [] never do. */
  harmless?: readonly (string | number | boolean)[]
}

const containerd = 'there is no containerd below this engine'
const swarm = 'there is no swarm mode'
const rules = 'published ports, masquerading and isolation are made of firewall rules here, and of nothing else'

export const declinedOptions: readonly DeclinedOption[] = [
  { key: 'containerd', flag: 'containerd', kind: 'text', effect: 'warned', reason: containerd },
  { key: 'containerd-namespace', flag: 'containerd-namespace', kind: 'text', effect: 'warned', reason: containerd },
  {
    key: 'containerd-plugin-namespace',
    flag: 'containerd-plugins-namespace',
    kind: 'text',
    effect: 'warned',
    reason: containerd,
  },
  { key: 'cri-containerd', flag: 'cri-containerd', kind: 'boolean', effect: 'refused', reason: containerd },
  {
    key: 'userland-proxy',
    flag: 'userland-proxy',
    kind: 'boolean',
    effect: 'warned',
    reason: 'ports are published by the kernel, on loopback too, without a proxy process',
    harmless: [false],
  },
  {
    key: 'userland-proxy-path',
    flag: 'userland-proxy-path',
    kind: 'text',
    effect: 'warned',
    reason: 'ports are published by the kernel, without a proxy process',
  },
  {
    key: 'raw-logs',
    flag: 'raw-logs',
    kind: 'boolean',
    effect: 'warned',
    reason: 'full timestamps without colours are always written',
    harmless: [true, false],
  },
  { key: 'iptables', flag: 'iptables', kind: 'boolean', effect: 'refused', reason: rules, harmless: [true] },
  { key: 'ip6tables', flag: 'ip6tables', kind: 'boolean', effect: 'refused', reason: rules, harmless: [true] },
  {
    key: 'firewall-backend',
    flag: 'firewall-backend',
    kind: 'text',
    effect: 'refused',
    reason: 'nftables is the only one',
    harmless: ['nftables'],
  },
  {
    key: 'allow-direct-routing',
    flag: 'allow-direct-routing',
    kind: 'boolean',
    effect: 'refused',
    reason: 'it is not implemented',
    harmless: [false],
  },
  {
    key: 'bridge-accept-fwmark',
    flag: 'bridge-accept-fwmark',
    kind: 'text',
    effect: 'refused',
    reason: 'it is not implemented',
  },
  {
    key: 'authorization-plugins',
    flag: 'authorization-plugin',
    kind: 'list',
    effect: 'refused',
    reason: 'there are no plugins, so nobody would be asked',
  },
  { key: 'api-cors-header', flag: 'api-cors-header', kind: 'text', effect: 'refused', reason: 'dockerd removed it' },
  {
    key: 'allow-nondistributable-artifacts',
    flag: 'allow-nondistributable-artifacts',
    kind: 'list',
    effect: 'refused',
    reason: 'dockerd removed it',
  },
  {
    key: 'cpu-rt-period',
    flag: 'cpu-rt-period',
    kind: 'text',
    effect: 'refused',
    reason: 'the parent group gets no real-time CPU limits',
    harmless: [0, '0'],
  },
  {
    key: 'cpu-rt-runtime',
    flag: 'cpu-rt-runtime',
    kind: 'text',
    effect: 'refused',
    reason: 'the parent group gets no real-time CPU limits',
    harmless: [0, '0'],
  },
  {
    key: 'metrics-addr',
    flag: 'metrics-addr',
    kind: 'text',
    effect: 'refused',
    reason: 'there is no listener for metrics',
  },
  {
    key: 'rootless',
    flag: 'rootless',
    kind: 'boolean',
    effect: 'refused',
    reason: 'the engine needs root',
    harmless: [false],
  },
  {
    key: 'selinux-enabled',
    flag: 'selinux-enabled',
    kind: 'boolean',
    effect: 'refused',
    reason: 'containers get no SELinux labels',
    harmless: [false],
  },
  {
    key: 'storage-opts',
    flag: 'storage-opt',
    kind: 'list',
    effect: 'refused',
    reason: 'overlay2 has no option here',
  },
  {
    key: 'resolv-conf',
    kind: 'text',
    effect: 'refused',
    reason: "the host's own file is used",
    harmless: ['/etc/resolv.conf'],
  },
  { key: 'builder', kind: 'text', effect: 'warned', reason: 'there is no builder, so it keeps no cache' },
  {
    key: 'network-control-plane-mtu',
    flag: 'network-control-plane-mtu',
    kind: 'text',
    effect: 'refused',
    reason: swarm,
    harmless: [1500, '1500'],
  },
  { key: 'network-diagnostic-port', kind: 'text', effect: 'refused', reason: swarm, harmless: [0] },
  { key: 'node-generic-resources', flag: 'node-generic-resource', kind: 'list', effect: 'refused', reason: swarm },
  {
    key: 'swarm-default-advertise-addr',
    flag: 'swarm-default-advertise-addr',
    kind: 'text',
    effect: 'refused',
    reason: swarm,
  },
  { key: 'swarm-raft-heartbeat-tick', kind: 'text', effect: 'refused', reason: swarm, harmless: [0] },
  { key: 'swarm-raft-election-tick', kind: 'text', effect: 'refused', reason: swarm, harmless: [0] },
]

const byKey = new Map(declinedOptions.map((option) => [option.key, option]))

export const isDeclined = (key: string): boolean => byKey.has(key)

/** What is to be said about values that were given, from the file or (`flags`) from the command line. */
export function judgeDeclined(
  values: Readonly<Record<string, unknown>>,
  from: 'file' | 'flags',
): { refusals: string[]; warnings: string[] } {
  const refusals: string[] = []
  const warnings: string[] = []
  for (const [key, value] of Object.entries(values)) {
    const option = byKey.get(key)
    if (option === undefined || isHarmless(value, option.harmless ?? [])) continue
    const name = from === 'flags' && option.flag !== undefined ? `--${option.flag}` : key
    if (option.effect === 'refused') refusals.push(`${name} is not served: ${option.reason}`)
    else warnings.push(`${name} has no effect: ${option.reason}`)
  }
  return { refusals, warnings }
}

function isHarmless(value: unknown, harmless: readonly unknown[]): boolean {
  if (value === '' || value === null || harmless.includes(value)) return true
  return Array.isArray(value) && value.length === 0
}
