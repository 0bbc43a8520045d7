/**
 * The part of the OCI runtime specification that this engine writes (config.json, and the process document of exec).
 * Source: https://github.com/opencontainers/runtime-spec/blob/main/config.md and config-linux.md.
 */

export interface OciSpec {
  ociVersion: string
  process: OciProcess
  root: { path: string; readonly?: boolean }
  hostname?: string
  mounts: OciMount[]
  hooks?: Partial<Record<OciHookName, OciHook[]>>
  annotations?: Record<string, string>
  linux: OciLinux
}

export type OciHookName = 'prestart' | 'createRuntime' | 'createContainer' | 'startContainer' | 'poststart' | 'poststop'

/** A program that the runtime runs at a point of the container's life. */
export interface OciHook {
  path: string
  args?: string[]
  env?: string[]
  /** Seconds. */
  timeout?: number
}

export interface OciProcess {
  terminal?: boolean
  consoleSize?: { height: number; width: number }
  user: OciUser
  args: string[]
  env: string[]
  cwd: string
  capabilities?: OciCapabilities
  rlimits?: OciRlimit[]
  noNewPrivileges?: boolean
  oomScoreAdj?: number
  apparmorProfile?: string
  selinuxLabel?: string
}

export interface OciUser {
  uid: number
  gid: number
  additionalGids?: number[]
}

export interface OciCapabilities {
  bounding: string[]
  effective: string[]
  permitted: string[]
  inheritable?: string[]
  ambient?: string[]
}

export interface OciRlimit {
  type: string
  soft: Uint64
  hard: Uint64
}

export interface OciMount {
  destination: string
  type: string
  source: string
  options: string[]
}

export type OciNamespaceType = 'mount' | 'network' | 'uts' | 'pid' | 'ipc' | 'cgroup' | 'user'

export interface OciNamespace {
  type: OciNamespaceType
  /** A namespace file to join; without it the runtime makes a new one. */
  path?: string
}

export interface OciDevice {
  path: string
  type: 'c' | 'b' | 'p'
  major: number
  minor: number
  /** Permission bits. */
  fileMode: number
  uid: number
  gid: number
}

/** Without type, major or minor the rule stands for all of them. */
export interface OciDeviceRule {
  allow: boolean
  type?: 'a' | 'b' | 'c'
  major?: number
  minor?: number
  /** Some of `r`, `w`, `m`. */
  access: string
}

export interface OciThrottleDevice {
  major: number
  minor: number
  rate: number
}

export interface OciResources {
  devices: OciDeviceRule[]
  memory?: {
    limit?: number
    reservation?: number
    swap?: number
    swappiness?: number
    disableOOMKiller?: boolean
  }
  cpu?: {
    shares?: number
    quota?: number
    period?: number
    realtimeRuntime?: number
    realtimePeriod?: number
    cpus?: string
    mems?: string
  }
  pids?: { limit: number }
  blockIO?: {
    weight?: number
    weightDevice?: { major: number; minor: number; weight: number }[]
    throttleReadBpsDevice?: OciThrottleDevice[]
    throttleWriteBpsDevice?: OciThrottleDevice[]
    throttleReadIOPSDevice?: OciThrottleDevice[]
    throttleWriteIOPSDevice?: OciThrottleDevice[]
  }
}

export interface OciSeccomp {
  defaultAction: string
  defaultErrnoRet?: number
  architectures?: string[]
  flags?: string[]
  listenerPath?: string
  listenerMetadata?: string
  syscalls: OciSeccompSyscall[]
}

export interface OciSeccompSyscall {
  names: string[]
  action: string
  errnoRet?: number
  args?: OciSeccompArgument[]
}

export interface OciSeccompArgument {
  index: number
  value: Uint64
  valueTwo?: Uint64
  op: string
}

/** A number, or the digits of one that a JavaScript number cannot hold exactly (written out unchanged by JSON.stringify). */
export type Uint64 = number | RawJson

/** What `JSON.rawJSON` makes. */
export interface RawJson {
  readonly rawJSON: string
}

export interface OciLinux {
  namespaces: OciNamespace[]
  sysctl?: Record<string, string>
  cgroupsPath: string
  resources: OciResources
  devices?: OciDevice[]
  rootfsPropagation?: string
  seccomp?: OciSeccomp
  maskedPaths?: string[]
  readonlyPaths?: string[]
  mountLabel?: string
}
