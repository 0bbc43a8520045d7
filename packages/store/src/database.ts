/** Opens the engine's database: locked for this daemon alone, in WAL mode, brought up to date by the migrations. */
import { chmodSync, closeSync, existsSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { unavailable } from '@dockerd-ts/core'
import Database from 'better-sqlite3'
import { migrations } from './migrations/migrations.ts'

export type Connection = Database.Database

/** A daemon that is just ending may hold the lock this long. */
const lockTimeoutMs = 1_000

/**
 * Throws unavailable when another daemon has the database, or when a newer version of the engine has written it.
 * `path` may be `:memory:`.
 */
export function openDatabase(path: string): Connection {
  if (path !== ':memory:') makePrivate(path)
  const connection = new Database(path, { timeout: lockTimeoutMs })
  try {
    // Set before WAL is first used: the index of the log then lives in our memory, and the lock is kept till the end.
    connection.pragma('locking_mode = EXCLUSIVE')
    connection.pragma('journal_mode = WAL')
    // A killed daemon loses nothing; after a power cut the last moments may be missing, which reconcile expects.
    connection.pragma('synchronous = NORMAL')
    connection.pragma('foreign_keys = ON')
    // Takes the lock now rather than at the first write.
    connection.exec('BEGIN EXCLUSIVE; COMMIT')
    migrate(connection, path)
    return connection
  } catch (error) {
    connection.close()
    if (isBusy(error)) throw unavailable(`another daemon is using ${path}`, error)
    throw error
  }
}

/** Records hold environments, which hold secrets. SQLite gives its log the mode of the database. */
function makePrivate(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o710 })
  closeSync(openSync(path, 'a', 0o600))
  for (const file of [path, `${path}-wal`, `${path}-shm`, `${path}-journal`])
    if (existsSync(file)) chmodSync(file, 0o600)
}

function isBusy(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED')
}

/** Each step in a transaction of its own, with its number: a crash between two leaves a whole older version. */
export function migrate(connection: Connection, path: string, steps: readonly string[] = migrations): void {
  const version = Number(connection.pragma('user_version', { simple: true }))
  if (version > steps.length) {
    throw unavailable(`${path} was written by a newer version (schema ${version}, this one knows ${steps.length})`)
  }
  steps.slice(version).forEach((step, index) => {
    connection.transaction(() => {
      connection.exec(step)
      connection.pragma(`user_version = ${version + index + 1}`)
    })()
  })
}
