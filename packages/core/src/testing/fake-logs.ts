/** Logs in memory. */
import type { LogQuery, LogRecord, Logs } from '../ports/storage.ts'
import { frame } from '../support/frames.ts'
import { rfc3339FixedNano } from '../support/go-time.ts'
import type { FakeHostState } from './fake-host-state.ts'

export function fakeLogs(state: FakeHostState): Logs {
  const logs: Logs = {
    read: (query) => readLog(state, query),
    async *chunks(query, { multiplexed, timestamps }) {
      for await (const { stream, timeNs, line } of logs.read(query)) {
        const text = timestamps ? Buffer.concat([Buffer.from(`${rfc3339FixedNano(timeNs)} `), line]) : line
        yield multiplexed ? frame(stream, text) : text
      }
    },
    async *undelivered({ path, ended, signal }) {
      const query = { path, stdout: true, stderr: true, follow: true, ended, signal }
      let at = 0
      for await (const record of logs.read(query)) {
        at += 1
        const end = at
        if (end <= (state.deliveredRecords.get(path) ?? 0)) continue
        yield { records: [record], delivered: async () => void state.deliveredRecords.set(path, end) }
      }
    },
    remove: async (path) => void state.logs.delete(path),
  }
  return logs
}

async function* readLog(state: FakeHostState, query: LogQuery): AsyncGenerator<LogRecord> {
  const { path, stdout, stderr, sinceNs, untilNs, tail, follow, ended, signal } = query
  const wanted = (record: LogRecord) =>
    ((record.stream === 'stdout' && stdout) || (record.stream === 'stderr' && stderr)) &&
    (sinceNs === undefined || record.timeNs >= sinceNs) &&
    (untilNs === undefined || record.timeNs <= untilNs)
  const all = (state.logs.get(path) ?? []).filter(wanted)
  yield* tail === undefined ? all : all.slice(Math.max(0, all.length - tail))
  let seen = all.length
  while (follow && !signal?.aborted) {
    const last = ended?.aborted ?? true
    const now = (state.logs.get(path) ?? []).filter(wanted)
    yield* now.slice(seen)
    seen = now.length
    if (last) return
    await new Promise((resolve) => setImmediate(resolve))
  }
}
