/** From the flags of `run` and `create` to the body of the create request, field for field what Docker's client sends. */
import { readFileSync } from 'node:fs'
import type { containerFlags } from './container-flags.ts'
import { checkDevice, isCdiDevice, parseDevice } from './devices.ts'
import { collectEnv, collectLabels, openError, toMap } from './env.ts'
import { cut, type FlagValues } from './flags.ts'
import { parseTmpfs, splitVolumes } from './mounts.ts'
import { type EndpointConfig, emptyAttachment, endpointConfig, type NetworkAttachment } from './networks.ts'
import { addExposed, parsePublished } from './ports.ts'
import { checkMac } from './validators.ts'

type ContainerFlagValues = FlagValues<typeof containerFlags>

export interface CreateBody {
  Image: string
  Tty: boolean
  OpenStdin: boolean
  StdinOnce: boolean
  AttachStdin: boolean
  AttachStdout: boolean
  AttachStderr: boolean
  Env: string[] | null
  HostConfig: Record<string, unknown> & { AutoRemove: boolean; NetworkMode: string; ConsoleSize: [number, number] }
  NetworkingConfig: { EndpointsConfig: Record<string, EndpointConfig> }
  [field: string]: unknown
}

export interface CreateInput {
  flags: ContainerFlagValues
  given(name: keyof ContainerFlagValues & string): boolean
  image: string
  command: string[]
  /** Variables to put before the user's own (proxies). */
  presetEnv: string[]
  /** Rows and columns of the terminal; zeros without one. */
  consoleSize: [number, number]
}

/** Throws an Error with Docker's text when the options contradict each other or cannot be understood. */
export function createBody(input: CreateInput): CreateBody {
  const { flags, given } = input
  const attached = attachedStreams(flags)
  if (flags['mac-address'] !== '') checkMac(flags['mac-address'].trim())
  const { binds, anonymous } = splitVolumes(flags.volume)
  const ports = parsePublished(flags.publish)
  for (const spec of flags.expose) addExposed(ports, spec)
  const devices = checkedDevices(flags)
  const env = [...input.presetEnv, ...collectEnv(flags['env-file'], lastOfEach(flags.env))]
  const labels = collectLabels(flags['label-file'], flags.label)
  const hostConfig = hostConfigOf(input, { binds, bindings: ports.bindings, devices })
  const health = healthcheck(flags)
  const openStdin = flags.interactive
  const networks = networksOf(flags)
  return {
    Hostname: flags.hostname,
    Domainname: flags.domainname,
    User: flags.user,
    AttachStdin: attached.stdin,
    AttachStdout: attached.stdout,
    AttachStderr: attached.stderr,
    ...(Object.keys(ports.exposed).length > 0 ? { ExposedPorts: ports.exposed } : {}),
    Tty: flags.tty,
    OpenStdin: openStdin,
    // The container's input ends with the client that is attached to it.
    StdinOnce: openStdin && attached.stdin,
    Env: orNull(env),
    Cmd: input.command.length > 0 ? input.command : null,
    ...(health ? { Healthcheck: health } : {}),
    Image: input.image,
    Volumes: anonymous,
    WorkingDir: flags.workdir,
    Entrypoint: flags.entrypoint !== '' ? [flags.entrypoint] : given('entrypoint') ? [''] : null,
    ...(flags['mac-address'] !== '' ? { MacAddress: flags['mac-address'] } : {}),
    OnBuild: null,
    Labels: labels,
    ...(flags['stop-signal'] !== '' ? { StopSignal: flags['stop-signal'] } : {}),
    ...(given('stop-timeout') ? { StopTimeout: flags['stop-timeout'] } : {}),
    HostConfig: hostConfig,
    NetworkingConfig: { EndpointsConfig: networks },
  }
}

/** Of several values for one variable the last counts. */
function lastOfEach(variables: readonly string[]): string[] {
  return [...new Map(variables.map((variable) => [cut(variable, '=')[0], variable])).values()]
}

function attachedStreams(flags: ContainerFlagValues) {
  const none = flags.attach.length === 0
  return {
    stdin: flags.interactive || flags.attach.includes('stdin'),
    stdout: none || flags.attach.includes('stdout'),
    stderr: none || flags.attach.includes('stderr'),
  }
}

function checkedDevices(flags: ContainerFlagValues) {
  const cdi = flags.device.filter(isCdiDevice)
  const mappings = flags.device
    .filter((device) => !isCdiDevice(device))
    .map((device) => parseDevice(checkDevice(device)))
  const requests =
    cdi.length === 0
      ? flags.gpus
      : [...flags.gpus, { Driver: 'cdi', Count: 0, DeviceIDs: cdi, Capabilities: null, Options: null }]
  return { mappings, requests: requests.length > 0 ? requests : null }
}

function hostConfigOf(
  { flags, given, consoleSize }: CreateInput,
  parsed: { binds: string[]; bindings: object; devices: ReturnType<typeof checkedDevices> },
): CreateBody['HostConfig'] {
  checkNamespaces(flags)
  const swappiness = flags['memory-swappiness']
  if (swappiness !== -1 && (swappiness < 0 || swappiness > 100))
    throw new Error(`invalid value: ${swappiness}. Valid memory swappiness range is 0-100`)
  const restart = restartPolicy(flags.restart)
  if (flags.rm && restart.Name !== 'no' && restart.Name !== '')
    throw new Error('conflicting options: cannot specify both --restart and --rm')
  const { securityOpt, maskedPaths, readonlyPaths } = securityOptions(flags['security-opt'])
  return {
    Binds: orNull(parsed.binds),
    ContainerIDFile: flags.cidfile,
    LogConfig: logConfig(flags['log-driver'], flags['log-opt']),
    NetworkMode: primaryNetwork(flags),
    PortBindings: parsed.bindings,
    RestartPolicy: restart,
    AutoRemove: flags.rm,
    VolumeDriver: flags['volume-driver'],
    VolumesFrom: orNull(flags['volumes-from']),
    ConsoleSize: consoleSize,
    ...(Object.keys(flags.annotation).length > 0 ? { Annotations: flags.annotation } : {}),
    ...capabilities(flags['cap-add'], flags['cap-drop']),
    CgroupnsMode: flags.cgroupns,
    Dns: flags.dns,
    DnsOptions: flags['dns-option'],
    DnsSearch: flags['dns-search'],
    ExtraHosts: orNull(flags['add-host']),
    GroupAdd: orNull(flags['group-add']),
    IpcMode: flags.ipc,
    Cgroup: '',
    Links: orNull(flags.link),
    OomScoreAdj: flags['oom-score-adj'],
    PidMode: flags.pid,
    Privileged: flags.privileged,
    PublishAllPorts: flags['publish-all'],
    ReadonlyRootfs: flags['read-only'],
    SecurityOpt: securityOpt,
    ...(flags['storage-opt'].length > 0 ? { StorageOpt: storageOptions(flags['storage-opt']) } : {}),
    ...(flags.tmpfs.length > 0 ? { Tmpfs: parseTmpfs(flags.tmpfs) } : {}),
    UTSMode: flags.uts,
    UsernsMode: flags.userns,
    ShmSize: flags['shm-size'],
    ...(Object.keys(flags.sysctl).length > 0 ? { Sysctls: flags.sysctl } : {}),
    ...(flags.runtime !== '' ? { Runtime: flags.runtime } : {}),
    Isolation: flags.isolation,
    ...resources(flags, parsed.devices),
    ...(flags.mount.length > 0 ? { Mounts: flags.mount } : {}),
    MaskedPaths: maskedPaths,
    ReadonlyPaths: readonlyPaths,
    ...(given('init') ? { Init: flags.init } : {}),
  }
}

function resources(flags: ContainerFlagValues, devices: ReturnType<typeof checkedDevices>) {
  return {
    CpuShares: flags['cpu-shares'],
    Memory: flags.memory,
    NanoCpus: flags.cpus,
    CgroupParent: flags['cgroup-parent'],
    BlkioWeight: flags['blkio-weight'],
    BlkioWeightDevice: flags['blkio-weight-device'],
    BlkioDeviceReadBps: flags['device-read-bps'],
    BlkioDeviceWriteBps: flags['device-write-bps'],
    BlkioDeviceReadIOps: flags['device-read-iops'],
    BlkioDeviceWriteIOps: flags['device-write-iops'],
    CpuPeriod: flags['cpu-period'],
    CpuQuota: flags['cpu-quota'],
    CpuRealtimePeriod: flags['cpu-rt-period'],
    CpuRealtimeRuntime: flags['cpu-rt-runtime'],
    CpusetCpus: flags['cpuset-cpus'],
    CpusetMems: flags['cpuset-mems'],
    Devices: devices.mappings,
    DeviceCgroupRules: orNull(flags['device-cgroup-rule']),
    DeviceRequests: devices.requests,
    MemoryReservation: flags['memory-reservation'],
    MemorySwap: flags['memory-swap'],
    MemorySwappiness: flags['memory-swappiness'],
    OomKillDisable: flags['oom-kill-disable'],
    PidsLimit: flags['pids-limit'],
    Ulimits: flags.ulimit,
    CpuCount: flags['cpu-count'],
    CpuPercent: flags['cpu-percent'],
    IOMaximumIOps: flags['io-maxiops'],
    IOMaximumBandwidth: flags['io-maxbandwidth'],
  }
}

const orNull = <T>(values: T[]): T[] | null => (values.length > 0 ? values : null)

function checkNamespaces(flags: ContainerFlagValues): void {
  const joins = (mode: string) => mode.startsWith('container:') && mode.length > 'container:'.length
  if (!['', 'host'].includes(flags.pid) && !joins(flags.pid)) throw new Error('--pid: invalid PID mode')
  if (!['', 'host'].includes(flags.uts)) throw new Error('--uts: invalid UTS mode')
  if (!['', 'host'].includes(flags.userns)) throw new Error('--userns: invalid USER mode')
  if (!['', 'host', 'private'].includes(flags.cgroupns)) throw new Error('--cgroupns: invalid CGROUP mode')
}

export function restartPolicy(text: string): { Name: string; MaximumRetryCount: number } {
  const [name, count] = cut(text, ':')
  if (text !== '' && name === '') throw new Error('invalid restart policy format: no policy provided before colon')
  if (count === undefined) return { Name: name, MaximumRetryCount: 0 }
  if (!/^[+-]?\d+$/.test(count))
    throw new Error('invalid restart policy format: maximum retry count must be an integer')
  return { Name: name, MaximumRetryCount: Number(count) }
}

function logConfig(driver: string, options: string[]) {
  if (driver === 'none' && options.length > 0) throw new Error(`invalid logging opts for driver ${driver}`)
  return { Type: driver, Config: toMap(options) }
}

/** Names in the kernel's form; what is both added and dropped stays, and ALL stands for all others. */
function capabilities(add: string[], drop: string[]) {
  const normal = (names: string[]): string[] => {
    const all = [
      ...new Set(
        names
          .map((name) => name.trim().toUpperCase())
          .map((name) => (name === 'ALL' || name.startsWith('CAP_') ? name : `CAP_${name}`)),
      ),
    ]
    return all.includes('ALL') ? ['ALL'] : all.sort()
  }
  const added = normal(add)
  return { CapAdd: orNull(added), CapDrop: orNull(normal(drop).filter((name) => !added.includes(name))) }
}

const SYSTEM_PATHS = 'systempaths=unconfined'

/** Reads seccomp profiles from files, and turns `systempaths=unconfined` into empty path lists. */
function securityOptions(options: string[]) {
  let unconfined = false
  const securityOpt: string[] = []
  for (const option of options) {
    if (option === SYSTEM_PATHS) {
      unconfined = true
      continue
    }
    securityOpt.push(securityOption(option))
  }
  return {
    securityOpt: orNull(securityOpt),
    maskedPaths: unconfined ? [] : null,
    readonlyPaths: unconfined ? [] : null,
  }
}

function securityOption(option: string): string {
  const separator = option.includes('=') ? '=' : ':'
  const [name, value] = cut(option, separator)
  if (value === undefined && name !== 'no-new-privileges')
    throw new Error(`Invalid --security-opt: ${JSON.stringify(option)}`)
  if (name !== 'seccomp' || value === undefined || value === 'unconfined' || value === 'builtin') return option
  let profile: string
  try {
    profile = readFileSync(value, 'utf8')
  } catch (error) {
    throw new Error(`opening seccomp profile (${value}) failed: ${openError(value, error as NodeJS.ErrnoException)}`)
  }
  try {
    return `seccomp=${JSON.stringify(JSON.parse(profile))}`
  } catch (error) {
    throw new Error(`compacting json for seccomp profile (${value}) failed: ${(error as Error).message}`)
  }
}

function storageOptions(options: string[]): Record<string, string> {
  for (const option of options) if (!option.includes('=')) throw new Error('invalid storage option')
  return toMap(options)
}

function healthcheck(flags: ContainerFlagValues): Record<string, unknown> | undefined {
  const times = {
    interval: flags['health-interval'],
    timeout: flags['health-timeout'],
    'start-period': flags['health-start-period'],
    'start-interval': flags['health-start-interval'],
  }
  const retries = flags['health-retries']
  const set = flags['health-cmd'] !== '' || retries !== 0 || Object.values(times).some((nanos) => nanos !== 0n)
  if (flags['no-healthcheck']) {
    if (set) throw new Error('--no-healthcheck conflicts with --health-* options')
    return { Test: ['NONE'] }
  }
  if (!set) return undefined
  for (const [name, nanos] of Object.entries(times))
    if (nanos < 0n) throw new Error(`--health-${name} cannot be negative`)
  if (retries < 0) throw new Error('--health-retries cannot be negative')
  return {
    ...(flags['health-cmd'] !== '' ? { Test: ['CMD-SHELL', flags['health-cmd']] } : {}),
    ...(times.interval ? { Interval: Number(times.interval) } : {}),
    ...(times.timeout ? { Timeout: Number(times.timeout) } : {}),
    ...(times['start-period'] ? { StartPeriod: Number(times['start-period']) } : {}),
    ...(times['start-interval'] ? { StartInterval: Number(times['start-interval']) } : {}),
    ...(retries ? { Retries: retries } : {}),
  }
}

function primaryNetwork(flags: ContainerFlagValues): string {
  return flags.network[0]?.target ?? 'default'
}

const isUserDefined = (name: string): boolean =>
  !['', 'default', 'bridge', 'host', 'none'].includes(name) && !name.startsWith('container:')

function networksOf(flags: ContainerFlagValues): Record<string, EndpointConfig> {
  const networks =
    flags.network.length > 0 ? flags.network.map((network) => ({ ...network })) : [emptyAttachment('default')]
  const first = networks[0] as NetworkAttachment
  applySingleFlags(first, flags)
  const hasUser = networks.some((network) => isUserDefined(network.target))
  const hasOther = networks.some((network) => !isUserDefined(network.target))
  if (hasUser && hasOther && networks.length > 1) {
    throw new Error('conflicting options: cannot attach both user-defined and non-user-defined network-modes')
  }
  const configs: Record<string, EndpointConfig> = {}
  for (const network of networks) {
    if (network.macAddress !== '') checkMac(network.macAddress)
    if (configs[network.target])
      throw new Error(`network ${JSON.stringify(network.target)} is specified multiple times`)
    const config = endpointConfig(network)
    // A network that is named alone and without settings is left to the daemon.
    if (flags.network.length === 1 && isPlain(network)) continue
    configs[network.target] = config
  }
  return configs
}

function isPlain({ target: _, ...settings }: NetworkAttachment): boolean {
  const { target: _target, ...empty } = emptyAttachment('')
  return JSON.stringify(settings) === JSON.stringify(empty)
}

/** The flags from the time when a container had one network apply to the first; both ways at once are refused. */
function applySingleFlags(network: NetworkAttachment, flags: ContainerFlagValues): void {
  const conflict = (flag: string, what: string) =>
    new Error(`conflicting options: cannot specify both --${flag} and per-network ${what}`)
  if (flags['network-alias'].length > 0) {
    if (network.aliases.length > 0) throw conflict('network-alias', 'alias')
    network.aliases = [...flags['network-alias']]
  }
  if (flags.link.length > 0) {
    if (network.links.length > 0) throw conflict('link', 'links')
    network.links = [...flags.link]
  }
  if (flags.ip !== '') {
    if (network.ip !== '') throw conflict('ip', 'IPv4 address')
    network.ip = flags.ip
  }
  if (flags.ip6 !== '') {
    if (network.ip6 !== '') throw conflict('ip6', 'IPv6 address')
    network.ip6 = flags.ip6
  }
  if (flags['mac-address'] !== '') {
    if (network.macAddress !== '') throw conflict('mac-address', 'MAC address')
    network.macAddress = flags['mac-address'].trim()
  }
  if (flags['link-local-ip'].length > 0) {
    if (network.linkLocalIps.length > 0) throw conflict('link-local-ip', 'link-local IP addresses')
    network.linkLocalIps = [...flags['link-local-ip']]
  }
}
