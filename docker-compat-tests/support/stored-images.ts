/** The image tables of a daemon that does not run (it holds its database alone), against the files below its data root. */
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { names } from './agreement.ts'

/** What does not agree, in words: should be []. */
export function storedImageProblems(directory: string): string[] {
  const copy = mkdtempSync(join(tmpdir(), 'dts-rows-'))
  try {
    for (const name of ['dockerd.db', 'dockerd.db-wal']) {
      if (existsSync(`${directory}/data/${name}`)) cpSync(`${directory}/data/${name}`, join(copy, name))
    }
    const database = new DatabaseSync(join(copy, 'dockerd.db'))
    const records = (table: string) =>
      database
        .prepare(`SELECT record FROM ${table}`)
        .all()
        .map(({ record }) => JSON.parse(String(record)) as Record<string, unknown>)
    const compare = (what: string, rows: string[], files: string[]) =>
      rows.sort().join() === files.sort().join() ? [] : [`${what}: rows ${rows}, files ${files}`]
    const layers = records('layers').map(({ directory }) => String(directory).split('/')[0] ?? '')
    const problems = [
      ...compare(
        'blobs',
        records('blobs').map(({ digest }) => String(digest).replace('sha256:', '')),
        names(`${directory}/data/content/blobs/sha256`),
      ),
      ...compare(
        'layers',
        layers,
        names(`${directory}/data/layers`).filter((name) => name !== 'staging'),
      ),
    ]
    database.close()
    return problems
  } finally {
    rmSync(copy, { recursive: true })
  }
}
