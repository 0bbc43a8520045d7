/**
 * Places outside of the engine to which log drivers send: syslog, journald, fluentd, gelf. The container's output is
 * always written to its log file first, by the monitor; what stands there is then sent on.
 */
import type { LogRecord } from './storage.ts'

export interface LogTargets {
  /** Names of drivers, as in `HostConfig.LogConfig.Type`. */
  readonly drivers: readonly string[]
  /** Throws an Error in Docker's words when an option is unknown to the driver or has no sense. */
  check(driver: string, options: Readonly<Record<string, string>>): void
  /** Makes a target; connects to nothing yet. */
  create(driver: string, options: Readonly<Record<string, string>>, origin: LogOrigin): LogTarget
}

export interface LogTarget {
  /** Resolves when the target can take records; rejects when it cannot be reached. */
  open(): Promise<void>
  /**
   * Resolves when all of them were handed over. Rejects when that failed, after which the same records may be sent
   * again: a target gets each record at least once.
   */
  send(records: readonly LogRecord[]): Promise<void>
  /** It is not worth waiting for: the container starts and goes on without it, whatever the mode. */
  readonly neverHolds?: boolean
  /** Of sends that fail; without it there is no end to the attempts, at growing intervals. */
  readonly retry?: { delayMs: number; maxAttempts: number }
  close(): void
}

/** Where a log comes from: what targets say of it with each record, and what tags are made from. */
export interface LogOrigin {
  containerId: string
  /** Without the leading slash. */
  containerName: string
  imageId: string
  /** As it was asked for. */
  imageName: string
  /** Path and arguments. */
  command: readonly string[]
  createdAtNs: bigint
  hostname: string
  /** The option `tag`, rendered; the short id where there is none. */
  tag: string
  /** Labels and variables that the options name. */
  attributes: Readonly<Record<string, string>>
}
