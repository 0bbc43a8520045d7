/**
 * The monitor: one small process per container or exec. It is the parent of the OCI runtime (subreaper), owns the
 * process's pipes or terminal, writes the log and the exit file, and outlives the daemon.
 *
 * Life: `prepare` spawns it and returns once its socket listens; clients that attached before the start are connected
 * now, so that no byte of output is missed; `go` runs the runtime; `exited` resolves when init was reaped and all
 * output was delivered. After a restart of the daemon `adopt` finds a living one by its directory, `readExit` the
 * result of a dead one.
 */
import type { Duplex } from 'node:stream'

export interface Monitors {
  prepare(plan: MonitorPlan): Promise<MonitorHandle>
  /** Connects to a monitor that another daemon started. undefined: none is alive in that directory. */
  adopt(directory: string): Promise<MonitorHandle | undefined>
  /** The exit file that a monitor left in its directory; undefined when there is none. */
  readExit(directory: string): Promise<ProcessExit | undefined>
}

export interface MonitorPlan {
  /** Exists, is private to this container or exec, and gets monitor.sock, state.json and exit.json. */
  directory: string
  runtime: RuntimeCommand
  process:
    | { kind: 'container'; containerId: string; bundle: string }
    | { kind: 'exec'; containerId: string; execId: string; processFile: string }
  terminal: boolean
  consoleSize?: { height: number; width: number }
  /** False: stdin is /dev/null. */
  openStdin: boolean
  /** Close the process's stdin when the first attached client with stdin half-closes or leaves. */
  stdinOnce: boolean
  log?: LogPlan
  /** Directories that the monitor removes when the container has ended: cgroups (rmdir), runtime state. */
  cgroupDirectories?: readonly string[]
  runtimeStateDirectory?: string
  /** Of a process that joins a container; that of a container stands in its spec. 0 unless given. */
  oomScoreAdj?: number
}

export interface RuntimeCommand {
  /** What is executed: the sealed copy when there is one. */
  path: string
  /** Global arguments before the subcommand, e.g. `--root /run/x --cgroup-manager=cgroupfs`. */
  globalArguments: readonly string[]
  /** Hybrid cgroup hosts: the child that executes the runtime unmounts this cgroup2 mount in a mount namespace of its own. */
  hideCgroup2Mount?: string
}

export interface LogPlan {
  /** Docker's json-file format; the file is created 0640. */
  path: string
  /** 0 is no limit. */
  maxSizeBytes: number
  /** Including the current one; rotated names are path.1, path.2 … */
  maxFiles: number
  /** Rotated files are compressed: path.1.gz … */
  compress?: boolean
  /** A JSON object that every record carries as `attrs`. */
  attributesJson?: string
}

export interface MonitorHandle {
  readonly monitorPid: number
  /** Runs the runtime. Rejects with a RuntimeFailure carrying the runtime's own message when the start failed. */
  go(): Promise<StartedProcess>
  /** Set after `go` and for adopted monitors whose process runs. */
  readonly process: StartedProcess | undefined
  /**
   * One attached client. Reading gives Docker's eight-byte frames (raw bytes with a terminal); writing goes to the
   * process's stdin; `end()` half-closes it. Ends when all output was delivered.
   */
  attach(streams: { stdin: boolean; stdout: boolean; stderr: boolean }): Promise<Duplex>
  resize(size: { height: number; width: number }): Promise<void>
  /**
   * True: no output is read until false comes or this connection closes; the process waits when its pipe is full.
   */
  hold(on: boolean): Promise<void>
  /** Signals the process itself (init of a container), free of pid reuse. False: it has ended already. */
  signal(signal: number): Promise<boolean>
  /** How often the container ran out of memory in this run, as far as is known. */
  readonly outOfMemoryCount: number
  /** Called when it grows. One listener; a later one takes the place of the earlier. */
  onOutOfMemory(listener: () => void): void
  readonly exited: Promise<ProcessExit>
  /** Lets go of the connection; the monitor lives on. Before `go` it then ends. */
  close(): void
}

export interface StartedProcess {
  pid: number
  /** Field 22 of /proc/pid/stat, in clock ticks after boot: with the boot id it tells a pid from its reuse. */
  startTimeTicks: number
  /** Unix time in nanoseconds, as decimal digits. */
  startedAtNs: string
}

export interface ProcessExit {
  /** 0–255; 128 + n for a process killed by signal n. */
  exitCode: number
  signal?: number
  oomKilled: boolean
  finishedAtNs: string
  startedAtNs?: string
  pid?: number
  /** The runtime failed before the process ran; its message. */
  startError?: string
}

/** The runtime could not start the process; `message` is the runtime's last error line. */
export class RuntimeFailure extends Error {
  override readonly name = 'RuntimeFailure'
}
