/** Unpacks a tar stream into a directory of this machine; nothing it contains can be written anywhere else. */
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  closeSync,
  constants,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  rmSync,
  type Stats,
  symlinkSync,
  utimesSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import type { ByteSource } from '../client/streams.ts'
import type { TarEntry } from './tar-header.ts'
import { readTar } from './tar-stream.ts'

export interface UnpackOptions {
  /** Called for each entry's name; what it returns is used in its place. */
  rename(name: string): string
}

const EXECUTABLE_TIMEOUT_MS = 10_000

export async function unpackTar(source: ByteSource, root: string, options: UnpackOptions): Promise<void> {
  // Directories get their times last, since filling them changes them.
  const directories: [string, TarEntry][] = []
  for await (const { entry, content } of readTar(source)) {
    const path = safePath(root, options.rename(entry.name))
    if (path === root && entry.type !== 'directory')
      throw new Error(`invalid tar entry name ${JSON.stringify(entry.name)}`)
    prepare(path, entry, root)
    if (entry.type === 'file') await writeFile(path, entry, content)
    else if (entry.type === 'directory') directories.push([path, makeDirectory(path, entry)])
    else if (entry.type === 'symlink') makeSymlink(entry.linkName, path, root)
    else if (entry.type === 'hardlink') linkSync(safePath(root, options.rename(entry.linkName)), path)
    else makeNode(path, entry)
    if (entry.type === 'symlink') lutimesSync(path, entry.mtimeSeconds, entry.mtimeSeconds)
  }
  for (const [path, entry] of directories.reverse()) utimesSync(path, entry.mtimeSeconds, entry.mtimeSeconds)
}

/** The path of an entry below `root`. Neither `..` nor a symbolic link on the way may lead out. */
function safePath(root: string, name: string): string {
  const parts = name.split('/').filter((part) => part !== '' && part !== '.')
  if (parts.includes('..'))
    throw new Error(`invalid tar entry name ${JSON.stringify(name)}: it leads out of the destination`)
  let parent = root
  for (const part of parts.slice(0, -1)) {
    parent = join(parent, part)
    if (statOf(parent)?.isSymbolicLink())
      throw new Error(`invalid tar entry name ${JSON.stringify(name)}: ${parent} is a symbolic link`)
  }
  return parts.length === 0 ? root : join(parent, parts.at(-1) as string)
}

/** One that leads out by its own text is refused, as in docker: what comes after it would follow it. */
function makeSymlink(target: string, path: string, root: string): void {
  const named = join(dirname(path), target)
  if (named !== root && !named.startsWith(root.endsWith('/') ? root : `${root}/`))
    throw new Error(`invalid symlink ${JSON.stringify(path)} -> ${JSON.stringify(target)}`)
  symlinkSync(target, path)
}

function statOf(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false })
}

/** Makes room: parents are created, what stands in the way is removed unless it is a directory for a directory. */
function prepare(path: string, entry: TarEntry, root: string): void {
  const present = statOf(path)
  if (path !== root) mkdirSync(dirname(path), { recursive: true })
  if (!present) return
  if (present.isDirectory() && entry.type === 'directory') return
  if (present.isDirectory())
    throw new Error(
      `cannot overwrite directory ${JSON.stringify(path)} with non-directory ${JSON.stringify(dirname(path))}`,
    )
  if (entry.type === 'directory')
    throw new Error(
      `cannot overwrite non-directory ${JSON.stringify(path)} with directory ${JSON.stringify(dirname(path))}`,
    )
  rmSync(path)
}

async function writeFile(path: string, entry: TarEntry, content: AsyncIterable<Buffer>): Promise<void> {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW
  const file = openSync(path, flags, 0o600)
  try {
    for await (const chunk of content) {
      for (let bytes = chunk; bytes.length > 0; ) bytes = bytes.subarray(writeSync(file, bytes))
    }
  } finally {
    closeSync(file)
  }
  chmodSync(path, entry.mode)
  utimesSync(path, entry.mtimeSeconds, entry.mtimeSeconds)
}

function makeDirectory(path: string, entry: TarEntry): TarEntry {
  mkdirSync(path, { recursive: true })
  chmodSync(path, entry.mode)
  return entry
}

/** Node has no call for device nodes. */
function makeNode(path: string, entry: TarEntry): void {
  const device = entry.type === 'fifo' ? [] : [String(entry.deviceMajor), String(entry.deviceMinor)]
  const kind = entry.type === 'fifo' ? 'p' : entry.type === 'char' ? 'c' : 'b'
  const result = spawnSync('mknod', ['-m', entry.mode.toString(8), '--', path, kind, ...device], {
    encoding: 'utf8',
    timeout: EXECUTABLE_TIMEOUT_MS,
  })
  if (result.status !== 0) throw new Error(`mknod ${path}: ${result.stderr.trim() || result.error?.message}`)
}
