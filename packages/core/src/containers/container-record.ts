/** A container as the engine knows it: what was asked for, what was planned from it, and what happened to it. */
import type * as wire from '@dockerd-ts/api'
import type { RunRecord } from '../runs/run-record.ts'

/** Every status, as it is stored; see container-state.ts for the transitions and for what clients are told. */
export type ContainerStatus =
  | 'creating'
  | 'created'
  | 'starting'
  | 'running'
  | 'paused'
  | 'stopping'
  | 'restarting'
  | 'exited'
  | 'removing'
  | 'dead'

export interface ContainerRecord {
  /** 64 hexadecimal digits. */
  readonly id: string
  /** Without the leading slash. */
  name: string
  readonly createdAtNs: string
  readonly imageId: string
  readonly platform: string
  /** Merged with the image's configuration. */
  config: wire.ContainerConfig
  hostConfig: wire.HostConfig
  /** What was asked of each network, by the name under which it was asked. */
  endpoints: Record<string, wire.EndpointSettings>
  mounts: MountPlan[]
  /** Paths are known after the first start. */
  nameFiles?: { hostnamePath: string; hostsPath: string; resolvConfPath: string }
  status: ContainerStatus
  state: RuntimeState
}

/** One mount point, decided at create. */
export interface MountPlan {
  type: 'bind' | 'volume' | 'tmpfs' | 'image'
  /** Name of a volume, or of an image as it was asked for. */
  name?: string
  driver?: string
  /** Host path of a bind; empty for the others (a volume's path is asked of the volumes). */
  source: string
  destination: string
  readWrite: boolean
  /** Options as the user wrote them, comma separated. */
  mode: string
  propagation: string
  /** A volume without a name given by the user: removed with `v=1`. */
  anonymous: boolean
  /** Content of the image is copied into an empty volume. */
  copyUp: boolean
  /** Missing host directory of a bind is made at start (Binds and CreateMountpoint). */
  createSource: boolean
  nonRecursive?: boolean
  readOnlyNonRecursive?: boolean
  readOnlyForceRecursive?: boolean
  /** What an image's name meant at create. */
  imageId?: string
  /** Path inside the volume or image. */
  subpath?: string
  /** mount(8)-style options of a tmpfs. */
  tmpfsOptions?: string
  /** The entry of HostConfig.Mounts that this came from. */
  spec?: wire.Mount
}

/** What happened to the container; small, written at every transition. */
export interface RuntimeState {
  pid: number
  /** Field 22 of /proc/pid/stat: with the boot id it tells a pid from its reuse. */
  startTimeTicks: number
  bootId: string
  /** Unix nanoseconds as decimal digits; '' is never. */
  startedAtNs: string
  finishedAtNs: string
  exitCode: number
  oomKilled: boolean
  /** How many times that was told in this run; absent is never. */
  outOfMemoryCount?: number
  error: string
  restartCount: number
  /** The user asked for the end of this run (stop, kill): no restart by policy. */
  manuallyStopped: boolean
  /** Being applied to the kernel: a new daemon ends an update that was cut off. */
  pendingUpdate?: wire.Resources | undefined
  /** Its pause belongs to a commit, and ends with it or with the daemon. */
  pausedForCommit?: boolean
  /** Removal was asked with `v=1`; kept so that an interrupted removal ends the same way. */
  removeVolumes?: boolean
  /** The last ones that have ended, oldest first. */
  runs?: readonly RunRecord[]
  /** Of containers with a health check, from their first start on. */
  health?: HealthState
}

export interface HealthState {
  status: 'starting' | 'healthy' | 'unhealthy'
  /** Failed probes in a row. */
  failingStreak: number
  /** The last five, oldest first. */
  log: readonly ProbeResult[]
}

export interface ProbeResult {
  /** Unix nanoseconds as decimal digits. */
  startNs: string
  endNs: string
  /** -1: it could not be run, or took too long. */
  exitCode: number
  /** Standard output and error, bounded. */
  output: string
}

export const initialState = (): RuntimeState => ({
  pid: 0,
  startTimeTicks: 0,
  bootId: '',
  startedAtNs: '',
  finishedAtNs: '',
  exitCode: 0,
  oomKilled: false,
  error: '',
  restartCount: 0,
  manuallyStopped: false,
})
