/** What core asks of the host besides containers: facts, small files of containers, processes. */
import type * as wire from '@dockerd-ts/api'
import type { SourceMount } from '../mounts/start-checks.ts'
import type { HostFacts } from '../spec/host-facts.ts'
import type { OciSpec } from '../spec/oci-types.ts'
import type { HostDevices } from '../spec/spec-resources.ts'

/** Facts that do not change while the daemon runs, computed once: those of the spec's rules, and what `info` shows. */
export interface HostDescription extends HostFacts {
  /** PRETTY_NAME of os-release. */
  operatingSystem: string
  osVersion: string
  /** As `uname -m`: x86_64, aarch64. */
  machine: string
  memoryBytes: number
  /** A new one voids all runtime state. */
  bootId: string
  /** Rows below the storage driver in `docker info`. */
  storageStatus: readonly (readonly [string, string])[]
  proxies: { http: string; https: string; no: string }
}

export interface Host {
  describe(): Promise<HostDescription>
  /** Open file descriptors of the daemon. */
  openFileDescriptors(): number
  /** Field 22 of /proc/pid/stat in clock ticks; undefined when there is no such process. */
  processStartTimeTicks(pid: number): number | undefined
  /** Busy and idle time of all CPUs since boot in nanoseconds, from /proc/stat. */
  systemCpuNs(): { totalNs: number; onlineCpus: number }
  /** Counters of the interfaces (without lo) in the network namespace of a process. */
  networkCounters(pid: number): Record<string, NetworkCounters>
  /** Output of the host's `ps` with these arguments. Throws with ps's own words. */
  listProcesses(psArguments: readonly string[]): Promise<string>
  /** undefined: there is nothing at that path. */
  pathKind(path: string): 'directory' | 'file' | 'other' | undefined
  makeDirectory(path: string): void
  /** The mount on which a path lies, links resolved; for binds that want shared or slave propagation. */
  sourceMount(path: string): Promise<SourceMount>
  /**
   * Device nodes that the options name (all of the host's when privileged) and the numbers of block devices with limits.
   * Throws in Docker's words for a device that does not exist.
   */
  findDevices(hostConfig: wire.HostConfig): Promise<HostDevices>
  /** The process of a container that the kernel killed last for want of memory; undefined when its log does not tell. */
  oomVictim(containerId: string): Promise<{ pid: number; name: string } | undefined>
  /**
   * Text of a small file inside a container's root, never leaving it whatever links the container made; undefined when
   * there is none. Reads at most `limitBytes`.
   */
  readFileInRoot(root: string, path: string, limitBytes: number): Promise<string | undefined>
}

export interface NetworkCounters {
  rxBytes: number
  rxPackets: number
  rxErrors: number
  rxDropped: number
  txBytes: number
  txPackets: number
  txErrors: number
  txDropped: number
}

/**
 * The directories of containers. Data (log, hostname, hosts, resolv.conf) lives on disk below the data root; run
 * directories (bundle, monitor's socket and exit file) live below the exec root and are gone after a reboot.
 */
export interface ContainerFiles {
  dataDirectory(containerId: string): string
  runDirectory(containerId: string): string
  execDirectory(execId: string): string
  logPath(containerId: string): string
  createData(containerId: string): void
  /** A tmpfs that is /dev/shm of a container whose ipc namespace others may join; answers its path. */
  mountSharedMemory(containerId: string, sizeBytes: number, owner?: { uid: number; gid: number }): Promise<string>
  sharedMemoryPath(containerId: string): string
  unmountSharedMemory(containerId: string): Promise<void>
  /** An empty private run directory; what an earlier run left is removed. */
  prepareRun(containerId: string): string
  /** Writes config.json of the bundle. */
  writeSpec(containerId: string, spec: object): void
  /** undefined: there is none, or it cannot be read. */
  readSpec(containerId: string): Promise<OciSpec | undefined>
  /** An empty private directory for an exec with its process.json; answers the file's path. */
  prepareExec(execId: string, process: object): string
  /** Removals: already gone counts as done. */
  removeRun(containerId: string): Promise<void>
  removeExec(execId: string): Promise<void>
  removeData(containerId: string): Promise<void>
  /** Of what was kept of a removed container. */
  keptLogPath(containerId: string): string
  /**
   * Moves the newest log files that fit into `limitBytes` from the container's data to what is kept; answers the bytes of
   * all that are kept. What was moved before stays.
   */
  keepLog(containerId: string, limitBytes: number): Promise<number>
  removeKept(containerId: string): Promise<void>
  /** One of the directories that `existing` has named. */
  removeDirectory(path: string): Promise<void>
  /** What exists, for reconcile: container ids of data directories and kept logs, paths of run and exec directories. */
  existing(): { dataIds: string[]; keptIds: string[]; runDirectories: string[]; execDirectories: string[] }
}
