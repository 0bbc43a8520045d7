/**
 * Checks a container's options at create and fills in Docker's defaults, so that what is stored and shown is what will
 * be used. Order and texts follow dockerd, which was asked with each of these cases.
 */
import type { ContainerConfig, HostConfig } from '@dockerd-ts/api'
import { internal, invalidArgument } from '../errors/engine-error.ts'
import { parseAddress } from '../networks/inet.ts'
import { effectiveMaskedPaths, effectiveReadonlyPaths } from './build-spec.ts'
import { checkCapabilities } from './capabilities.ts'
import { checkModes } from './check-modes.ts'
import { checkRealtime, checkResources } from './check-resources.ts'
import type { HostFacts } from './host-facts.ts'
import { parseSecurityOptions, type SecurityOptions } from './security-options.ts'
import { defaultShmSizeBytes } from './spec-mounts.ts'

export interface HostConfigCheck {
  /** To store: a copy with defaults, without what this host cannot enforce. */
  hostConfig: HostConfig
  /** Docker's `Warnings`. */
  warnings: string[]
}

/** Throws invalidArgument (internal where Docker answers 500) with Docker's text. */
export function checkHostConfig(asked: HostConfig, config: ContainerConfig, host: HostFacts): HostConfigCheck {
  checkModes(asked, config)
  if (!['', 'default'].includes((asked.Isolation ?? '').toLowerCase())) {
    throw internal(`Invalid isolation: ${JSON.stringify(asked.Isolation)} - linux only supports 'default'`)
  }
  checkRealtime(asked, host.cgroup)
  checkContainerConfig(config)
  checkGeneral(asked, host)
  const { resources, warnings } = checkResources(asked, host)
  checkPlatform(asked, host)
  // Refuses unknown options now; they are parsed again when the container starts.
  const security = parseSecurityOptions(asked.SecurityOpt ?? [])
  const hostConfig = withDefaults({ ...asked, ...resources }, host)
  checkWritableCgroups(hostConfig, security)
  return { hostConfig, warnings: [...warnings, ...otherWarnings(hostConfig, host)] }
}

/** In the host's namespace a container sees the groups of the whole host, and would be free to change their limits. */
function checkWritableCgroups(hostConfig: HostConfig, { writableCgroups }: SecurityOptions): void {
  if (!writableCgroups || hostConfig.Privileged || hostConfig.CgroupnsMode === 'private') return
  throw invalidArgument('conflicting options: writable-cgroups and the cgroup namespace mode')
}

/** One millisecond, in nanoseconds: no health timing may be shorter. */
const minimumHealthDurationNs = 1_000_000

export function checkContainerConfig(config: ContainerConfig): void {
  if (config.WorkingDir && !config.WorkingDir.startsWith('/')) {
    throw invalidArgument(`the working directory '${config.WorkingDir}' is invalid, it needs to be an absolute path`)
  }
  for (const entry of config.Env ?? []) {
    if (entry === '' || entry.startsWith('=')) throw invalidArgument(`invalid environment variable: ${entry}`)
  }
  const health = config.Healthcheck
  for (const field of ['Interval', 'Timeout', 'StartPeriod', 'StartInterval'] as const) {
    const duration = health?.[field] ?? 0
    if (duration !== 0 && duration < minimumHealthDurationNs) {
      throw invalidArgument(`${field} in Healthcheck cannot be less than 1ms`)
    }
  }
  if ((health?.Retries ?? 0) < 0) throw invalidArgument('Retries in Healthcheck cannot be negative')
}

function checkGeneral(hostConfig: HostConfig, host: HostFacts): void {
  const restartName = hostConfig.RestartPolicy?.Name ?? ''
  if (hostConfig.AutoRemove && restartName !== '' && restartName !== 'no') {
    throw invalidArgument("can't create 'AutoRemove' container with restart policy")
  }
  for (const entry of hostConfig.ExtraHosts ?? []) checkExtraHost(entry)
  checkPortBindings(hostConfig.PortBindings)
  checkRestartPolicy(hostConfig.RestartPolicy)
  checkCapabilities('CapAdd', hostConfig.CapAdd ?? [], host.capabilities)
  checkCapabilities('CapDrop', hostConfig.CapDrop ?? [], host.capabilities)
  checkAnnotations(hostConfig.Annotations)
  checkUnserved(hostConfig)
}

/** What would be lost without a word. */
function checkUnserved({ StorageOpt: storage, UsernsMode: userNamespace = '' }: HostConfig): void {
  if (!['', 'host'].includes(userNamespace)) throw invalidArgument(`invalid user namespace mode: ${userNamespace}`)
  const [unknown] = Object.keys(storage ?? {}).filter((key) => key.toLowerCase() !== 'size')
  if (unknown !== undefined) throw internal(`Unknown option ${unknown}`)
  if (Object.keys(storage ?? {}).length > 0) {
    throw internal("--storage-opt is supported only for overlay over xfs with 'pquota' mount option")
  }
}

function checkExtraHost(entry: string): void {
  const separator = entry.indexOf(':')
  if (separator < 1) throw invalidArgument(`bad format for add-host: ${JSON.stringify(entry)}`)
  const address = entry.slice(separator + 1)
  if (address !== 'host-gateway' && parseAddress(address) === undefined) {
    throw invalidArgument(`invalid IP address in add-host: ${JSON.stringify(address)}`)
  }
}

function checkPortBindings(bindings: HostConfig['PortBindings']): void {
  for (const [key, hostBindings] of Object.entries(bindings ?? {})) {
    const [port = ''] = key.split('/')
    if (!isPort(port)) throw invalidArgument(`invalid port specification: ${JSON.stringify(port)}`)
    for (const { HostIp: hostIp = '', HostPort: hostPort = '' } of hostBindings ?? []) {
      // A name would be looked up, and dockerd publishes on every address for what it cannot read.
      if (hostIp !== '' && parseAddress(hostIp) === undefined) throw invalidArgument(`invalid IP address: ${hostIp}`)
      const [first = '', last = first] = (hostPort.split('/')[0] ?? '').split('-')
      if (!isPort(first) || !isPort(last) || Number(first) > Number(last)) {
        throw invalidArgument(`invalid port specification: ${JSON.stringify(hostPort)}`)
      }
    }
  }
}

function isPort(text: string): boolean {
  return text === '' || (/^\d+$/.test(text) && Number(text) <= 65_535)
}

/** Also used by update. */
export function checkRestartPolicy(policy: HostConfig['RestartPolicy']): void {
  const name = policy?.Name ?? ''
  const retries = policy?.MaximumRetryCount ?? 0
  const refuse = (text: string) => invalidArgument(`invalid restart policy: ${text}`)
  switch (name) {
    case '':
    case 'no':
    case 'always':
    case 'unless-stopped':
      if (retries === 0) return
      throw refuse(
        `maximum retry count can only be used with 'on-failure'${retries < 0 ? ' and cannot be negative' : ''}`,
      )
    case 'on-failure':
      if (retries >= 0) return
      throw refuse('maximum retry count cannot be negative')
    default:
      throw refuse(`unknown policy '${name}'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'`)
  }
}

/** crun obeys annotations of this prefix, among them one that replaces the seccomp filter. */
const reservedAnnotationPrefix = 'run.oci.'

function checkAnnotations(annotations: HostConfig['Annotations']): void {
  for (const key of Object.keys(annotations ?? {})) {
    if (key === '') {
      throw invalidArgument('invalid Annotations: the empty string is not permitted as an annotation key')
    }
    if (key.startsWith(reservedAnnotationPrefix)) {
      throw invalidArgument(`invalid Annotations: ${JSON.stringify(key)} is reserved for the engine`)
    }
  }
}

function checkPlatform(hostConfig: HostConfig, host: HostFacts): void {
  if ((hostConfig.ShmSize ?? 0) < 0) throw invalidArgument('SHM size can not be less than 0')
  const score = hostConfig.OomScoreAdj ?? 0
  if (score < -1000 || score > 1000) {
    throw invalidArgument(`Invalid value ${score}, range for oom score adj is [-1000, 1000]`)
  }
  const parent = hostConfig.CgroupParent ?? ''
  if (host.cgroup.driver === 'systemd' && parent !== '' && !/^[^/]+\.slice$/.test(parent)) {
    throw invalidArgument('cgroup-parent for systemd cgroup should be a valid slice named as "xxx.slice"')
  }
  for (const destination of Object.keys(hostConfig.Tmpfs ?? {})) {
    if (!destination.startsWith('/')) {
      throw invalidArgument(`invalid mount path: '${destination}' mount path must be absolute`)
    }
    if (/^\/+$/.test(destination)) throw invalidArgument("invalid specification: destination can't be '/'")
  }
}

function withDefaults(hostConfig: HostConfig, host: HostFacts): HostConfig {
  const { Memory: memory = 0, MemorySwap: swap = 0, PidsLimit: pids } = hostConfig
  return {
    ...hostConfig,
    MemorySwap: memory > 0 && swap === 0 ? memory * 2 : swap,
    PidsLimit: typeof pids === 'number' && pids > 0 ? pids : null,
    ShmSize: hostConfig.ShmSize || defaultShmSizeBytes,
    IpcMode: hostConfig.IpcMode || 'private',
    CgroupnsMode: hostConfig.CgroupnsMode || (host.cgroup.version === '2' ? 'private' : 'host'),
    OomKillDisable: host.cgroup.oomKillDisable ? (hostConfig.OomKillDisable ?? false) : null,
    MaskedPaths: hostConfig.Privileged ? null : effectiveMaskedPaths(hostConfig, host),
    ReadonlyPaths: hostConfig.Privileged ? null : effectiveReadonlyPaths(hostConfig),
  }
}

function otherWarnings(hostConfig: HostConfig, host: HostFacts): string[] {
  const warnings: string[] = []
  const network = hostConfig.NetworkMode ?? ''
  const ownNetwork = !['host', 'none'].includes(network) && !network.startsWith('container:')
  if (ownNetwork && !host.ipv4Forwarding) warnings.push('IPv4 forwarding is disabled. Networking will not work.')
  if (network === 'host' && Object.keys(hostConfig.PortBindings ?? {}).length > 0) {
    warnings.push('Published ports are discarded when using host network mode')
  }
  const limits = host.withoutSysResource
  if (limits === undefined) return warnings
  const lacking = 'The daemon lacks CAP_SYS_RESOURCE:'
  if ((hostConfig.OomScoreAdj ?? 0) < limits.oomScoreAdj) {
    warnings.push(`${lacking} OomScoreAdj ${hostConfig.OomScoreAdj} is raised to ${limits.oomScoreAdj}.`)
  }
  for (const { Name: name = '', Hard: hard = 0 } of hostConfig.Ulimits ?? []) {
    const ceiling = limits.hardLimits[`RLIMIT_${name.toUpperCase()}`]
    if (ceiling !== undefined && (hard === -1 || hard > ceiling)) {
      warnings.push(`${lacking} the hard limit of ulimit ${name} is lowered to ${ceiling}.`)
    }
  }
  return warnings
}
