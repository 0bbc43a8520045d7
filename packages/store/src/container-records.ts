/** Containers: the definition changes seldom and is big, the state changes at every transition and is small. */
import { type ContainerRecord, type ContainerRecords, type ContainerStatus, conflict } from '@dockerd-ts/core'
import type { Connection } from './database.ts'

interface Row {
  id: string
  name: string
  status: ContainerStatus
  created_at_ns: string
  definition: string
  state: string
}

export function containerRecords(connection: Connection): ContainerRecords {
  const insert = connection.prepare<[string, string, string, string, string, string]>(
    'INSERT INTO containers (id, name, status, created_at_ns, definition, state) VALUES (?, ?, ?, ?, ?, ?)',
  )
  const update = connection.prepare<[string, string, string]>(
    'UPDATE containers SET name = ?, definition = ? WHERE id = ?',
  )
  const updateState = connection.prepare<[string, string, string]>(
    'UPDATE containers SET status = ?, state = ? WHERE id = ?',
  )
  const remove = connection.prepare<[string]>('DELETE FROM containers WHERE id = ?')
  const list = connection.prepare<[], Row>('SELECT * FROM containers ORDER BY created_at_ns, id')
  return {
    insertContainer(record) {
      const { id, name, status, createdAtNs, state } = record
      try {
        insert.run(id, name, status, createdAtNs, definitionOf(record), JSON.stringify(state))
      } catch (error) {
        if (!isConstraint(error)) throw error
        throw conflict(`a container with id ${id} or name ${name} is recorded already`, error)
      }
    },
    updateContainer: (record) => void update.run(record.name, definitionOf(record), record.id),
    updateContainerState: ({ id, status, state }) => void updateState.run(status, JSON.stringify(state), id),
    deleteContainer: (id) => void remove.run(id),
    listContainers: () => list.all().map(toRecord),
  }
}

function definitionOf({
  id: _id,
  name: _name,
  status: _status,
  state: _state,
  ...definition
}: ContainerRecord): string {
  return JSON.stringify(definition)
}

const toRecord = (row: Row): ContainerRecord => ({
  id: row.id,
  name: row.name,
  ...JSON.parse(row.definition),
  createdAtNs: row.created_at_ns,
  status: row.status,
  state: JSON.parse(row.state),
})

const isConstraint = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && String(error.code).startsWith('SQLITE_CONSTRAINT')
