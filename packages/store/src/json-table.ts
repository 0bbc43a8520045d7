/** A table of a key and a JSON document, with its statements prepared once. */
import type { Connection } from './database.ts'

export interface JsonTable<Row> {
  put(key: string, row: Row): void
  get(key: string): Row | undefined
  /** By key, in byte order. */
  list(): Row[]
  delete(key: string): void
}

/** `table` and `key` are names in our own schema, never input. */
export function jsonTable<Row>(connection: Connection, table: string, key: string): JsonTable<Row> {
  const put = connection.prepare<[string, string]>(
    `INSERT INTO ${table} (${key}, record) VALUES (?, ?) ON CONFLICT (${key}) DO UPDATE SET record = excluded.record`,
  )
  const get = connection.prepare<[string], string>(`SELECT record FROM ${table} WHERE ${key} = ?`).pluck()
  const list = connection.prepare<[], string>(`SELECT record FROM ${table} ORDER BY ${key}`).pluck()
  const remove = connection.prepare<[string]>(`DELETE FROM ${table} WHERE ${key} = ?`)
  const parse = (text: string): Row => JSON.parse(text)
  return {
    put: (value, row) => void put.run(value, JSON.stringify(row)),
    get: (value) => {
      const text = get.get(value)
      return text === undefined ? undefined : parse(text)
    },
    list: () => list.all().map(parse),
    delete: (value) => void remove.run(value),
  }
}
