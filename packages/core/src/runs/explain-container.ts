/** The answer to "why did it end": the last runs of a container, each with a sentence. Beyond Docker's API. */
import type * as wire from '@dockerd-ts/api'
import type { Container } from '../containers/container.ts'
import type { ContainerContext } from '../containers/container-context.ts'
import type { ContainerRecord } from '../containers/container-record.ts'
import { wireStatus } from '../containers/container-state.ts'
import type { RemovedRow } from '../ports/records.ts'
import { orRemoved } from '../removed/removed-containers.ts'
import { rfc3339Nano } from '../support/go-time.ts'
import { signalName } from '../support/signals.ts'
import { lastLinesOf } from './last-words.ts'
import type { RunRecord } from './run-record.ts'

export async function explainContainer(
  context: ContainerContext,
  reference: string,
): Promise<wire.ContainerWhyResponse> {
  const { record, path, ended, removedAtNs } = orRemoved(
    () => living(context, context.registry.find(reference)),
    () => kept(context, context.removed.find(reference)),
  )
  const runs = [...(record.state.runs ?? [])].reverse()
  return {
    Id: record.id,
    Name: `/${record.name}`,
    Status: wireStatus(record),
    // A start that failed is no run; its error is the state's.
    Error: record.state.error,
    ...(removedAtNs !== undefined && { RemovedAt: rfc3339Nano(removedAtNs) }),
    Runs: await Promise.all(
      runs.map((run, index) => runView(context, { record, path, ended: ended && index === 0 }, run)),
    ),
  }
}

interface Explained {
  record: ContainerRecord
  /** Of its log. */
  path: string
  /** Its last run is over, so the end of the log is that run's. */
  ended: boolean
  removedAtNs?: string
}

const living = (context: ContainerContext, { id, record, run }: Container): Explained => ({
  ...{ record, path: context.files.logPath(id), ended: run === undefined },
})

const kept = (context: ContainerContext, { id, record, removedAtNs }: RemovedRow): Explained => ({
  ...{ record, path: context.files.keptLogPath(id), ended: true, removedAtNs },
})

async function runView(
  context: ContainerContext,
  { record, path, ended }: Explained,
  run: RunRecord,
): Promise<wire.ContainerRun> {
  return {
    StartedAt: rfc3339Nano(run.startedAtNs),
    FinishedAt: rfc3339Nano(run.finishedAtNs),
    ExitCode: run.exitCode,
    Cause: run.cause,
    ...(run.signal !== undefined && { Signal: signalName(run.signal) }),
    ...(run.oomVictim && { OOMVictim: { Pid: run.oomVictim.pid, Name: run.oomVictim.name } }),
    Explanation: explanation(run, record.hostConfig.Memory ?? 0),
    LastLines: [...(run.lastLines ?? (ended ? await lastLinesOf(context, { record, path }, run) : []))],
  }
}

/** One sentence; `memoryLimitBytes` 0 is none of its own. */
export function explanation(run: RunRecord, memoryLimitBytes: number): string {
  const how = run.signal === undefined ? `exit code ${run.exitCode}` : `killed by ${signalName(run.signal)}`
  switch (run.cause) {
    case 'exited':
      return run.exitCode === 0
        ? 'The process ended by itself, without an error.'
        : `The process ended by itself: ${how}.`
    case 'signalled':
      return `The process was ended by a signal that no client asked for: ${how}.`
    case 'out-of-memory': {
      const limit = memoryLimitBytes > 0 ? ` (limit ${memoryLimitBytes} bytes)` : ''
      const victim = run.oomVictim ? ` The kernel killed ${run.oomVictim.name} (pid ${run.oomVictim.pid}).` : ''
      return `The container ran out of memory${limit}: ${how}.${victim}`
    }
    case 'requested':
      return `A client asked for the end: ${how}.`
    case 'unhealthy':
      return `It was restarted because its health check failed: ${how}.`
    case 'unknown':
      return `The end was not seen: ${run.error ?? 'no reason is known'}.`
  }
}
