/** The flags that `run` and `create` share. */
import { checkDeviceCgroupRule, gpusFlag, throttleFlag, ulimitFlag, weightDeviceFlag } from './devices.ts'
import { checkLabel, resolveEnv } from './env.ts'
import { bool, custom, cut, type Flag, int, list, map, parseInteger, string } from './flags.ts'
import { mountFlag } from './mounts.ts'
import { networkFlag } from './networks.ts'
import { parseDuration, parseNanoCpus, parseRamBytes } from './sizes.ts'
import { checkAddHost, checkAttach, checkDnsSearch, checkIp, checkLink, checkSysctl } from './validators.ts'

export function bytes(short: string, usage: string, extra: { hidden?: boolean } = {}): Flag<number> {
  return custom(short, 'bytes', usage, 0, (_, text) => parseRamBytes(text), extra)
}

/** A size for which -1 means "no limit". */
function swapBytes(usage: string): Flag<number> {
  return custom('', 'bytes', usage, 0, (_, text) => (text === '-1' ? -1 : parseRamBytes(text)))
}

function duration(usage: string): Flag<bigint> {
  return custom('', 'duration', usage, 0n, (_, text) => parseDuration(text), { shownDefault: '0s' })
}

function uint16(usage: string): Flag<number> {
  const set = (_: number, text: string): number => {
    if (!/^\d+$/.test(text)) throw new Error(`strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`)
    if (Number(text) > 65_535) throw new Error(`strconv.ParseUint: parsing ${JSON.stringify(text)}: value out of range`)
    return Number(text)
  }
  return custom('', 'uint16', usage, 0, set, { shownDefault: '0' })
}

const cpus = (usage: string): Flag<number> => custom('', 'decimal', usage, 0, (_, text) => parseNanoCpus(text))

const integerPair = (usage: string): Flag<number> => custom('', 'int', usage, 0, (_, text) => parseInteger(text))

/** `key=value` options kept as a map; the help shows the type `map`. */
function annotations(usage: string): Flag<Record<string, string>> {
  return map('', usage, { label: 'map' })
}

function sysctls(usage: string): Flag<Record<string, string>> {
  const set = (current: Record<string, string>, text: string): Record<string, string> => {
    const [key, value] = cut(checkSysctl(text), '=')
    return { ...current, [key]: value ?? '' }
  }
  return custom('', 'map', usage, {} as Record<string, string>, set, { shownDefault: 'map[]' })
}

/** Resource limits that `update` can change too. */
export const resourceFlags = {
  'blkio-weight': uint16('Share of block I/O, 10 to 1000; 0 for no share of its own'),
  'cpu-period': integerPair('Period of the CPU quota, in microseconds'),
  'cpu-quota': integerPair('CPU time per period, in microseconds'),
  'cpu-rt-period': integerPair('Period of the real-time CPU quota, in microseconds'),
  'cpu-rt-runtime': integerPair('Real-time CPU time per period, in microseconds'),
  'cpu-shares': int('c', 'Share of CPU time when it is scarce'),
  cpus: cpus('Number of CPUs'),
  'cpuset-cpus': string('', 'CPUs to run on (0-3, 0,1)'),
  'cpuset-mems': string('', 'Memory nodes to use (0-3, 0,1)'),
  memory: bytes('m', 'Memory limit'),
  'memory-reservation': bytes('', 'Soft memory limit'),
  'memory-swap': swapBytes('Limit of memory and swap together; -1 for no limit on swap'),
} as const

export const containerFlags = {
  ...resourceFlags,
  'add-host': list('', 'Add a line to /etc/hosts (host:ip)', checkAddHost),
  annotation: annotations('Annotation for the OCI runtime'),
  attach: list('a', 'Attach to STDIN, STDOUT or STDERR', checkAttach),
  'blkio-weight-device': weightDeviceFlag('Share of block I/O on one device'),
  'cap-add': list('', 'Add a Linux capability'),
  'cap-drop': list('', 'Drop a Linux capability'),
  'cgroup-parent': string('', "Parent of the container's cgroup"),
  cgroupns: string(
    '',
    "Cgroup namespace (host|private)\n'host':    the host's\n'private': one of its own\n'':        what the daemon is configured for (default)",
  ),
  cidfile: string('', 'Write the container id to this file'),
  'cpu-count': int('', 'Number of CPUs (Windows only)', 0, { hidden: true }),
  'cpu-percent': int('', 'Share of CPUs (Windows only)', 0, { hidden: true }),
  device: list('', 'Give the container a device of the host'),
  'device-cgroup-rule': list('', 'Rule for devices the container may use', checkDeviceCgroupRule),
  'device-read-bps': throttleFlag('Limit reading from a device, in bytes per second', 'bps'),
  'device-read-iops': throttleFlag('Limit reading from a device, in operations per second', 'iops'),
  'device-write-bps': throttleFlag('Limit writing to a device, in bytes per second', 'bps'),
  'device-write-iops': throttleFlag('Limit writing to a device, in operations per second', 'iops'),
  'disable-content-trust': bool('', 'Accepted for compatibility; images are not signed here', true),
  dns: list('', 'DNS server', checkIp),
  'dns-option': list('', 'Option for resolv.conf', undefined, { alias: ['dns-opt'] }),
  'dns-search': list('', 'DNS search domain', checkDnsSearch),
  domainname: string('', 'NIS domain name'),
  entrypoint: string('', "Command to run in place of the image's ENTRYPOINT"),
  env: list('e', 'Set an environment variable', resolveEnv),
  'env-file': list('', 'Read environment variables from a file'),
  expose: list('', 'Expose a port or a range of ports'),
  gpus: gpusFlag("GPUs to give to the container ('all' for all)"),
  'group-add': list('', 'Additional group'),
  'health-cmd': string('', 'Command that tells whether the container is healthy'),
  'health-interval': duration('Time between two checks (ms|s|m|h)'),
  'health-retries': int('', 'Failures in a row that make the container unhealthy'),
  'health-start-interval': duration('Time between two checks while the container starts (ms|s|m|h)'),
  'health-start-period': duration('Time to start in before failures count (ms|s|m|h)'),
  'health-timeout': duration('Longest time a check may take (ms|s|m|h)'),
  hostname: string('h', 'Host name of the container'),
  init: bool('', 'Run an init that passes on signals and reaps processes'),
  interactive: bool('i', 'Keep standard input open even if not attached'),
  'io-maxbandwidth': bytes('', 'I/O bandwidth limit of the system drive (Windows only)', { hidden: true }),
  'io-maxiops': int('', 'I/O operations limit of the system drive (Windows only)', 0, { hidden: true }),
  ip: string('', 'IPv4 address'),
  ip6: string('', 'IPv6 address'),
  ipc: string('', 'IPC namespace to use'),
  isolation: string('', 'Isolation technology'),
  'kernel-memory': bytes('', 'Kernel memory limit'),
  label: list('l', 'Set a label', checkLabel),
  'label-file': list('', 'Read labels from a file'),
  link: list('', 'Link to another container', checkLink),
  'link-local-ip': list('', 'Link-local address', checkIp),
  'log-driver': string('', 'Log driver'),
  'log-opt': list('', 'Option of the log driver'),
  'mac-address': string('', 'MAC address'),
  'memory-swappiness': int('', 'Readiness to swap, 0 to 100', -1),
  mount: mountFlag('Mount a file system in the container'),
  name: string('', 'Name of the container'),
  network: networkFlag('Network to connect to'),
  'network-alias': list('', 'Another name on the network', undefined, { alias: ['net-alias'] }),
  'no-healthcheck': bool('', "Do without the image's HEALTHCHECK"),
  'oom-kill-disable': bool('', 'Do not kill processes when memory runs out'),
  'oom-score-adj': int('', 'How readily the kernel kills it when memory runs out (-1000 to 1000)'),
  pid: string('', 'PID namespace to use'),
  'pids-limit': int('', 'Limit on processes (-1 for none)'),
  platform: string('', 'Platform to use where an image has several', process.env.DOCKER_DEFAULT_PLATFORM ?? ''),
  privileged: bool('', 'Give the container all rights'),
  publish: list('p', "Publish a container's port on the host"),
  'publish-all': bool('P', 'Publish all exposed ports on free ports'),
  pull: string('', 'When to pull the image ("always", "missing", "never")', 'missing'),
  quiet: bool('q', 'Do not show the progress of a pull'),
  'read-only': bool('', "Mount the container's root file system read-only"),
  restart: string('', 'What to do when the container exits', 'no'),
  rm: bool('', 'Remove the container and its anonymous volumes when it exits'),
  runtime: string('', 'OCI runtime to use'),
  'security-opt': list('', 'Security option'),
  'shm-size': bytes('', 'Size of /dev/shm'),
  'stop-signal': string('', 'Signal that asks the container to stop'),
  'stop-timeout': int('', 'Seconds to wait before the container is killed'),
  'storage-opt': list('', 'Storage driver option'),
  sysctl: sysctls('Kernel parameter'),
  tmpfs: list('', 'Mount a tmpfs directory'),
  tty: bool('t', 'Give the container a terminal'),
  ulimit: ulimitFlag('Process limit'),
  'use-api-socket': bool('', "Give the container the daemon's socket and this client's credentials", false, {
    hidden: true,
  }),
  user: string('u', 'User name or id (<name|uid>[:<group|gid>])'),
  userns: string('', 'User namespace to use'),
  uts: string('', 'UTS namespace to use'),
  volume: list('v', 'Mount a volume or a directory of the host'),
  'volume-driver': string('', 'Volume driver'),
  'volumes-from': list('', "Mount another container's volumes"),
  workdir: string('w', 'Working directory in the container'),
} as const
