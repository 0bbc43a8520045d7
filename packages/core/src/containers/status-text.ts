/** The `STATUS` column of `docker ps`. Pure. */
import { humanDuration } from '../support/go-time.ts'
import type { ContainerRecord } from './container-record.ts'
import { wireStatus } from './container-state.ts'

export function statusText(record: Pick<ContainerRecord, 'status' | 'state'>, nowNs: bigint): string {
  const { state, status } = record
  const since = (timeNs: string) => humanDuration(nowNs - BigInt(timeNs || String(nowNs)))
  switch (wireStatus(record)) {
    case 'restarting':
      return `Restarting (${state.exitCode}) ${since(state.finishedAtNs)} ago`
    case 'paused':
      return `Up ${since(state.startedAtNs)} (Paused)`
    case 'running':
      return `Up ${since(state.startedAtNs)}${healthText(state)}`
    case 'removing':
      return 'Removal In Progress'
    case 'dead':
      return 'Dead'
    case 'created':
      return 'Created'
    case 'exited':
      // Started again right now: what is shown is still the last end.
      return status === 'starting' && state.finishedAtNs === ''
        ? 'Created'
        : `Exited (${state.exitCode}) ${since(state.finishedAtNs)} ago`
  }
}

function healthText({ health }: ContainerRecord['state']): string {
  if (health === undefined) return ''
  return health.status === 'starting' ? ' (health: starting)' : ` (${health.status})`
}
