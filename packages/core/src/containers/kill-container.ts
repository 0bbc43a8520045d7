/** Signals the process of a container, and waits for its end where the signal leaves no choice. */
import { conflict, EngineError, internal, invalidArgument } from '../errors/engine-error.ts'
import { watchHealth } from '../health/watch-health.ts'
import type { MonitorHandle } from '../ports/monitor.ts'
import { crashPoint } from '../support/crash-point.ts'
import { parseSignal, SIGKILL } from '../support/signals.ts'
import type { Container, Run } from './container.ts'
import { type ContainerContext, publishContainerEvent, saveState, transition } from './container-context.ts'
import { isRunning } from './container-state.ts'

/** How long a process may take to end after SIGKILL before the engine says so (uninterruptible sleep). */
const killPatienceMs = 10_000

/**
 * Sends a signal; takes no lock, so that it works while a stop is waiting. SIGKILL waits for the end.
 * Throws conflict when it is not running; every text begins with `cannot kill container: x: `.
 */
export async function killContainer(context: ContainerContext, reference: string, signalText?: string): Promise<void> {
  try {
    const signal = signalOf(signalText || String(SIGKILL))
    await kill(context, context.registry.find(reference), signal)
  } catch (error) {
    if (!(error instanceof EngineError)) throw error
    throw new EngineError(error.kind, `cannot kill container: ${reference}: ${error.message}`, { cause: error })
  }
}

export async function kill(context: ContainerContext, container: Container, signal: number): Promise<void> {
  const { record, run } = container
  if (!isRunning(record.status)) throw conflict(`container ${record.id} is not running`)
  const endsIt = signal === SIGKILL || isStopSignal(container, signal)
  if (record.status === 'restarting') {
    if (endsIt) cancelRestart(context, container)
    return
  }
  if (run === undefined) throw conflict(`container ${record.id} is not running`)
  if (endsIt && !record.state.manuallyStopped) saveState(context, container, { state: { manuallyStopped: true } })
  const wasPaused = record.status === 'paused'
  await signalProcess(context, container, { monitor: run.monitor, signal })
  crashPoint('kill:signalled')
  if (wasPaused && endsIt) {
    await thaw(context, container)
    // The process may have ended meanwhile, then its exit has been recorded.
    if (record.status === 'paused') {
      transition(context, container, 'running')
      watchHealth(context, container)
    }
  }
  if (signal === SIGKILL && !(await endsWithin(context, run, killPatienceMs))) {
    throw internal('tried to kill container, but did not receive an exit event')
  }
}

/** Without a configured stop signal every signal counts as the user's wish to end the container, as in Docker. */
function isStopSignal(container: Container, signal: number): boolean {
  const configured = container.record.config.StopSignal
  return configured === undefined || configured === '' || parseSignal(configured) === signal
}

export function cancelRestart(context: ContainerContext, container: Container): void {
  container.cancelRestart?.()
  transition(context, container, 'exited', { state: { manuallyStopped: true } })
  container.tell('exit')
}

export function signalOf(text: string): number {
  const signal = parseSignal(text)
  if (signal === undefined && /^[+-]?\d+$/.test(text) && Number(text) !== 0) {
    throw invalidArgument(`the linux daemon does not support signal ${Number(text)}`)
  }
  if (signal === undefined) throw invalidArgument(`invalid signal: ${text}`)
  return signal
}

export async function signalProcess(
  context: ContainerContext,
  container: Container,
  { monitor, signal }: { monitor: MonitorHandle; signal: number },
): Promise<void> {
  // Told first: the end may be seen before the signal is answered, and `die` comes after `kill`.
  publishContainerEvent(context, container, { action: 'kill', attributes: { signal: String(signal) } })
  await monitor.signal(signal)
}

/** A frozen process receives its signal when it is thawed. */
export async function thaw(context: ContainerContext, container: Container): Promise<void> {
  const { record } = container
  await context.cgroups.thaw(record.id, record.hostConfig.CgroupParent || undefined)
  publishContainerEvent(context, container, { action: 'unpause' })
}

/** undefined waits for ever. */
export async function endsWithin(context: ContainerContext, run: Run, timeoutMs: number | undefined): Promise<boolean> {
  const ended = run.ended.then(() => true)
  if (timeoutMs === undefined) return ended
  let cancel = () => {}
  const tooLate = new Promise<boolean>((resolve) => {
    cancel = context.clock.after(timeoutMs, () => resolve(false))
  })
  try {
    return await Promise.race([ended, tooLate])
  } finally {
    cancel()
  }
}

export async function killAndWait(context: ContainerContext, container: Container, run: Run): Promise<void> {
  await signalProcess(context, container, { monitor: run.monitor, signal: SIGKILL })
  if (await endsWithin(context, run, killPatienceMs)) return
  throw internal(`cannot stop container: ${container.id}: tried to kill container, but did not receive an exit event`)
}
