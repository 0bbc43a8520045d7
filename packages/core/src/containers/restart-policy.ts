/** Whether and when a container that ended is started again. Pure; the timer is the caller's. */
import type * as wire from '@dockerd-ts/api'

/** Docker's restart manager: 100 ms doubling to one minute, back to the start after a run of ten seconds. */
const firstDelayMs = 100
const maximumDelayMs = 60_000
const goodRunNs = 10_000_000_000n

export interface EndOfRun {
  policy: wire.RestartPolicy | undefined
  exitCode: number
  /** `docker stop` or `kill` ended it: no restart now, whatever the policy. */
  manuallyStopped: boolean
  runDurationNs: bigint
  /** Restarts so far since the last manual start. */
  restartCount: number
  /** 0 before the first one. */
  previousDelayMs: number
}

/** undefined: it stays down. */
export function restartDelayMs(end: EndOfRun): number | undefined {
  if (end.manuallyStopped || !wantsRestart(end)) return undefined
  const previousMs = end.runDurationNs >= goodRunNs ? 0 : end.previousDelayMs
  return previousMs === 0 ? firstDelayMs : Math.min(previousMs * 2, maximumDelayMs)
}

function wantsRestart({ policy, exitCode, restartCount }: EndOfRun): boolean {
  switch (policy?.Name) {
    case 'always':
    case 'unless-stopped':
      return true
    case 'on-failure': {
      const maximum = policy.MaximumRetryCount ?? 0
      return exitCode !== 0 && (maximum === 0 || restartCount < maximum)
    }
    default:
      return false
  }
}

export interface BootState {
  policy: wire.RestartPolicy | undefined
  /** Never-started containers are left alone. */
  hasRun: boolean
  manuallyStopped: boolean
  exitCode: number
  restartCount: number
}

/** At the daemon's start: `always` also after a manual stop, `unless-stopped` not, `on-failure` after a failure only. */
export function restartsAtBoot({ policy, hasRun, manuallyStopped, exitCode, restartCount }: BootState): boolean {
  if (!hasRun) return false
  switch (policy?.Name) {
    case 'always':
      return true
    case 'unless-stopped':
      return !manuallyStopped
    case 'on-failure': {
      const maximum = policy.MaximumRetryCount ?? 0
      return !manuallyStopped && exitCode !== 0 && (maximum === 0 || restartCount < maximum)
    }
    default:
      return false
  }
}
