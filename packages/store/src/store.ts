/** The engine's whole state in one SQLite file: every port of records, over one connection. */
import type { EngineValues, ImageRecords, NetworkRecords, Records, VolumeRecords } from '@dockerd-ts/core'
import { containerRecords } from './container-records.ts'
import { type Connection, openDatabase } from './database.ts'
import { type EventBounds, eventRecords } from './event-records.ts'
import { execRecords } from './exec-records.ts'
import { imageRecords } from './image-records.ts'
import { networkRecords } from './network-records.ts'
import { removedRecords } from './removed-records.ts'
import { volumeRecords } from './volume-records.ts'

export interface Store extends Records, ImageRecords, NetworkRecords, VolumeRecords {
  /** Folds the write-ahead log into the database and lets go of the lock. */
  close(): void
}

const defaultBounds: EventBounds = { maximumCount: 20_000, maximumBytes: 16 * 1024 * 1024 }

/** Throws unavailable `another daemon is using <path>`, or when a newer engine has written the database. */
export function openStore(path: string, bounds: Partial<EventBounds> = {}): Store {
  const connection = openDatabase(path)
  return {
    ...containerRecords(connection),
    ...removedRecords(connection),
    ...execRecords(connection),
    ...eventRecords(connection, { ...defaultBounds, ...bounds }),
    ...engineValues(connection),
    ...imageRecords(connection),
    ...networkRecords(connection),
    ...volumeRecords(connection),
    transaction: transactions(connection),
    close: () => void connection.close(),
  }
}

/** One commit for all writes of `work`; an inner call becomes a savepoint of the outer one. */
function transactions(connection: Connection): Records['transaction'] {
  const run = connection.transaction((work: () => unknown) => {
    const result = work()
    // The type forbids it; a cast might not.
    if (result instanceof Promise) throw new TypeError('a transaction cannot wait for a promise')
    return result
  })
  return <T>(work: () => T) => run(work) as T
}

function engineValues(connection: Connection): EngineValues {
  const get = connection.prepare<[string], string>('SELECT value FROM engine_values WHERE key = ?').pluck()
  const set = connection.prepare<[string, string]>(
    'INSERT INTO engine_values (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
  )
  return { getValue: (key) => get.get(key), setValue: (key, value) => void set.run(key, value) }
}
