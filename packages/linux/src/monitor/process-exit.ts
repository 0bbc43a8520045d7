/** Reads what the monitor says about the end of its process: exit.json, and the same text over the control connection. */
import type { ProcessExit } from '@dockerd-ts/core'
import { lastRuntimeError } from './runtime-log.ts'

/** Throws SyntaxError for what no monitor writes. */
export function parseProcessExit(json: string): ProcessExit {
  const value = JSON.parse(json) as Record<string, unknown>
  const { exitCode, finishedAtNs, oomKilled, signal, startedAtNs, pid, runtimeLog } = value
  if (typeof exitCode !== 'number' || typeof finishedAtNs !== 'string') throw new SyntaxError('malformed exit record')
  return {
    exitCode,
    finishedAtNs,
    oomKilled: oomKilled === true,
    ...(typeof signal === 'number' && { signal }),
    ...(typeof startedAtNs === 'string' && { startedAtNs }),
    ...(typeof pid === 'number' && { pid }),
    ...(typeof runtimeLog === 'string' && { startError: lastRuntimeError(runtimeLog) }),
  }
}
