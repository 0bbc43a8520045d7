/**
 * Every daemon option in one table: its dockerd flag, its daemon.json key and its schema. The command line, the strict
 * schema of daemon.json and `--help` are all made from it, so the three cannot disagree.
 */
import { parseGoDuration } from '@dockerd-ts/core'
import * as z from 'zod'

/** dockerd's byte sizes: a number, or digits with b, k, m, g, t (1024-based; https://pkg.go.dev/github.com/docker/go-units#RAMInBytes). */
export const byteSize = z.union([
  z.number().int().min(0),
  z.string().transform((text, context) => {
    const match = /^(\d+(?:\.\d+)?)\s*([kmgtp])?i?b?$/i.exec(text.trim())
    if (!match) {
      context.addIssue({ code: 'custom', message: `invalid size: '${text}'` })
      return z.NEVER
    }
    return Math.floor(Number(match[1]) * 1024 ** ' kmgtp'.indexOf((match[2] ?? ' ').toLowerCase()))
  }),
])

/** Go's durations (`90m`, `72h`), in milliseconds. */
const duration = z.string().transform((text, context) => {
  const durationNs = parseGoDuration(text)
  if (durationNs === undefined || durationNs < 0n) {
    context.addIssue({ code: 'custom', message: `invalid duration: '${text}'` })
    return z.NEVER
  }
  return Number(durationNs / 1_000_000n)
})

const text = z.string()
const flag = z.boolean()
const list = z.array(z.string())
const count = z.number().int().min(0)
const ulimit = z.object({ Name: z.string(), Hard: z.number().int(), Soft: z.number().int() })
const runtime = z.object({ path: z.string(), runtimeArgs: z.array(z.string()).optional() })

export interface OptionDefinition {
  /** Key in daemon.json, and the flag's name unless `flag` says otherwise (dockerd's lists are singular as flags). */
  key: keyof typeof schemas
  flag: string
  short?: string
  kind:
    | 'text'
    | 'boolean'
    | 'list'
    | 'pairs'
    | 'switches'
    | 'nested-pairs'
    | 'count'
    | 'size'
    | 'runtimes'
    | 'ulimits'
    | 'pools'
  description: string
  /** Applied again on SIGHUP; the others need a restart. */
  reloadable?: true
}

export const schemas = {
  hosts: list,
  'data-root': text,
  'exec-root': text,
  pidfile: text,
  group: text,
  'log-level': z.enum(['debug', 'info', 'warn', 'error', 'fatal']),
  'log-format': z.enum(['text', 'json']),
  debug: flag,
  bridge: text,
  bip: text,
  bip6: text,
  'fixed-cidr': text,
  'fixed-cidr-v6': text,
  'default-gateway': text,
  'default-gateway-v6': text,
  ipv6: flag,
  'ip-forward': flag,
  'default-network-opts': z.record(z.string(), z.record(z.string(), z.string())),
  'host-gateway-ips': list,
  mtu: count,
  icc: flag,
  'ip-masq': flag,
  ip: text,
  'default-runtime': text,
  runtimes: z.record(z.string(), runtime),
  'insecure-registries': list,
  'registry-mirrors': list,
  'image-signature-policy': text,
  'max-concurrent-downloads': z.number().int().min(1),
  'max-concurrent-uploads': z.number().int().min(1),
  'max-download-attempts': z.number().int().min(1),
  'exec-opts': list,
  'cdi-spec-dirs': list,
  'cgroup-parent': text,
  labels: list,
  'log-driver': text,
  'log-opts': z.record(z.string(), z.string()),
  'default-ulimits': z.record(z.string(), ulimit),
  'default-shm-size': byteSize,
  'default-cgroupns-mode': z.enum(['host', 'private']),
  'default-ipc-mode': z.enum(['private', 'shareable']),
  'userns-remap': text,
  'default-address-pools': z.array(z.object({ base: z.string(), size: z.number().int() })),
  dns: list,
  'dns-opts': list,
  'dns-search': list,
  init: flag,
  'init-path': text,
  'live-restore': flag,
  'shutdown-timeout': z.number().int(),
  'no-new-privileges': flag,
  'restart-unhealthy': flag,
  'compose-start-order': flag,
  'removed-retention': duration,
  'removed-retention-bytes': byteSize,
  'event-count': z.number().int().min(1),
  'event-bytes': byteSize,
  'seccomp-profile': text,
  tls: flag,
  tlsverify: flag,
  tlscacert: text,
  tlscert: text,
  tlskey: text,
  'storage-driver': z.literal('overlay2', {
    error: ({ input }) => `storage driver "${input}" is not served; overlay2 is the only one`,
  }),
  experimental: flag,
  features: z.record(z.string(), flag),
  'http-proxy': text,
  'https-proxy': text,
  'no-proxy': text,
  'oom-score-adjust': z.number().int().min(-1000).max(1000),
} as const

export const options: readonly OptionDefinition[] = [
  { key: 'hosts', flag: 'host', short: 'H', kind: 'list', description: 'Daemon socket(s) to connect to' },
  { key: 'data-root', flag: 'data-root', kind: 'text', description: 'Root directory of persistent state' },
  { key: 'exec-root', flag: 'exec-root', kind: 'text', description: 'Root directory for execution state files' },
  { key: 'pidfile', flag: 'pidfile', short: 'p', kind: 'text', description: 'Path to use for daemon PID file' },
  { key: 'group', flag: 'group', short: 'G', kind: 'text', description: 'Group for the unix socket' },
  {
    key: 'log-level',
    flag: 'log-level',
    short: 'l',
    kind: 'text',
    description: 'Set the logging level ("debug"|"info"|"warn"|"error"|"fatal")',
    reloadable: true,
  },
  { key: 'log-format', flag: 'log-format', kind: 'text', description: 'Set the logging format ("text"|"json")' },
  { key: 'debug', flag: 'debug', short: 'D', kind: 'boolean', description: 'Enable debug mode', reloadable: true },
  {
    key: 'bridge',
    flag: 'bridge',
    short: 'b',
    kind: 'text',
    description: 'Attach containers to a network bridge ("none" for no default network)',
  },
  { key: 'bip', flag: 'bip', kind: 'text', description: 'Specify default-bridge IPv4 network (address in CIDR form)' },
  {
    key: 'bip6',
    flag: 'bip6',
    kind: 'text',
    description: 'Specify default-bridge IPv6 network (address in CIDR form)',
  },
  {
    key: 'fixed-cidr',
    flag: 'fixed-cidr',
    kind: 'text',
    description: 'IPv4 subnet for fixed IPs of the default bridge',
  },
  {
    key: 'fixed-cidr-v6',
    flag: 'fixed-cidr-v6',
    kind: 'text',
    description: 'IPv6 subnet for fixed IPs of the default bridge',
  },
  {
    key: 'default-gateway',
    flag: 'default-gateway',
    kind: 'text',
    description: 'Default gateway IPv4 address of containers on the default bridge',
  },
  {
    key: 'default-gateway-v6',
    flag: 'default-gateway-v6',
    kind: 'text',
    description: 'Default gateway IPv6 address of containers on the default bridge',
  },
  { key: 'ipv6', flag: 'ipv6', kind: 'boolean', description: 'Enable IPv6 on the default bridge' },
  {
    key: 'ip-forward',
    flag: 'ip-forward',
    kind: 'boolean',
    description: 'Switch on IP forwarding of the host where it is off (on unless set to false)',
  },
  {
    key: 'default-network-opts',
    flag: 'default-network-opt',
    kind: 'nested-pairs',
    description: 'Default options of new networks (driver=option=value)',
  },
  {
    key: 'default-address-pools',
    flag: 'default-address-pool',
    kind: 'pools',
    description: 'Default address pools for networks (base=CIDR,size=PREFIX)',
  },
  {
    key: 'host-gateway-ips',
    flag: 'host-gateway-ip',
    kind: 'list',
    description: 'IP addresses that host-gateway in --add-host stands for (default: those of the default bridge)',
  },
  { key: 'mtu', flag: 'mtu', kind: 'count', description: 'Set the MTU for the default "bridge" network' },
  {
    key: 'icc',
    flag: 'icc',
    kind: 'boolean',
    description: 'Enable inter-container communication for the default bridge network',
  },
  {
    key: 'ip-masq',
    flag: 'ip-masq',
    kind: 'boolean',
    description: 'Enable IP masquerading for the default bridge network',
  },
  { key: 'ip', flag: 'ip', kind: 'text', description: 'Host IP for port publishing from the default bridge network' },
  {
    key: 'default-runtime',
    flag: 'default-runtime',
    kind: 'text',
    description: 'Default OCI runtime for containers',
    reloadable: true,
  },
  {
    key: 'runtimes',
    flag: 'add-runtime',
    kind: 'runtimes',
    description: 'Register an additional OCI compatible runtime (name=path)',
    reloadable: true,
  },
  {
    key: 'insecure-registries',
    flag: 'insecure-registry',
    kind: 'list',
    description: 'Enable insecure registry communication',
    reloadable: true,
  },
  {
    key: 'registry-mirrors',
    flag: 'registry-mirror',
    kind: 'list',
    description: 'Preferred registry mirror',
    reloadable: true,
  },
  {
    key: 'image-signature-policy',
    flag: 'image-signature-policy',
    kind: 'text',
    description: 'File that says which images may be pulled (not in dockerd; see docs/beyond-docker.md)',
    reloadable: true,
  },
  {
    key: 'max-concurrent-downloads',
    flag: 'max-concurrent-downloads',
    kind: 'count',
    description: 'Set the max concurrent downloads',
    reloadable: true,
  },
  {
    key: 'max-concurrent-uploads',
    flag: 'max-concurrent-uploads',
    kind: 'count',
    description: 'Set the max concurrent uploads',
    reloadable: true,
  },
  {
    key: 'max-download-attempts',
    flag: 'max-download-attempts',
    kind: 'count',
    description: 'Set the max download attempts for each pull',
    reloadable: true,
  },
  {
    key: 'exec-opts',
    flag: 'exec-opt',
    kind: 'list',
    description: 'Runtime execution options (native.cgroupdriver=cgroupfs|systemd)',
  },
  { key: 'cgroup-parent', flag: 'cgroup-parent', kind: 'text', description: 'Set parent cgroup for all containers' },
  { key: 'labels', flag: 'label', kind: 'list', description: 'Set key=value labels to the daemon', reloadable: true },
  { key: 'log-driver', flag: 'log-driver', kind: 'text', description: 'Default driver for container logs' },
  { key: 'log-opts', flag: 'log-opt', kind: 'pairs', description: 'Default log driver options for containers' },
  { key: 'default-ulimits', flag: 'default-ulimit', kind: 'ulimits', description: 'Default ulimits for containers' },
  {
    key: 'default-shm-size',
    flag: 'default-shm-size',
    kind: 'size',
    description: 'Default shm size for containers',
    reloadable: true,
  },
  {
    key: 'default-cgroupns-mode',
    flag: 'default-cgroupns-mode',
    kind: 'text',
    description: 'Default mode for containers cgroup namespace ("host" | "private")',
  },
  {
    key: 'default-ipc-mode',
    flag: 'default-ipc-mode',
    kind: 'text',
    description: 'Default mode for containers ipc ("shareable" | "private")',
  },
  {
    key: 'userns-remap',
    flag: 'userns-remap',
    kind: 'text',
    description: 'User/Group setting for user namespaces ("default", user, or user:group, by name or id)',
  },
  { key: 'dns', flag: 'dns', kind: 'list', description: 'DNS server to use' },
  { key: 'dns-opts', flag: 'dns-opt', kind: 'list', description: 'DNS options to use' },
  { key: 'dns-search', flag: 'dns-search', kind: 'list', description: 'DNS search domains to use' },
  {
    key: 'init',
    flag: 'init',
    kind: 'boolean',
    description: 'Run an init in the container to forward signals and reap processes',
  },
  { key: 'init-path', flag: 'init-path', kind: 'text', description: 'Path to the docker-init binary' },
  {
    key: 'live-restore',
    flag: 'live-restore',
    kind: 'boolean',
    description: 'Leave containers running when the daemon stops (on unless set to false)',
    reloadable: true,
  },
  {
    key: 'shutdown-timeout',
    flag: 'shutdown-timeout',
    kind: 'count',
    description: 'Set the default shutdown timeout in seconds',
    reloadable: true,
  },
  {
    key: 'no-new-privileges',
    flag: 'no-new-privileges',
    kind: 'boolean',
    description: 'Set no-new-privileges by default for new containers',
  },
  {
    key: 'event-count',
    flag: 'event-count',
    kind: 'count',
    description: 'Events kept for "since", 20000 unless set (not in dockerd)',
  },
  {
    key: 'event-bytes',
    flag: 'event-bytes',
    kind: 'size',
    description: 'Bytes of events kept for "since", 16m unless set (not in dockerd)',
  },
  {
    key: 'removed-retention',
    flag: 'removed-retention',
    kind: 'text',
    description:
      'Keep logs and state of removed containers this long, e.g. 72h; not kept unless set (not in dockerd; see docs/beyond-docker.md)',
    reloadable: true,
  },
  {
    key: 'removed-retention-bytes',
    flag: 'removed-retention-bytes',
    kind: 'size',
    description: 'Bytes kept of all removed containers, 256m unless set (not in dockerd)',
    reloadable: true,
  },
  {
    key: 'compose-start-order',
    flag: 'compose-start-order',
    kind: 'boolean',
    description: 'Start containers at boot in the order of depends_on (not in dockerd; see docs/beyond-docker.md)',
  },
  {
    key: 'restart-unhealthy',
    flag: 'restart-unhealthy',
    kind: 'boolean',
    description: 'Restart containers whose health check fails (not in dockerd; see docs/beyond-docker.md)',
  },
  {
    key: 'seccomp-profile',
    flag: 'seccomp-profile',
    kind: 'text',
    description: 'Path to seccomp profile; "unconfined" disables the default',
  },
  { key: 'tls', flag: 'tls', kind: 'boolean', description: 'Use TLS; implied by --tlsverify' },
  { key: 'tlsverify', flag: 'tlsverify', kind: 'boolean', description: 'Use TLS and verify the remote' },
  { key: 'tlscacert', flag: 'tlscacert', kind: 'text', description: 'Trust certs signed only by this CA' },
  { key: 'tlscert', flag: 'tlscert', kind: 'text', description: 'Path to TLS certificate file' },
  { key: 'tlskey', flag: 'tlskey', kind: 'text', description: 'Path to TLS key file' },
  {
    key: 'storage-driver',
    flag: 'storage-driver',
    short: 's',
    kind: 'text',
    description: 'Storage driver to use (overlay2)',
  },
  {
    key: 'cdi-spec-dirs',
    flag: 'cdi-spec-dir',
    kind: 'list',
    description: 'CDI specification directories to use ("" for none)',
  },
  { key: 'experimental', flag: 'experimental', kind: 'boolean', description: 'Say that experimental features are on' },
  {
    key: 'features',
    flag: 'feature',
    kind: 'switches',
    description: 'Feature flags (name=bool); this engine has none that can be switched',
    reloadable: true,
  },
  { key: 'http-proxy', flag: 'http-proxy', kind: 'text', description: 'HTTP proxy URL for outgoing traffic' },
  { key: 'https-proxy', flag: 'https-proxy', kind: 'text', description: 'HTTPS proxy URL for outgoing traffic' },
  { key: 'no-proxy', flag: 'no-proxy', kind: 'text', description: 'Hosts and addresses reached without the proxy' },
  {
    key: 'oom-score-adjust',
    flag: 'oom-score-adjust',
    kind: 'count',
    description: "The daemon's own oom_score_adj",
  },
]

/** Every key with what it was given: a key that is none of dockerd's is found before. */
export const configFileSchema = z.strictObject(schemas).partial()
export type DaemonOptions = z.infer<typeof configFileSchema>
