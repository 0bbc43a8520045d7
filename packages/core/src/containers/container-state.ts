/** The one table of a container's statuses: which may follow which, and what clients are told of each. */
import type * as wire from '@dockerd-ts/api'
import { internal } from '../errors/engine-error.ts'
import type { ContainerRecord, ContainerStatus } from './container-record.ts'

const transitions: Readonly<Record<ContainerStatus, readonly ContainerStatus[]>> = {
  creating: ['created', 'removing'],
  created: ['starting', 'removing'],
  // Back to created or exited: the start failed.
  starting: ['running', 'created', 'exited', 'restarting', 'removing'],
  running: ['paused', 'stopping', 'restarting', 'exited'],
  paused: ['running', 'stopping', 'restarting', 'exited'],
  // Back to running: the process did not end and the client gave up, or another daemon adopted it.
  stopping: ['running', 'paused', 'restarting', 'exited'],
  restarting: ['starting', 'exited', 'removing'],
  exited: ['starting', 'removing'],
  removing: ['dead'],
  dead: ['removing'],
}

/** Throws internal for a transition that the table does not know: a fault of the engine, not of the client. */
export function checkTransition(from: ContainerStatus, to: ContainerStatus): void {
  if (!transitions[from].includes(to)) throw internal(`container status can't go from ${from} to ${to}`)
}

export const mayFollow = (from: ContainerStatus): readonly ContainerStatus[] => transitions[from]

/** A process of the container exists (Docker's Running without the restarting case). */
export const hasProcess = (status: ContainerStatus): boolean =>
  status === 'running' || status === 'paused' || status === 'stopping'

/** Docker's State.Running: true while restarting too. */
export const isRunning = (status: ContainerStatus): boolean => hasProcess(status) || status === 'restarting'

type Booleans = Pick<wire.ContainerState, 'Status' | 'Running' | 'Paused' | 'Restarting' | 'Dead'>

/** Status and booleans as inspect shows them. */
export function wireState(record: ContainerRecord): Booleans {
  const { status } = record
  return {
    Status: wireStatus(record),
    Running: isRunning(status),
    Paused: status === 'paused',
    Restarting: status === 'restarting',
    Dead: status === 'dead',
  }
}

/** The transitional statuses are the engine's own; a client sees what was before, or is still true. */
export function wireStatus({ status, state }: Pick<ContainerRecord, 'status' | 'state'>): wire.ContainerStatusName {
  switch (status) {
    case 'running':
    case 'stopping':
      return 'running'
    case 'creating':
    case 'created':
    case 'starting':
      return state.startedAtNs === '' ? 'created' : 'exited'
    default:
      return status
  }
}
