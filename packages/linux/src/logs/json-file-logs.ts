/** Reads logs in Docker's json-file format, which the monitor writes. */
import type { LogBatch, LogFormat, LogQuery, LogRecord, Logs } from '@dockerd-ts/core'
import { JsonLineReader } from './json-line.ts'
import { logBlocks } from './log-blocks.ts'
import { LogChunkWriter } from './log-chunk-writer.ts'
import { removeLogFiles } from './log-files.ts'
import { recordOf, undeliveredRecords } from './undelivered-records.ts'

export class JsonFileLogs implements Logs {
  async *read(query: LogQuery): AsyncGenerator<LogRecord> {
    const reader = new JsonLineReader()
    const filter = new RecordFilter(query)
    for await (const block of logBlocks(untilNow(query))) {
      for (let at = 0; at < block.length; ) {
        const { next, found } = reader.read(block, at)
        at = next
        if (!found) continue
        const verdict = filter.judge(reader)
        if (verdict === 'end') return
        if (verdict === 'take') yield recordOf(reader)
      }
    }
  }

  async *chunks(query: LogQuery, format: LogFormat): AsyncGenerator<Buffer> {
    const reader = new JsonLineReader()
    const filter = new RecordFilter(query)
    const writer = new LogChunkWriter(format)
    for await (const block of logBlocks(untilNow(query))) {
      const ended = convert(block, { reader, filter, writer })
      yield* writer.take()
      if (ended) return
    }
  }

  undelivered(query: { path: string; ended: AbortSignal; signal: AbortSignal }): AsyncGenerator<LogBatch> {
    return undeliveredRecords(query)
  }

  async remove(path: string): Promise<void> {
    await removeLogFiles(path)
  }
}

const longestTimerMs = 2 ** 31 - 1

/** Following ends when the clock passes `until`, not only when a later record comes. */
function untilNow(query: LogQuery): LogQuery {
  if (!query.follow || query.untilNs === undefined) return query
  const leftMs = Number(query.untilNs / 1_000_000n) - Date.now()
  const passed = AbortSignal.timeout(Math.min(Math.max(leftMs, 0), longestTimerMs))
  return { ...query, ended: query.ended ? AbortSignal.any([query.ended, passed]) : passed }
}

interface Conversion {
  reader: JsonLineReader
  filter: RecordFilter
  writer: LogChunkWriter
}

/** True: no further record is wanted. */
function convert(block: Buffer, { reader, filter, writer }: Conversion): boolean {
  for (let at = 0; at < block.length; ) {
    const { next, found } = reader.read(block, at)
    at = next
    if (!found) continue
    const verdict = filter.judge(reader)
    if (verdict === 'end') return true
    if (verdict === 'take') writer.add(reader)
  }
  return false
}

type Verdict = 'take' | 'skip' | 'end'

class RecordFilter {
  readonly #query: LogQuery

  constructor(query: LogQuery) {
    this.#query = query
  }

  judge(reader: JsonLineReader): Verdict {
    const { sinceNs, untilNs, stdout, stderr } = this.#query
    if (sinceNs !== undefined || untilNs !== undefined) {
      const timeNs = reader.timeNs
      if (untilNs !== undefined && timeNs > untilNs) return 'end'
      if (sinceNs !== undefined && timeNs < sinceNs) return 'skip'
    }
    return (reader.isStdout ? stdout : stderr) ? 'take' : 'skip'
  }
}
