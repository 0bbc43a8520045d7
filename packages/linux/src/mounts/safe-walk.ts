/**
 * Walks a directory tree that somebody else may be changing, without ever being led out of it: every directory is
 * opened without following a link, what was really opened is asked of the kernel, and its children are looked at
 * through the open directory. Paths are relative to the root, without a leading slash.
 */
import type { BigIntStats } from 'node:fs'
import { constants } from 'node:fs'
import { type FileHandle, lstat, open, readdir, readlink, realpath } from 'node:fs/promises'

export interface TreeEntry {
  /** E.g. `etc/hosts`. */
  path: string
  stat: BigIntStats
}

export interface WalkOptions {
  /** Stay on the device of the root. */
  oneFileSystem?: boolean
}

/** Looked at together; bounds what a huge directory keeps in flight. */
const statBatch = 64

/** Every entry below `root` but not `root` itself, parents before children, children in byte order. */
export async function* walkTree(root: string, options: WalkOptions = {}): AsyncGenerator<TreeEntry> {
  const realRoot = await realpath(root)
  const device = (await lstat(realRoot, { bigint: true })).dev
  const pending = ['']
  for (let directory = pending.pop(); directory !== undefined; directory = pending.pop()) {
    const below: string[] = []
    for await (const entry of children(realRoot, directory)) {
      yield entry
      if (!entry.stat.isDirectory()) continue
      if (!options.oneFileSystem || entry.stat.dev === device) below.push(entry.path)
    }
    // A stack: the first child is to come off first.
    pending.push(...below.reverse())
  }
}

async function* children(root: string, directory: string): AsyncGenerator<TreeEntry> {
  const handle = await openDirectory(root, directory)
  if (!handle) return
  try {
    const here = `/proc/self/fd/${handle.fd}`
    const names = (await readdir(here)).sort(byBytes)
    for (let start = 0; start < names.length; start += statBatch) {
      const batch = names.slice(start, start + statBatch)
      yield* (await Promise.all(batch.map((name) => entryAt(here, directory, name)))).filter((entry) => !!entry)
    }
  } finally {
    await handle.close()
  }
}

async function entryAt(here: string, directory: string, name: string): Promise<TreeEntry | undefined> {
  try {
    const stat = await lstat(`${here}/${name}`, { bigint: true })
    return { path: directory === '' ? name : `${directory}/${name}`, stat }
  } catch (error) {
    if (isGone(error)) return undefined
    throw error
  }
}

const directoryFlags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW

/** undefined when it is gone by now, is no directory any more, or lies elsewhere because a link was put in its way. */
export async function openDirectory(root: string, directory: string): Promise<FileHandle | undefined> {
  let handle: FileHandle
  try {
    handle = await open(directory === '' ? root : `${root}/${directory}`, directoryFlags)
  } catch (error) {
    if (isGone(error)) return undefined
    throw error
  }
  const opened = await readlink(`/proc/self/fd/${handle.fd}`)
  if (opened === root || root === '/' || opened.startsWith(`${root}/`)) return handle
  await handle.close()
  return undefined
}

const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b))

const goneCodes = new Set(['ENOENT', 'ENOTDIR', 'ELOOP'])
export const isGone = (error: unknown): boolean => goneCodes.has((error as NodeJS.ErrnoException).code ?? '')
