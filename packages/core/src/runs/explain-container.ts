/** The answer to "why did it end": the last runs of a container, each with a sentence. Beyond Docker's API. */
import type * as wire from '@dockerd-ts/api'
import type { Container } from '../containers/container.ts'
import type { ContainerContext } from '../containers/container-context.ts'
import { wireStatus } from '../containers/container-state.ts'
import { rfc3339Nano } from '../support/go-time.ts'
import { signalName } from '../support/signals.ts'
import { lastLinesOf } from './last-words.ts'
import type { RunRecord } from './run-record.ts'

export async function explainContainer(
  context: ContainerContext,
  reference: string,
): Promise<wire.ContainerWhyResponse> {
  const container = context.registry.find(reference)
  const { record } = container
  const runs = [...(record.state.runs ?? [])].reverse()
  return {
    Id: record.id,
    Name: `/${record.name}`,
    Status: wireStatus(record),
    // A start that failed is no run; its error is the state's.
    Error: record.state.error,
    Runs: await Promise.all(runs.map((run, index) => runView(context, container, { run, newest: index === 0 }))),
  }
}

async function runView(
  context: ContainerContext,
  container: Container,
  { run, newest }: { run: RunRecord; newest: boolean },
): Promise<wire.ContainerRun> {
  const ended = newest && container.run === undefined
  return {
    StartedAt: rfc3339Nano(run.startedAtNs),
    FinishedAt: rfc3339Nano(run.finishedAtNs),
    ExitCode: run.exitCode,
    Cause: run.cause,
    ...(run.signal !== undefined && { Signal: signalName(run.signal) }),
    ...(run.oomVictim && { OOMVictim: { Pid: run.oomVictim.pid, Name: run.oomVictim.name } }),
    Explanation: explanation(run, container.record.hostConfig.Memory ?? 0),
    LastLines: [...(run.lastLines ?? (ended ? await lastLinesOf(context, container, run) : []))],
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
