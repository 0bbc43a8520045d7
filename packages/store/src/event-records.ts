/** Events with their sequence, bounded in number and size: the oldest go first. */
import type { EventRecords, StoredEvent } from '@dockerd-ts/core'
import type { Connection } from './database.ts'

export interface EventBounds {
  maximumCount: number
  maximumBytes: number
}

interface Row {
  sequence: bigint
  time_ns: bigint
  type: string
  action: string
  actor_id: string
  attributes: string
}

export function eventRecords(connection: Connection, bounds: EventBounds): EventRecords {
  const insert = connection.prepare<[number, bigint, string, string, string, string, number]>(
    `INSERT INTO events (sequence, time_ns, type, action, actor_id, attributes, size_bytes)
     VALUES (?, ?, ?, ?, ?, ?, ?)`,
  )
  const read = connection
    .prepare<[number, bigint, bigint, number], Row>(
      `SELECT sequence, time_ns, type, action, actor_id, attributes FROM events
       WHERE sequence > ? AND time_ns >= ? AND time_ns <= ? ORDER BY sequence LIMIT ?`,
    )
    .safeIntegers()
  const last = connection.prepare<[], number | null>('SELECT max(sequence) FROM events').pluck()
  const totals = connection.prepare<[], { count: number; bytes: number | null }>(
    'SELECT count(*) AS count, sum(size_bytes) AS bytes FROM events',
  )
  const trim = trimmer(connection, bounds)
  // Kept in memory: counting the table at every event would read all of it.
  const size = { count: 0, bytes: 0 }
  const recount = () => {
    const { count, bytes } = totals.get() ?? { count: 0, bytes: 0 }
    size.count = count
    size.bytes = bytes ?? 0
  }
  recount()
  const append = connection.transaction((events: readonly StoredEvent[]) => {
    for (const event of events) {
      const attributes = JSON.stringify(event.attributes)
      const sizeBytes = attributes.length + event.actorId.length + event.action.length + fixedBytes
      insert.run(event.sequence, event.timeNs, event.type, event.action, event.actorId, attributes, sizeBytes)
      size.count += 1
      size.bytes += sizeBytes
    }
    if (size.count <= bounds.maximumCount && size.bytes <= bounds.maximumBytes) return
    trim()
    recount()
  })
  return {
    appendEvents: (events) => append(events),
    lastEventSequence: () => last.get() ?? 0,
    readEvents: ({ sinceNs = 0n, untilNs = maximumTimeNs, afterSequence = 0, limit }) =>
      read.all(afterSequence, clamp(sinceNs), clamp(untilNs), limit).map(toEvent),
    countEvents: () => totals.get()?.count ?? 0,
  }
}

/** Numbers of a row: sequence, time, lengths. */
const fixedBytes = 48
const maximumTimeNs = 2n ** 63n - 1n
const clamp = (timeNs: bigint): bigint => (timeNs > maximumTimeNs ? maximumTimeNs : timeNs < 0n ? 0n : timeNs)

/** Drops a tenth more than needed, so that not every event at the limit pays for it; the newest always stays. */
function trimmer(connection: Connection, bounds: EventBounds): () => void {
  const remove = connection.prepare<[number, number]>(
    `DELETE FROM events WHERE sequence <= (
       SELECT max(sequence) FROM (
         SELECT sequence,
                row_number() OVER newest AS number,
                sum(size_bytes) OVER newest AS bytes
         FROM events WINDOW newest AS (ORDER BY sequence DESC)
       ) WHERE number > 1 AND (number > ? OR bytes > ?)
     )`,
  )
  return () => void remove.run(Math.ceil(bounds.maximumCount * 0.9), Math.ceil(bounds.maximumBytes * 0.9))
}

const toEvent = (row: Row): StoredEvent => ({
  sequence: Number(row.sequence),
  timeNs: row.time_ns,
  type: row.type,
  action: row.action,
  actorId: row.actor_id,
  attributes: JSON.parse(row.attributes),
})
