/** Ends a container with patience: its stop signal, time to obey, then SIGKILL. */
import { EngineError, internal, notFound } from '../errors/engine-error.ts'
import { crashPoint } from '../support/crash-point.ts'
import { parseSignal, SIGTERM } from '../support/signals.ts'
import type { Container } from './container.ts'
import { type ContainerContext, publishContainerEvent, transition } from './container-context.ts'
import { hasProcess, isRunning } from './container-state.ts'
import { cancelRestart, endsWithin, killAndWait, signalOf, signalProcess, thaw } from './kill-container.ts'

export interface StopOptions {
  signal?: string
  /** < 0 waits for ever; undefined is the container's own, then the daemon's. */
  timeoutSeconds?: number
}

/** Throws notModified when it is not running. */
export async function stopContainer(context: ContainerContext, reference: string, options: StopOptions): Promise<void> {
  const { id } = context.registry.find(reference)
  await context.locks.run(id, async () => {
    const container = present(context, id, reference)
    if (!isRunning(container.record.status)) throw new EngineError('notModified', '')
    checkStopSignal(options, `cannot stop container: ${reference}`)
    await stopLocked(context, container, options)
  })
}

/** Docker takes it for a failure of the stop (500), not of the request. */
export function checkStopSignal({ signal }: StopOptions, what: string): void {
  if (!signal || parseSignal(signal) !== undefined) return
  throw internal(`${what}: invalid signal: ${signal}`)
}

export function present(context: ContainerContext, id: string, reference: string): Container {
  const container = context.registry.get(id)
  if (container === undefined) throw notFound(`No such container: ${reference}`)
  return container
}

/** With the lock held. Events: kill (for each signal), die, stop. */
export async function stopLocked(context: ContainerContext, container: Container, options: StopOptions): Promise<void> {
  const { record } = container
  if (record.status === 'restarting') {
    cancelRestart(context, container)
    publishContainerEvent(context, container, { action: 'stop' })
    return
  }
  const { run } = container
  if (run === undefined || !hasProcess(record.status)) return
  const signal = signalOf(options.signal || record.config.StopSignal || String(SIGTERM))
  const timeoutSeconds =
    options.timeoutSeconds ?? record.config.StopTimeout ?? context.settings.defaultStopTimeoutSeconds
  const wasPaused = record.status === 'paused'
  // What the end of the daemon stops is started again by its policy.
  const state = context.stopping ? {} : { manuallyStopped: true }
  if (record.status !== 'stopping') transition(context, container, 'stopping', { state })
  crashPoint('stop:recorded')
  await signalProcess(context, container, { monitor: run.monitor, signal })
  crashPoint('stop:signalled')
  if (wasPaused) await thaw(context, container)
  if (!(await endsWithin(context, run, timeoutSeconds < 0 ? undefined : timeoutSeconds * 1000))) {
    await killAndWait(context, container, run)
  }
  publishContainerEvent(context, container, { action: 'stop' })
}
