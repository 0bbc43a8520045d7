/** The OCI runtime and the kernel objects of a running container: cgroups, statistics, processes. */
import type { OciSeccomp } from '../spec/oci-types.ts'
import type { RuntimeCommand } from './monitor.ts'

export interface Runtimes {
  /** `runc`, `crun` or a name from --add-runtime; the default when undefined. Throws invalidArgument for unknown ones. */
  resolve(name?: string): Promise<ResolvedRuntime>
  list(): Record<string, { path: string; runtimeArgs?: string[] }>
  /** What a runtime says of itself (`features` of the OCI runtime command line, JSON); undefined when it says nothing. */
  features(name: string): Promise<string | undefined>
  readonly defaultName: string
}

export interface ResolvedRuntime {
  name: string
  command: RuntimeCommand
  /** Directory in which the runtime keeps the state of one container. */
  stateDirectory(containerId: string): string
  /** Recovery only: `delete --force`. */
  deleteForce(containerId: string): Promise<void>
  version: string
  /** Understands crun's annotations (precompiled seccomp). */
  isCrun: boolean
  /**
   * Annotations that spare the runtime from compiling a filter that it has compiled before; {} when it has not, or is no
   * crun. They go into the spec beside the filter itself, never instead of it: a runtime that ignores them uses that.
   */
  seccompAnnotations(filter: OciSeccomp | undefined): Promise<Record<string, string>>
  /**
   * After a start: keeps the compiled filter for the next one, and looks once whether a filter kept earlier really
   * confines. Rejects when the process is not confined as it should be. Off the hot path: nobody waits for it.
   */
  keepSeccomp(filter: OciSeccomp | undefined, started: { containerId: string; pid: number }): Promise<void>
}

export interface Cgroups {
  readonly driver: 'cgroupfs' | 'systemd' | 'none'
  readonly version: '1' | '2'
  /** `linux.cgroupsPath` of the OCI spec. */
  specPath(containerId: string, parent?: string): string
  /** All directories (one per v1 hierarchy) of a container, for removal. */
  directories(containerId: string, parent?: string): string[]
  freeze(containerId: string, parent?: string): Promise<void>
  thaw(containerId: string, parent?: string): Promise<void>
  processIds(containerId: string, parent?: string): Promise<number[]>
  statistics(containerId: string, parent?: string): Promise<CgroupStatistics>
  /** Applies live limits, named as in the API's Resources (Memory, CpuQuota, PidsLimit …); undefined ones stay. */
  update(containerId: string, limits: Record<string, number | string | undefined>, parent?: string): Promise<void>
  /** Removes what a dead container left behind. */
  remove(containerId: string, parent?: string): Promise<void>
  /** Controllers that the host has, for info and warnings. */
  readonly controllers: ReadonlySet<string>
}

/** Counters as Docker's stats report them; nanoseconds and bytes. */
export interface CgroupStatistics {
  cpu: {
    totalNs: number
    userNs: number
    systemNs: number
    perCpuNs?: number[]
    periods: number
    throttledPeriods: number
    throttledNs: number
  }
  memory: {
    usageBytes: number
    maxUsageBytes?: number
    limitBytes: number
    failcnt?: number
    stats: Record<string, number>
  }
  pids: { current: number; limit?: number }
  blkio: { serviceBytes: BlkioEntry[]; serviced: BlkioEntry[] }
}

export interface BlkioEntry {
  major: number
  minor: number
  op: string
  value: number
}
