/** Why a run of a container ended: kept for the last runs, beyond what Docker keeps. Pure. */
import type { ProcessExit } from '../ports/monitor.ts'

export type EndCause =
  | 'exited'
  | 'signalled'
  | 'out-of-memory'
  /** A client's stop, restart, kill or forced removal. */
  | 'requested'
  /** Restarted because its health check failed. */
  | 'unhealthy'
  /** The end was not seen. */
  | 'unknown'

export interface RunRecord {
  /** Unix nanoseconds as decimal digits. */
  startedAtNs: string
  finishedAtNs: string
  exitCode: number
  signal?: number
  cause: EndCause
  error?: string
  /** The process that the kernel chose, where its log tells. */
  oomVictim?: { pid: number; name: string }
  /** Of output, oldest first; for runs that ended by themselves and not well. */
  lastLines?: readonly string[]
}

const keptRuns = 5

/** Of a container's state, as its run ends. */
interface EndingRun {
  startedAtNs: string
  /** The user asked for the end. */
  manuallyStopped: boolean
  /** Those before, oldest first. */
  runs?: readonly RunRecord[]
}

/** The runs with the one that has just ended, oldest first. */
export function withEndedRun(state: EndingRun, exit: ProcessExit, unhealthy: boolean): RunRecord[] {
  const run: RunRecord = {
    startedAtNs: state.startedAtNs,
    finishedAtNs: exit.finishedAtNs,
    exitCode: exit.exitCode,
    ...(exit.signal !== undefined && { signal: exit.signal }),
    cause: causeOf(exit, { requested: state.manuallyStopped, unhealthy }),
    ...(exit.startError !== undefined && { error: exit.startError }),
  }
  return [...(state.runs ?? []), run].slice(-keptRuns)
}

function causeOf(exit: ProcessExit, { requested, unhealthy }: { requested: boolean; unhealthy: boolean }): EndCause {
  if (exit.startError !== undefined) return 'unknown'
  if (unhealthy) return 'unhealthy'
  // A stop that was asked for may meet a process that the kernel has just killed; what ended it comes first.
  if (exit.oomKilled && exit.exitCode !== 0) return 'out-of-memory'
  if (requested) return 'requested'
  return exit.signal === undefined ? 'exited' : 'signalled'
}

/** Ended by itself, and not well: worth a look at its last words. */
export const isAbnormal = ({ cause, exitCode }: RunRecord): boolean =>
  cause === 'out-of-memory' || cause === 'signalled' || (cause === 'exited' && exitCode !== 0)
