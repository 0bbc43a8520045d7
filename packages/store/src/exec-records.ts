/** Execs that were started, so that a new daemon goes on with those that run. */
import type { ExecRecord, ExecRecords } from '@dockerd-ts/core'
import type { Connection } from './database.ts'

export function execRecords(connection: Connection): ExecRecords {
  const put = connection.prepare<[string, string, string]>(
    'INSERT INTO execs (id, container_id, record) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET record = excluded.record',
  )
  const remove = connection.prepare<[string]>('DELETE FROM execs WHERE id = ?')
  const removeOf = connection.prepare<[string]>('DELETE FROM execs WHERE container_id = ?')
  const list = connection.prepare<[], string>('SELECT record FROM execs ORDER BY id').pluck()
  return {
    putExec: (record) => void put.run(record.id, record.containerId, JSON.stringify(record)),
    deleteExec: (id) => void remove.run(id),
    deleteExecsOf: (containerId) => void removeOf.run(containerId),
    listExecs: () => list.all().map((text): ExecRecord => JSON.parse(text)),
  }
}
