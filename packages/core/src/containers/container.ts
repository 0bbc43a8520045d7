/** A container in the daemon's memory: its record, its current run, and who waits for what becomes of it. */
import type * as wire from '@dockerd-ts/api'
import type { MonitorHandle } from '../ports/monitor.ts'
import type { OciProcess } from '../spec/index.ts'
import type { ContainerRecord } from './container-record.ts'

/** One life of the container's process, from start to recorded exit. */
export interface Run {
  readonly monitor: MonitorHandle
  /** Resolves when the exit has been recorded (clean-up may still go on). */
  readonly ended: Promise<void>
  readonly end: () => void
  /** `process` of the spec, for execs; unknown after a restart of the daemon until it is read from the bundle. */
  process?: OciProcess | undefined
}

export function newRun(monitor: MonitorHandle): Run {
  let end = () => {}
  const ended = new Promise<void>((resolve) => {
    end = resolve
  })
  return { monitor, ended, end }
}

/** A client that attached before the start; connected when the monitor is there, before anything runs. */
export interface PendingAttachment {
  connect(monitor: MonitorHandle): Promise<void>
  /** The container is removed, or its start failed: the stream ends. */
  cancel(): void
}

export type WaitCondition = 'not-running' | 'next-exit' | 'removed'

export class Container {
  readonly record: ContainerRecord
  run: Run | undefined
  /** Clean-up after the last run (network, mounts): start and remove wait for it. */
  released: Promise<void> = Promise.resolve()
  readonly pendingAttachments = new Set<PendingAttachment>()
  /** Cancels the restart that the policy has scheduled. */
  cancelRestart: (() => void) | undefined
  /** Of the last restart by policy; 0 before the first. */
  restartDelayMs = 0
  /** `docker restart` is between its stop and its start: no removal by AutoRemove. */
  restarting = false
  /** The stop that is under way is there because it is unhealthy. */
  endsUnhealthy = false
  /** Ends the probing of its health. */
  stopHealth: (() => void) | undefined
  /** A removal has begun in this process. */
  beingRemoved = false
  readonly #waiters: Record<'exit' | 'removal', Set<(response: wire.ContainerWaitResponse) => void>> = {
    exit: new Set(),
    removal: new Set(),
  }

  readonly #changeListeners = new Set<() => void>()

  constructor(record: ContainerRecord) {
    this.record = record
  }

  get id(): string {
    return this.record.id
  }

  /** Registered before it returns; an aborted signal forgets it. */
  waitFor(kind: 'exit' | 'removal', signal: AbortSignal): Promise<wire.ContainerWaitResponse> {
    return new Promise((resolve) => {
      const waiters = this.#waiters[kind]
      const forget = () => waiters.delete(settle)
      const settle = (response: wire.ContainerWaitResponse) => {
        signal.removeEventListener('abort', forget)
        resolve(response)
      }
      waiters.add(settle)
      signal.addEventListener('abort', forget, { once: true })
    })
  }

  /** An exit answers who waits for one; a removal answers everybody, since no other exit will come. */
  tell(kind: 'exit' | 'removal'): void {
    const kinds = kind === 'exit' ? (['exit'] as const) : (['exit', 'removal'] as const)
    // A removal that worked is no error, whatever the last start came to.
    const response = kind === 'exit' ? this.waitResponse() : { StatusCode: this.record.state.exitCode }
    for (const each of kinds) {
      const waiters = [...this.#waiters[each]]
      this.#waiters[each].clear()
      for (const settle of waiters) settle(response)
    }
  }

  waitResponse(): wire.ContainerWaitResponse {
    const { exitCode, error } = this.record.state
    return error === '' ? { StatusCode: exitCode } : { StatusCode: exitCode, Error: { Message: error } }
  }

  /** Resolves at the next change of status. */
  changed(): Promise<void> {
    return new Promise((resolve) => {
      this.#changeListeners.add(resolve)
    })
  }

  tellChange(): void {
    const listeners = [...this.#changeListeners]
    this.#changeListeners.clear()
    for (const listener of listeners) listener()
  }

  cancelPendingAttachments(): void {
    for (const attachment of this.pendingAttachments) attachment.cancel()
    this.pendingAttachments.clear()
  }
}
