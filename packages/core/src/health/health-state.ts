/** How results of probes become `starting`, `healthy` or `unhealthy`; the rules are Docker's. Pure. */
import type * as wire from '@dockerd-ts/api'
import type { ContainerRecord, HealthState, ProbeResult } from '../containers/container-record.ts'
import { rfc3339Nano } from '../support/go-time.ts'
import { type HealthCheck, healthCheckOf } from './health-check.ts'

/** Docker keeps as many. */
const logLength = 5

/** Part of the state that a start records; nothing for a container without a check. Results of the last run stay. */
export function healthAtStart({ config, state }: ContainerRecord): { health?: HealthState } {
  if (healthCheckOf(config) === undefined) return {}
  return { health: { status: 'starting', failingStreak: 0, log: state.health?.log ?? [] } }
}

/** Nobody probes a container that is paused or has ended; Docker calls it unhealthy, without an event. */
export function healthWithoutProbes({ state }: ContainerRecord): { health?: HealthState } {
  return state.health === undefined ? {} : { health: { ...state.health, status: 'unhealthy' } }
}

export function healthAfterProbe(
  health: HealthState,
  result: ProbeResult,
  { retries, inStartPeriod }: Pick<HealthCheck, 'retries'> & { inStartPeriod: boolean },
): HealthState {
  const log = [...health.log, result].slice(-logLength)
  if (result.exitCode === 0) return { status: 'healthy', failingStreak: 0, log }
  if (health.status === 'starting' && inStartPeriod) return { ...health, log }
  const failingStreak = health.failingStreak + 1
  return { status: failingStreak >= retries ? 'unhealthy' : health.status, failingStreak, log }
}

/** `State.Health`, as inspect shows it. */
export function healthView({ status, failingStreak, log }: HealthState): wire.Health {
  return {
    Status: status,
    FailingStreak: failingStreak,
    Log: log.map(({ startNs, endNs, exitCode, output }) => ({
      Start: rfc3339Nano(startNs),
      End: rfc3339Nano(endNs),
      ExitCode: exitCode,
      Output: output,
    })),
  }
}
