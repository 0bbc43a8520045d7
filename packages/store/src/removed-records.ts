/** What is kept of containers that were removed. */
import type { RemovedRecords } from '@dockerd-ts/core'
import type { Connection } from './database.ts'

interface EntryRow {
  id: string
  name: string
  /** As text: nanoseconds are more than a number holds. */
  removedAtNs: string
  logBytes: number
  recordBytes: number
}

const entryColumns =
  'id, name, CAST(removed_at_ns AS TEXT) AS removedAtNs, log_bytes AS logBytes, record_bytes AS recordBytes'

export function removedRecords(connection: Connection): RemovedRecords {
  const put = connection.prepare<[string, string, bigint, number, number, string]>(
    `INSERT OR REPLACE INTO removed_containers (id, name, removed_at_ns, log_bytes, record_bytes, record)
     VALUES (?, ?, ?, ?, ?, ?)`,
  )
  const setLogBytes = connection.prepare<[number, string]>('UPDATE removed_containers SET log_bytes = ? WHERE id = ?')
  const remove = connection.prepare<[string]>('DELETE FROM removed_containers WHERE id = ?')
  const get = connection.prepare<[string], EntryRow & { record: string }>(
    `SELECT ${entryColumns}, record FROM removed_containers WHERE id = ?`,
  )
  const list = connection.prepare<[], EntryRow>(
    `SELECT ${entryColumns} FROM removed_containers ORDER BY removed_at_ns, id`,
  )
  return {
    putRemoved({ id, name, removedAtNs, logBytes, recordBytes, record }) {
      put.run(id, name, BigInt(removedAtNs), logBytes, recordBytes, JSON.stringify(record))
    },
    setRemovedLogBytes: (id, logBytes) => void setLogBytes.run(logBytes, id),
    deleteRemoved: (id) => void remove.run(id),
    getRemoved(id) {
      const row = get.get(id)
      return row === undefined ? undefined : { ...row, record: JSON.parse(row.record) }
    },
    listRemoved: () => list.all(),
  }
}
