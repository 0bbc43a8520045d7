/** The files of one log: the one being written, `path`, and those it was rotated to, `path.1` (newest), `path.2.gz` … */
import { type FileHandle, open, readdir, rm } from 'node:fs/promises'
import path from 'node:path'
import { isGone } from '../mounts/safe-walk.ts'

export interface RotatedFile {
  path: string
  /** 0 is the file being written. */
  index: number
  compressed: boolean
}

/** Newest first. Where both forms of one index exist the plain one counts: compression has not ended. */
export async function listLogFiles(logPath: string): Promise<RotatedFile[]> {
  const base = path.basename(logPath)
  const directory = path.dirname(logPath)
  const names = await readdir(directory).catch((error) => {
    if (isGone(error)) return []
    throw error
  })
  const byIndex = new Map<number, RotatedFile>()
  for (const name of names) {
    if (!name.startsWith(base)) continue
    const match = /^(?:\.(\d{1,9}))?(\.gz)?$/.exec(name.slice(base.length))
    if (!match) continue
    const index = Number(match[1] ?? 0)
    const compressed = match[2] !== undefined
    if ((index === 0 && compressed) || (compressed && byIndex.has(index))) continue
    byIndex.set(index, { path: path.join(directory, name), index, compressed })
  }
  return [...byIndex.values()].sort((a, b) => a.index - b.index)
}

export interface PlainLogFile {
  kind: 'plain'
  handle: FileHandle
  /** Tells the file from any other that gets its name or its inode later. */
  identity: string
  /** When it was opened: what was there when the log was asked for. */
  sizeBytes: number
}

export type OpenLogFile = PlainLogFile | { kind: 'compressed'; path: string }

/**
 * Opens them as they are now, oldest first, so that a rotation from here on loses nothing. Newest are opened first: a
 * rotation meanwhile shows one file again under the next name, which its identity tells, and hides none.
 */
export async function openLogFiles(logPath: string): Promise<OpenLogFile[]> {
  const opened: OpenLogFile[] = []
  const seen = new Set<string>()
  for (const file of await listLogFiles(logPath)) {
    if (file.compressed) {
      opened.push({ kind: 'compressed', path: file.path })
      continue
    }
    const plain = await openPlain(file.path)
    if (!plain) continue
    if (seen.has(plain.identity)) await plain.handle.close()
    else {
      seen.add(plain.identity)
      opened.push(plain)
    }
  }
  return opened.reverse()
}

export async function openPlain(filePath: string): Promise<PlainLogFile | undefined> {
  try {
    const handle = await open(filePath, 'r')
    const { ino, birthtimeNs, size } = await handle.stat({ bigint: true })
    return { kind: 'plain', handle, identity: `${ino} ${birthtimeNs}`, sizeBytes: Number(size) }
  } catch (error) {
    if (isGone(error)) return undefined
    throw error
  }
}

export async function removeLogFiles(logPath: string): Promise<void> {
  for (const file of await listLogFiles(logPath)) {
    await rm(file.path, { force: true })
    if (file.index > 0 && !file.compressed) await rm(`${file.path}.gz`, { force: true })
  }
}
