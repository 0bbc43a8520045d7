import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { StoredEvent } from '@dockerd-ts/core'
import {
  imageRecordsContract,
  networkRecordsContract,
  recordsContract,
  volumeRecordsContract,
} from '@dockerd-ts/core/testing'
import Database from 'better-sqlite3'
import t from 'tap'
import { migrate, openDatabase } from './database.ts'
import { migrations } from './migrations/migrations.ts'
import { openStore } from './store.ts'

const directory = mkdtempSync(join(tmpdir(), 'store-test-'))
t.teardown(() => rmSync(directory, { recursive: true }))
let files = 0
const newPath = () => join(directory, `${++files}`, 'engine.db')

const test = (name: string, body: Parameters<Parameters<typeof recordsContract>[0]>[1]) => t.test(name, body)
const make = () => openStore(':memory:')
recordsContract(test, make)
imageRecordsContract(test, make)
networkRecordsContract(test, make)
volumeRecordsContract(test, make)

const event = (sequence: number): StoredEvent => ({
  sequence,
  timeNs: BigInt(sequence),
  type: 'container',
  action: 'start',
  actorId: 'a',
  attributes: { filling: 'x'.repeat(100) },
})

t.test('what was committed is there after the daemon is killed', async (t) => {
  const path = newPath()
  const script = `
    import { openStore } from ${JSON.stringify(new URL('./store.ts', import.meta.url).href)}
    const store = openStore(${JSON.stringify(path)})
    store.setValue('engine-id', 'kept')
    process.kill(process.pid, 'SIGKILL')
  `
  const { signal } = spawnSync(process.execPath, ['--input-type=module', '-e', script])
  t.equal(signal, 'SIGKILL')
  const store = openStore(path)
  t.equal(store.getValue('engine-id'), 'kept', 'and the lock of the dead is no hindrance')
  store.close()
})

t.test('nobody but its owner reads the database, whoever made it', async (t) => {
  const modes = (path: string) =>
    readdirSync(dirname(path)).map(
      (name) => `${name} ${(statSync(join(dirname(path), name)).mode & 0o777).toString(8)}`,
    )
  const before = process.umask(0)
  t.teardown(() => process.umask(before))
  const path = newPath()
  const store = openStore(path)
  store.setValue('secret', 'kept')
  t.same(modes(path).sort(), ['engine.db 600', 'engine.db-wal 600'])
  store.close()
  chmodSync(path, 0o644)
  const again = openStore(path)
  again.setValue('secret', 'kept still')
  t.same(modes(path).sort(), ['engine.db 600', 'engine.db-wal 600'])
  again.close()
})

t.test('a second daemon on the same root is refused', async (t) => {
  const path = newPath()
  const first = openStore(path)
  t.throws(() => openStore(path), { kind: 'unavailable', message: `another daemon is using ${path}` })
  first.setValue('a', 'b')
  first.close()
  const second = openStore(path)
  t.equal(second.getValue('a'), 'b')
  second.close()
})

t.test('the database is in WAL mode, and every table is strict', async (t) => {
  const connection = openDatabase(newPath())
  t.equal(connection.pragma('journal_mode', { simple: true }), 'wal')
  t.equal(connection.pragma('synchronous', { simple: true }), 1, 'NORMAL')
  const lax = connection.prepare("SELECT name FROM pragma_table_list WHERE schema = 'main' AND strict = 0").pluck()
  t.strictSame(
    lax.all().filter((name) => !String(name).startsWith('sqlite_')),
    [],
  )
  connection.close()
})

t.test('migrations', async (t) => {
  t.test('every older version becomes the newest, with what it holds', async (t) => {
    for (let version = 1; version <= migrations.length; version++) {
      const connection = new Database(':memory:')
      migrate(connection, 'x', migrations.slice(0, version))
      connection.prepare("INSERT INTO engine_values VALUES ('from', ?)").run(String(version))
      migrate(connection, 'x')
      t.equal(connection.pragma('user_version', { simple: true }), migrations.length)
      t.equal(connection.prepare('SELECT value FROM engine_values').pluck().get(), String(version))
    }
  })
  t.test('a step that fails leaves the older version whole', async (t) => {
    const connection = new Database(':memory:')
    const steps = ['CREATE TABLE one (x TEXT) STRICT', 'CREATE TABLE two (x TEXT) STRICT; nonsense']
    t.throws(() => migrate(connection, 'x', steps))
    t.equal(connection.pragma('user_version', { simple: true }), 1)
    const tables = connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").pluck().all()
    t.strictSame(tables, ['one'])
  })
  t.test('a database of a newer engine is refused', async (t) => {
    const path = newPath()
    const connection = openDatabase(path)
    connection.pragma(`user_version = ${migrations.length + 1}`)
    connection.close()
    t.throws(() => openStore(path), { kind: 'unavailable', message: /was written by a newer version/ })
  })
})

t.test('events are bounded in number; the newest stay', async (t) => {
  const store = openStore(':memory:', { maximumCount: 20, maximumBytes: 1_000_000 })
  for (let sequence = 1; sequence <= 50; sequence++) store.appendEvents([event(sequence)])
  t.ok(store.countEvents() <= 20)
  t.ok(store.countEvents() >= 18)
  t.equal(store.lastEventSequence(), 50)
  const kept = store.readEvents({ limit: 100 }).map(({ sequence }) => sequence)
  t.strictSame(
    kept,
    Array.from({ length: kept.length }, (_, index) => 51 - kept.length + index),
  )
})

t.test('events are bounded in size; one that is bigger than the bound stays alone', async (t) => {
  const store = openStore(':memory:', { maximumCount: 1000, maximumBytes: 2000 })
  for (let sequence = 1; sequence <= 50; sequence++) store.appendEvents([event(sequence)])
  t.ok(store.countEvents() <= 12)
  store.appendEvents([{ ...event(51), attributes: { huge: 'x'.repeat(5000) } }])
  t.strictSame(
    store.readEvents({ limit: 100 }).map(({ sequence }) => sequence),
    [51],
  )
})

t.test('a transaction that would wait is refused and undone', async (t) => {
  const store = openStore(':memory:')
  t.throws(
    () =>
      store.transaction((() => {
        store.setValue('a', 'b')
        return Promise.resolve()
      }) as () => never),
    { message: 'a transaction cannot wait for a promise' },
  )
  t.equal(store.getValue('a'), undefined)
})
