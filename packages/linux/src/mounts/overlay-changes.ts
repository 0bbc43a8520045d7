/**
 * What a container has changed, as `docker diff` tells it: the writable layer compared with what the image has below.
 * A directory is modified when its mode or owner changed or when something in it did; what is below a removed or
 * replaced directory is not listed.
 */
import type { BigIntStats } from 'node:fs'
import { lstat, readdir, realpath } from 'node:fs/promises'
import { isGone, openDirectory } from './safe-walk.ts'

export interface Change {
  /** Absolute in the container. */
  path: string
  kind: 'modified' | 'added' | 'deleted'
}

export interface OverlayTrees {
  /** The writable layer; may change while it is read. */
  upper: string
  /** The same, merged with the image. */
  merged: string
  /** The image as it is, read-only. */
  lower: string
}

/** Parents before children, children in byte order. */
export async function overlayChanges(trees: OverlayTrees): Promise<Change[]> {
  const real: OverlayTrees = {
    upper: await realpath(trees.upper),
    merged: await realpath(trees.merged),
    lower: await realpath(trees.lower),
  }
  const changes: Change[] = []
  await compareDirectory(real, { path: '', inLower: true }, changes)
  return changes
}

interface Place {
  /** Relative to the roots; '' is the root. */
  path: string
  /** The image has a directory here; only then may its tree be looked into: a link there could lead anywhere. */
  inLower: boolean
}

async function compareDirectory(trees: OverlayTrees, place: Place, changes: Change[]): Promise<void> {
  const upper = await entriesOf(trees.upper, place.path)
  const lower = place.inLower ? await entriesOf(trees.lower, place.path) : emptyEntries
  const merged = place.inLower ? await namesIn(trees.merged, place.path) : undefined
  const names = new Set([...upper.keys(), ...lower.keys()])
  for (const name of [...names].sort(byBytes)) {
    const path = place.path === '' ? name : `${place.path}/${name}`
    const now = upper.get(name)
    const before = lower.get(name)
    if (now && !isWhiteout(now)) await compareEntry(trees, { path, now, before }, changes)
    // In an opaque directory what the image has is hidden without a whiteout: the merged view knows.
    else if (before && !merged?.has(name)) changes.push({ path: `/${path}`, kind: 'deleted' })
  }
}

interface Entry {
  path: string
  now: BigIntStats
  before: BigIntStats | undefined
}

async function compareEntry(trees: OverlayTrees, entry: Entry, changes: Change[]): Promise<void> {
  const { path, now, before } = entry
  const below: Change[] = []
  if (now.isDirectory()) {
    await compareDirectory(trees, { path, inLower: before?.isDirectory() ?? false }, below)
  }
  if (!before) changes.push({ path: `/${path}`, kind: 'added' })
  else if (below.length > 0 || differs(before, now)) changes.push({ path: `/${path}`, kind: 'modified' })
  for (const change of below) changes.push(change)
}

function differs(before: BigIntStats, now: BigIntStats): boolean {
  if (before.mode !== now.mode || before.uid !== now.uid || before.gid !== now.gid || before.rdev !== now.rdev)
    return true
  // A directory's own time changes with every file in it, which is listed anyway.
  if (before.isDirectory()) return false
  return before.mtimeNs !== now.mtimeNs || before.size !== now.size
}

const isWhiteout = (stat: BigIntStats): boolean => stat.isCharacterDevice() && stat.rdev === 0n

const emptyEntries: ReadonlyMap<string, BigIntStats> = new Map()
const statBatch = 64

async function entriesOf(root: string, directory: string): Promise<ReadonlyMap<string, BigIntStats>> {
  const handle = await openDirectory(root, directory)
  if (!handle) return emptyEntries
  try {
    const here = `/proc/self/fd/${handle.fd}`
    const names = await readdir(here)
    const entries = new Map<string, BigIntStats>()
    for (let start = 0; start < names.length; start += statBatch) {
      const batch = names.slice(start, start + statBatch)
      const stats = await Promise.all(batch.map((name) => statOrGone(`${here}/${name}`)))
      batch.forEach((name, index) => {
        const stat = stats[index]
        if (stat) entries.set(name, stat)
      })
    }
    return entries
  } finally {
    await handle.close()
  }
}

async function namesIn(root: string, directory: string): Promise<ReadonlySet<string>> {
  const handle = await openDirectory(root, directory)
  if (!handle) return new Set()
  try {
    return new Set(await readdir(`/proc/self/fd/${handle.fd}`))
  } finally {
    await handle.close()
  }
}

async function statOrGone(path: string): Promise<BigIntStats | undefined> {
  try {
    return await lstat(path, { bigint: true })
  } catch (error) {
    if (isGone(error)) return undefined
    throw error
  }
}

const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b))
