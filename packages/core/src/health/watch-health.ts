/**
 * Probes a running container at its intervals and records what they say. Begun by start, unpause and adoption; ended by
 * pause, exit and the end of the daemon.
 */
import type { Container } from '../containers/container.ts'
import { type ContainerContext, saveState } from '../containers/container-context.ts'
import type { ProbeResult } from '../containers/container-record.ts'
import { hasProcess } from '../containers/container-state.ts'
import { crashPoint } from '../support/crash-point.ts'
import { errorMessage } from '../support/undo-stack.ts'
import { type HealthCheck, healthCheckOf } from './health-check.ts'
import { healthAfterProbe } from './health-state.ts'
import { runProbe } from './run-probe.ts'

/** The first probe comes one interval after this; `adopted`: where the last daemon's probes left off. */
export function watchHealth(context: ContainerContext, container: Container, options: { adopted?: true } = {}): void {
  stopHealth(container)
  const check = healthCheckOf(container.record.config)
  if (check === undefined || context.stopping || container.record.state.health === undefined) return
  const stop = new AbortController()
  let cancelTimer = () => {}
  const schedule = (delayMs: number) => {
    cancelTimer = context.clock.after(delayMs, () => void probe())
  }
  const probe = async () => {
    const result = await runProbe(context, container, { check, signal: stop.signal })
    if (stop.signal.aborted) return
    if (result !== undefined) takeResult(context, container, { check, result })
    if (!stop.signal.aborted) schedule(nextDelayMs(context, container, check))
  }
  container.stopHealth = () => {
    cancelTimer()
    stop.abort()
  }
  schedule(options.adopted ? delayAfterAdoptionMs(context, container, check) : nextDelayMs(context, container, check))
}

export function stopHealth(container: Container): void {
  container.stopHealth?.()
  container.stopHealth = undefined
}

function nextDelayMs(context: ContainerContext, { record }: Container, check: HealthCheck): number {
  const inStartPeriod = ageMs(context, record.state.startedAtNs) < check.startPeriodMs
  return inStartPeriod && record.state.health?.status === 'starting' ? check.startIntervalMs : check.intervalMs
}

const ageMs = (context: ContainerContext, sinceNs: string): number =>
  Number(context.clock.nowNs() - BigInt(sinceNs || '0')) / 1e6

/**
 * What is due already is spread over one interval, by the container's id: after a long pause of the daemon a hundred
 * containers are not probed in one moment.
 */
function delayAfterAdoptionMs(context: ContainerContext, container: Container, check: HealthCheck): number {
  const delayMs = nextDelayMs(context, container, check)
  const { health, startedAtNs } = container.record.state
  const leftMs = delayMs - ageMs(context, health?.log.at(-1)?.endNs ?? startedAtNs)
  if (leftMs > 0) return Math.min(leftMs, delayMs)
  return delayMs * (Number.parseInt(container.id.slice(0, 8), 16) / 2 ** 32)
}

function takeResult(
  context: ContainerContext,
  container: Container,
  { check, result }: { check: HealthCheck; result: ProbeResult },
): void {
  const { state, status } = container.record
  const before = state.health
  if (before === undefined || !hasProcess(status)) return
  const sinceStartMs = Number(BigInt(result.startNs) - BigInt(state.startedAtNs)) / 1e6
  const health = healthAfterProbe(before, result, {
    retries: check.retries,
    inStartPeriod: sinceStartMs < check.startPeriodMs,
  })
  const changed = health.status !== before.status
  crashPoint('health:probed')
  try {
    const events = changed ? [{ action: `health_status: ${health.status}` }] : []
    saveState(context, container, { state: { health }, events })
  } catch (error) {
    context.logger.error({ containerId: container.id, err: error }, `could not record health: ${errorMessage(error)}`)
  }
  if (changed) container.tellChange()
  if (health.status === 'unhealthy') context.foundUnhealthy(container)
}
