/** What is looked up after an abnormal end and kept with the run: the last output, and the victim of the kernel. */
import type { Container } from '../containers/container.ts'
import { type ContainerContext, saveState } from '../containers/container-context.ts'
import type { ContainerRecord } from '../containers/container-record.ts'
import { checkReadable } from '../logs/log-config.ts'
import { isAbnormal, type RunRecord } from './run-record.ts'

const lineCount = 10
const lineLimitBytes = 512

/** A container that is about to be removed by itself is not asked unless it is kept: nobody could ask for the answer. */
export async function keepLastWords(context: ContainerContext, container: Container): Promise<void> {
  const { record } = container
  const run = record.state.runs?.at(-1)
  if (run === undefined || !isAbnormal(run) || (record.hostConfig.AutoRemove && !context.removed.isOn)) return
  const [lastLines, oomVictim] = await Promise.all([
    lastLinesOf(context, { record, path: context.files.logPath(record.id) }, run),
    run.cause === 'out-of-memory' ? context.host.oomVictim(record.id) : undefined,
  ])
  const kept: RunRecord = { ...run, lastLines, ...(oomVictim && { oomVictim }) }
  // Meanwhile it may have been started, and even have ended, again.
  const runs = record.state.runs?.map((each) => (each === run ? kept : each)) ?? []
  saveState(context, container, { state: { runs } })
}

export async function lastLinesOf(
  context: ContainerContext,
  { record, path }: { record: ContainerRecord; path: string },
  run: RunRecord,
): Promise<string[]> {
  try {
    checkReadable(record.hostConfig.LogConfig)
  } catch {
    return []
  }
  const lines: string[] = []
  const query = { path, stdout: true, stderr: true, follow: false, tail: lineCount }
  for await (const { line, timeNs } of context.logs.read({ ...query, sinceNs: BigInt(run.startedAtNs || 0) })) {
    if (timeNs <= BigInt(run.finishedAtNs) + afterEndNs) lines.push(text(line))
  }
  return lines
}

/** Output that was in the pipe when the process ended is stamped when it is read. */
const afterEndNs = 2_000_000_000n

function text(line: Buffer): string {
  const cut = line.length > lineLimitBytes ? `${line.subarray(0, lineLimitBytes)}...` : line.toString()
  return cut.replace(/\r?\n$/, '')
}
