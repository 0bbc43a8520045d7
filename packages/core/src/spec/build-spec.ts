/**
 * From a container's configuration to the OCI document (config.json) that the runtime executes. Pure: what has to be
 * looked up on the host or in the root filesystem comes in as data.
 */
import type { ContainerConfig, HostConfig } from '@dockerd-ts/api'
import { internal } from '../errors/engine-error.ts'
import { effectiveCapabilities } from './capabilities.ts'
import { containerEnvironment } from './environment.ts'
import type { HostFacts } from './host-facts.ts'
import type { OciLinux, OciProcess, OciSeccomp, OciSpec } from './oci-types.ts'
import type { ResolvedUser } from './resolve-user.ts'
import { builtinSeccompProfile, parseSeccompProfile, resolveSeccompProfile, type SeccompTarget } from './seccomp.ts'
import {
  defaultMaskedPaths,
  defaultReadonlyPaths,
  parseSecurityOptions,
  type SecurityOptions,
  thermalThrottlePaths,
} from './security-options.ts'
import { containerMounts, initPathInContainer, type PlannedMount, rootfsPropagation } from './spec-mounts.ts'
import { containerNamespaces, containerSysctls, type NamespaceInput, refuseHostSysctls } from './spec-namespaces.ts'
import { containerResources, containerRlimits, type HostDevices } from './spec-resources.ts'

export interface SpecInput {
  containerId: string
  /** The image's configuration merged with the user's. */
  config: ContainerConfig
  /** As stored: after `adaptHostConfig`. */
  hostConfig: HostConfig
  host: HostFacts
  rootfsPath: string
  user: ResolvedUser
  /** What the container is called inside: of its own, of the host (network host), or of the container it joins. */
  hostname: string
  domainname?: string
  namespacePaths: NamespaceInput['paths']
  mounts: readonly PlannedMount[]
  /** A tmpfs on the host for /dev/shm of a shareable ipc namespace, own or joined. */
  shmPath?: string
  devices: HostDevices
  /** `linux.cgroupsPath`, from the Cgroups port. */
  cgroupsPath: string
  /** Variables of legacy links. */
  linkVariables?: readonly string[]
  /** A terminal's first size. */
  consoleSize?: { height: number; width: number }
  /** The profile used when SecurityOpt names none: the daemon's --seccomp-profile. */
  defaultSeccompProfile?: string
  /** The default of --init for containers that say nothing. */
  initByDefault?: boolean
}

export const ociVersion = '1.0.2'

export function buildOciSpec(input: SpecInput): OciSpec {
  const { config, hostConfig, host } = input
  const security = parseSecurityOptions(hostConfig.SecurityOpt ?? [])
  const initPath = usesInit(input) ? requireInit(host) : undefined
  const annotations = { ...hostConfig.Annotations }
  return {
    ociVersion,
    process: containerProcess(input, security, initPath),
    root: { path: input.rootfsPath, ...(hostConfig.ReadonlyRootfs && { readonly: true }) },
    ...(hostConfig.UTSMode !== 'host' && input.hostname !== '' && { hostname: input.hostname }),
    mounts: containerMounts({
      hostConfig,
      planned: input.mounts,
      ...(input.shmPath !== undefined && { shmPath: input.shmPath }),
      recursiveReadonlyMounts: host.recursiveReadonlyMounts,
      writableCgroups: security.writableCgroups === true,
      ...(initPath !== undefined && { initPath }),
    }),
    ...(Object.keys(annotations).length > 0 && { annotations }),
    linux: linuxSection(input, security, config.Domainname),
  }
}

/** The command line: entrypoint, then command. */
export function commandOf(config: ContainerConfig): string[] {
  return [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])]
}

/** True when the container's first process is an init that reaps and forwards signals (only in a pid namespace of its own). */
export function usesInit(input: Pick<SpecInput, 'hostConfig' | 'initByDefault'>): boolean {
  const pidMode = input.hostConfig.PidMode ?? ''
  const ownPidNamespace = pidMode !== 'host' && !pidMode.startsWith('container:')
  return ownPidNamespace && (input.hostConfig.Init ?? input.initByDefault ?? false)
}

function requireInit(host: HostFacts): string {
  if (host.initPath === undefined) throw internal('exec: "docker-init": executable file not found in $PATH')
  return host.initPath
}

function containerProcess(input: SpecInput, security: SecurityOptions, initPath: string | undefined): OciProcess {
  const { config, hostConfig, host, user } = input
  const terminal = config.Tty === true
  const capabilities = boundingCapabilities(hostConfig, host)
  const command = commandOf(config)
  const rlimits = containerRlimits(hostConfig.Ulimits, host.withoutSysResource)
  const noNewPrivileges = security.noNewPrivileges === true
  return {
    ...(terminal && { terminal }),
    ...(terminal && input.consoleSize && { consoleSize: input.consoleSize }),
    user: { uid: user.uid, gid: user.gid, additionalGids: user.additionalGids },
    args: initPath === undefined ? command : [initPathInContainer, '--', ...command],
    env: containerEnvironment({
      hostname: config.Hostname || input.hostname,
      terminal,
      configured: config.Env ?? [],
      ...(input.linkVariables && { linkVariables: input.linkVariables }),
    }),
    cwd: config.WorkingDir || '/',
    capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities },
    ...(rlimits.length > 0 && { rlimits }),
    ...(noNewPrivileges && { noNewPrivileges }),
    oomScoreAdj: allowedOomScoreAdj(hostConfig.OomScoreAdj ?? 0, host),
    ...apparmor(hostConfig, security, host),
  }
}

export function boundingCapabilities(hostConfig: HostConfig, host: HostFacts): string[] {
  return effectiveCapabilities({
    privileged: hostConfig.Privileged === true,
    add: hostConfig.CapAdd ?? [],
    drop: hostConfig.CapDrop ?? [],
    available: host.capabilities,
  })
}

function allowedOomScoreAdj(wanted: number, host: HostFacts): number {
  return Math.max(wanted, host.withoutSysResource?.oomScoreAdj ?? wanted)
}

function apparmor(hostConfig: HostConfig, security: SecurityOptions, host: HostFacts): { apparmorProfile?: string } {
  if (!host.apparmorAvailable) return {}
  const usual = hostConfig.Privileged ? 'unconfined' : host.apparmorDefaultProfile
  const profile = security.apparmor ?? usual
  return profile === undefined ? {} : { apparmorProfile: profile }
}

function linuxSection(input: SpecInput, security: SecurityOptions, domainname: string | undefined): OciLinux {
  const { hostConfig, host } = input
  refuseHostSysctls(hostConfig, domainname)
  const sysctl = containerSysctls({
    hostConfig,
    ...(domainname && { domainname }),
    ownIds: input.namespacePaths.user !== undefined,
  })
  const privileged = hostConfig.Privileged === true
  const nodes = input.devices.devices.map(({ access: _access, ...node }) => node)
  const propagation = rootfsPropagation(input.mounts)
  const seccomp = containerSeccomp(input, security)
  const masked = effectiveMaskedPaths(hostConfig, host)
  const readonly = effectiveReadonlyPaths(hostConfig)
  return {
    namespaces: containerNamespaces({
      hostConfig,
      paths: input.namespacePaths,
      cgroupNamespaces: host.cgroup.namespaces,
    }),
    ...(Object.keys(sysctl).length > 0 && { sysctl }),
    cgroupsPath: input.cgroupsPath,
    resources: containerResources(hostConfig, input.devices),
    ...(nodes.length > 0 && { devices: nodes }),
    ...(propagation && { rootfsPropagation: propagation }),
    ...(seccomp && { seccomp }),
    ...(!privileged && masked.length > 0 && { maskedPaths: masked }),
    ...(!privileged && readonly.length > 0 && { readonlyPaths: readonly }),
  }
}

/** `HostConfig.MaskedPaths`, where an empty list means none, or Docker's defaults for this host. */
export function effectiveMaskedPaths(hostConfig: HostConfig, host: Pick<HostFacts, 'cpuCount'>): string[] {
  if (hostConfig.Privileged) return []
  return hostConfig.MaskedPaths ?? [...defaultMaskedPaths, ...thermalThrottlePaths(host.cpuCount)]
}

export function effectiveReadonlyPaths(hostConfig: HostConfig): string[] {
  if (hostConfig.Privileged) return []
  return hostConfig.ReadonlyPaths ?? [...defaultReadonlyPaths]
}

/** undefined: unconfined, privileged, or a kernel without seccomp. */
export function containerSeccomp(
  input: Pick<SpecInput, 'hostConfig' | 'host' | 'defaultSeccompProfile'>,
  security: SecurityOptions = parseSecurityOptions(input.hostConfig.SecurityOpt ?? []),
): OciSeccomp | undefined {
  const { hostConfig, host } = input
  if (hostConfig.Privileged || !host.seccompAvailable) return undefined
  const wanted = security.seccomp || input.defaultSeccompProfile || 'builtin'
  if (wanted === 'unconfined') return undefined
  return resolvedOnce(wanted, {
    capabilities: boundingCapabilities(hostConfig, host),
    architecture: host.architecture,
    kernelVersion: host.kernelVersion,
  })
}

/** Most containers have the same few filters: equal ones are one object, by which the runtime part knows them again. */
const resolvedFilters = new Map<string, OciSeccomp>()
const mostResolvedFilters = 32

function resolvedOnce(wanted: string, target: SeccompTarget): OciSeccomp | undefined {
  const key = JSON.stringify([wanted, target])
  const known = resolvedFilters.get(key)
  if (known !== undefined) return known
  const profile = wanted === 'builtin' ? builtinSeccompProfile : parseSeccompProfile(wanted)
  // An empty profile is no filter at all, as runc reads it.
  if (!profile.defaultAction && !profile.syscalls?.length) return undefined
  const filter = resolveSeccompProfile(profile, target)
  if (resolvedFilters.size >= mostResolvedFilters) resolvedFilters.clear()
  resolvedFilters.set(key, filter)
  return filter
}
