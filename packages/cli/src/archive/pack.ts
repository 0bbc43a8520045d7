/** Packs a file or a directory of this machine into a tar stream under a chosen name. */
import { createReadStream, lstatSync, readdirSync, readlinkSync, type Stats } from 'node:fs'
import { join } from 'node:path'
import { BLOCK_BYTES, type EntryType, encodeHeader, padding, type TarEntry } from './tar-header.ts'

/** `name` is what the top entry is called in the archive; `.` stands for the directory's contents. */
export async function* packPath(path: string, name: string): AsyncGenerator<Buffer, void> {
  yield* packEntry(path, name, new Map())
  yield Buffer.alloc(2 * BLOCK_BYTES)
}

async function* packEntry(path: string, name: string, seen: Map<string, string>): AsyncGenerator<Buffer, void> {
  const stats = lstatSync(path)
  const type = typeOf(stats)
  // Sockets cannot be archived; they would mean nothing on the other side.
  if (!type) return
  const entry = entryOf(path, stats, type === 'directory' && !name.endsWith('/') ? `${name}/` : name, type)
  const key = `${stats.dev}:${stats.ino}`
  const first = seen.get(key)
  if (type === 'file' && stats.nlink > 1) {
    if (first !== undefined) return yield encodeHeader({ ...entry, type: 'hardlink', linkName: first, sizeBytes: 0 })
    seen.set(key, name)
  }
  yield encodeHeader(entry)
  if (type === 'file') yield* packContent(path, entry.sizeBytes)
  if (type !== 'directory') return
  for (const child of readdirSync(path).sort()) yield* packEntry(join(path, child), `${entry.name}${child}`, seen)
}

/** Exactly the announced number of bytes, whatever happens to the file meanwhile. */
async function* packContent(path: string, size: number): AsyncGenerator<Buffer, void> {
  let sent = 0
  if (size > 0) {
    for await (const chunk of createReadStream(path, {
      end: size - 1,
      highWaterMark: 256 * 1024,
    }) as AsyncIterable<Buffer>) {
      sent += chunk.length
      yield chunk
    }
  }
  if (sent < size) throw new Error(`archive/tar: missed writing ${size - sent} bytes: ${path} became shorter`)
  yield padding(size)
}

function typeOf(stats: Stats): EntryType | undefined {
  if (stats.isFile()) return 'file'
  if (stats.isDirectory()) return 'directory'
  if (stats.isSymbolicLink()) return 'symlink'
  if (stats.isCharacterDevice()) return 'char'
  if (stats.isBlockDevice()) return 'block'
  return stats.isFIFO() ? 'fifo' : undefined
}

function entryOf(path: string, stats: Stats, name: string, type: EntryType): TarEntry {
  const device = type === 'char' || type === 'block' ? stats.rdev : 0
  return {
    name,
    type,
    mode: stats.mode & 0o7777,
    uid: stats.uid,
    gid: stats.gid,
    sizeBytes: type === 'file' ? stats.size : 0,
    mtimeSeconds: Math.floor(stats.mtimeMs / 1000),
    linkName: type === 'symlink' ? readlinkSync(path) : '',
    deviceMajor: Math.trunc(device / 256) & 0xfff,
    deviceMinor: (device & 0xff) | (Math.trunc(device / 4096) & 0xfff00),
  }
}
