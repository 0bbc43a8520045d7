/**
 * Sends logs on to the targets of remote drivers. The monitor has written every record to the local file before, so a
 * target that is slow, dead or not yet there costs no output: sending goes on where it stopped, over restarts of the
 * daemon too. In mode `blocking` a target that does not take records holds the container's output up, as in Docker; in
 * `non-blocking` the local file is the buffer.
 */

import type { Container } from '../containers/container.ts'
import type { EngineDependencies } from '../engine-dependencies.ts'
import { EngineError, internal } from '../errors/engine-error.ts'
import type { LogOrigin, LogTarget } from '../ports/log-targets.ts'
import type { LogRecord } from '../ports/storage.ts'
import { errorMessage } from '../support/undo-stack.ts'
import { followEnd } from './follow-end.ts'
import { logAttributes, logTag } from './log-attributes.ts'

type Dependencies = Pick<EngineDependencies, 'logs' | 'logTargets' | 'files' | 'clock' | 'logger' | 'hostDescription'>

/** A target that keeps a batch longer than this holds a blocking container up. */
const stallMs = 1_000
const firstRetryDelayMs = 250
const longestRetryDelayMs = 30_000
/** How long a removal waits for records that were not yet delivered. */
const removalGraceMs = 10_000

interface Forwarding {
  done: Promise<void>
  stop: AbortController
}

export interface LogForwarder {
  /** Before a start: rejects when the driver's target cannot be reached and the container is to wait for it. */
  open(container: Container): Promise<void>
  /** Sends what there is and what comes; nothing to do for local drivers and where it is under way. */
  follow(container: Container): void
  /** Before a removal: waits a while for what was not yet delivered, then forgets it. */
  finish(container: Container): Promise<void>
  /** The daemon ends; the next one goes on. */
  close(): Promise<void>
}

export function logOrigin({ record }: Container, hostname: string): LogOrigin {
  const { config, hostConfig } = record
  const options = hostConfig.LogConfig?.Config ?? {}
  const origin = {
    containerId: record.id,
    containerName: record.name,
    imageId: record.imageId,
    imageName: config.Image ?? '',
    command: [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])],
    createdAtNs: BigInt(record.createdAtNs),
    hostname,
    attributes: logAttributes(config, options),
  }
  return { ...origin, tag: logTag(options.tag, origin) }
}

export function createLogForwarder(dependencies: Dependencies): LogForwarder {
  const active = new Map<string, Forwarding>()
  const opened = new Map<string, LogTarget>()
  const isRemote = ({ record }: Container) =>
    dependencies.logTargets.drivers.includes(record.hostConfig.LogConfig?.Type ?? '')
  const targetOf = (container: Container): LogTarget => {
    const { Type = '', Config } = container.record.hostConfig.LogConfig ?? {}
    const origin = logOrigin(container, dependencies.hostDescription.hostname)
    return dependencies.logTargets.create(Type, Config ?? {}, origin)
  }
  return {
    async open(container) {
      if (!isRemote(container) || active.has(container.id) || !blocks(container)) return
      try {
        const target = targetOf(container)
        await target.open()
        opened.get(container.id)?.close()
        opened.set(container.id, target)
      } catch (error) {
        if (error instanceof EngineError) throw error
        const reason = `failed to initialize logging driver: ${errorMessage(error)}`
        throw internal(`failed to create task for container: ${reason}`, error)
      }
    },
    follow(container) {
      if (!isRemote(container) || active.has(container.id)) return
      const stop = new AbortController()
      const target = opened.get(container.id) ?? targetOf(container)
      opened.delete(container.id)
      const done = forward(dependencies, { container, target, signal: stop.signal }).finally(() => {
        target.close()
        active.delete(container.id)
      })
      active.set(container.id, { done, stop })
    },
    async finish(container) {
      opened.get(container.id)?.close()
      opened.delete(container.id)
      const forwarding = active.get(container.id)
      if (forwarding === undefined) return
      const cancel = dependencies.clock.after(removalGraceMs, () => {
        dependencies.logger.warn({ containerId: container.id }, 'removed before its log was delivered completely')
        forwarding.stop.abort()
      })
      await forwarding.done
      cancel()
    },
    async close() {
      for (const target of opened.values()) target.close()
      for (const { stop } of active.values()) stop.abort()
      await Promise.all([...active.values()].map(({ done }) => done))
    },
  }
}

const blocks = ({ record }: Container): boolean => record.hostConfig.LogConfig?.Config?.mode !== 'non-blocking'

interface Work {
  container: Container
  target: LogTarget
  signal: AbortSignal
}

async function forward(dependencies: Dependencies, work: Work): Promise<void> {
  const { container, signal } = work
  const path = dependencies.files.logPath(container.id)
  const delivery = new Delivery(dependencies, work)
  try {
    const batches = dependencies.logs.undelivered({ path, ended: followEnd(container, signal), signal })
    for await (const { records, delivered } of batches) {
      await delivery.send(records)
      if (signal.aborted) return
      await delivered()
    }
  } catch (err) {
    dependencies.logger.error({ containerId: container.id, err }, 'the log is no longer sent to its target')
  } finally {
    await delivery.release()
  }
}

/** Sends batches until they are taken. */
class Delivery {
  readonly #dependencies: Dependencies
  readonly #work: Work
  #holding = false
  #failing = false

  constructor(dependencies: Dependencies, work: Work) {
    this.#dependencies = dependencies
    this.#work = work
  }

  async send(records: readonly LogRecord[]): Promise<void> {
    const { target, signal } = this.#work
    const retry = target.retry ?? { delayMs: firstRetryDelayMs, maxAttempts: Number.POSITIVE_INFINITY }
    let delayMs = retry.delayMs
    for (let attempt = 1; !signal.aborted; attempt++) {
      if (await this.#attempt(records)) return
      if (attempt >= retry.maxAttempts) return this.#drop(records)
      await this.#wait(delayMs)
      delayMs = Math.min(delayMs * 2, longestRetryDelayMs)
    }
  }

  async release(): Promise<void> {
    if (this.#holding) await this.#hold(false)
  }

  async #attempt(records: readonly LogRecord[]): Promise<boolean> {
    const { container, target, signal } = this.#work
    const cancelStall = this.#dependencies.clock.after(stallMs, () => void this.#hold(true))
    const aborted = onceAborted(signal)
    try {
      await Promise.race([target.send(records), aborted.promise])
    } catch (err) {
      if (!this.#failing) this.#dependencies.logger.warn({ containerId: container.id, err }, 'the log’s target fails')
      this.#failing = true
      await this.#hold(true)
      return false
    } finally {
      cancelStall()
      aborted.forget()
    }
    if (this.#failing) this.#dependencies.logger.info({ containerId: container.id }, 'the log’s target works again')
    this.#failing = false
    await this.release()
    return true
  }

  #drop(records: readonly LogRecord[]): void {
    const { id } = this.#work.container
    this.#dependencies.logger.error({ containerId: id, records: records.length }, 'records of the log were not sent')
  }

  async #hold(on: boolean): Promise<void> {
    const { container } = this.#work
    if (!blocks(container) || this.#work.target.neverHolds || on === this.#holding) return
    this.#holding = on
    try {
      await container.run?.monitor.hold(on)
    } catch (err) {
      // It has ended meanwhile; then there is nothing to hold.
      this.#dependencies.logger.debug({ containerId: container.id, err }, 'the monitor does not hold the output')
    }
  }

  #wait(delayMs: number): Promise<void> {
    const { signal } = this.#work
    return new Promise((resolve) => {
      const cancel = this.#dependencies.clock.after(delayMs, done)
      function done() {
        cancel()
        signal.removeEventListener('abort', done)
        resolve()
      }
      signal.addEventListener('abort', done, { once: true })
    })
  }
}

function onceAborted(signal: AbortSignal): { promise: Promise<void>; forget: () => void } {
  let forget = () => {}
  const promise = new Promise<void>((resolve) => {
    const done = () => resolve()
    if (signal.aborted) done()
    signal.addEventListener('abort', done, { once: true })
    forget = () => signal.removeEventListener('abort', done)
  })
  return { promise, forget }
}
