/**
 * Reads a small file of a container's root filesystem while the container may be changing it: each part of the path is
 * opened by itself, without following a link, relative to the directory opened before; links are resolved here, inside
 * the root. So no link the container makes, at whatever moment, leads out of it.
 */
import { closeSync, constants, fstatSync, openSync, readlinkSync, readSync } from 'node:fs'

/** Linux's O_PATH, which node:fs does not name: a handle to the place, without opening what is there (a FIFO would block). */
const openAsPlace = 0o10000000
const placeFlags = openAsPlace | constants.O_NOFOLLOW

/** The kernel's own limit. */
const mostLinks = 40

/** At most `limitBytes` of a regular file's text; undefined when there is no such file. */
export function readFileInRoot(root: string, path: string, limitBytes: number): string | undefined {
  const place = openInRoot(root, path)
  if (place === undefined) return undefined
  try {
    return fstatSync(place).isFile() ? readText(place, limitBytes) : undefined
  } finally {
    closeSync(place)
  }
}

function readText(place: number, limitBytes: number): string {
  const file = openSync(`/proc/self/fd/${place}`, constants.O_RDONLY)
  try {
    const buffer = Buffer.alloc(Math.min(limitBytes, fstatSync(file).size))
    let length = 0
    while (length < buffer.length) {
      const count = readSync(file, buffer, length, buffer.length - length, null)
      if (count === 0) break
      length += count
    }
    return buffer.toString('utf8', 0, length)
  } finally {
    closeSync(file)
  }
}

/** An O_PATH descriptor of what `path` is inside `root`; undefined when there is nothing, or only a loop of links. */
function openInRoot(root: string, path: string): number | undefined {
  // The directories from the root to here, so that `..` goes back the way that was come and no further.
  const trail = [openSync(root, openAsPlace | constants.O_DIRECTORY)]
  const parts = path.split('/')
  let links = 0
  try {
    for (let part = parts.shift(); part !== undefined; part = parts.shift()) {
      if (part === '' || part === '.') continue
      if (part === '..') {
        if (trail.length > 1) closeSync(trail.pop() ?? -1)
        continue
      }
      const directory = trail.at(-1) ?? -1
      const here = openAt(directory, part)
      if (here === undefined) return undefined
      const target = linkTarget(here, directory, part)
      if (target === undefined) {
        trail.push(here)
        continue
      }
      closeSync(here)
      links += 1
      if (links > mostLinks) return undefined
      if (target.startsWith('/')) closeAll(trail.splice(1))
      parts.unshift(...target.split('/'))
    }
    return trail.pop()
  } finally {
    closeAll(trail)
  }
}

function openAt(directory: number, name: string): number | undefined {
  try {
    return openSync(`/proc/self/fd/${directory}/${name}`, placeFlags)
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    if (['ENOENT', 'ENOTDIR', 'ENAMETOOLONG'].includes(code)) return undefined
    throw error
  }
}

/** The target when `name` is a link. Its maker may change it at any moment: whatever it says is looked up in the root. */
function linkTarget(place: number, directory: number, name: string): string | undefined {
  return fstatSync(place).isSymbolicLink() ? readlinkSync(`/proc/self/fd/${directory}/${name}`) : undefined
}

function closeAll(descriptors: readonly number[]): void {
  for (const descriptor of descriptors) closeSync(descriptor)
}
