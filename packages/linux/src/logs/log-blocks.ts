/**
 * A log as blocks of whole lines, oldest first: the files as they are, from the place that `tail` or `since` asks for,
 * and then what is written while the log is followed, over rotations and truncation.
 */
import type { FileHandle } from 'node:fs/promises'
import path from 'node:path'
import { DirectoryChanges } from './file-changes.ts'
import { FileCursor, gunzippedLines } from './line-blocks.ts'
import { listLogFiles, type OpenLogFile, openLogFiles, openPlain, type PlainLogFile } from './log-files.ts'
import { firstTime, lastLines, positionOfTime } from './log-positions.ts'

export interface LogBlocksQuery {
  path: string
  sinceNs?: bigint
  /** undefined is all. */
  tail?: number
  follow: boolean
  /** Nothing more will be written: what is there is delivered, then the blocks end. */
  ended?: AbortSignal
  signal?: AbortSignal
  /** Begins there when the file is still to be found as it was; otherwise at the oldest. Not with tail or since. */
  after?: LogPlace | undefined
  onResumed?: () => void
  /** Called before each block with the place after it. */
  onBlock?: (place: LogPlace) => void
}

/** A place between two lines of a log. */
export interface LogPlace {
  /** Of the file, see PlainLogFile; '' in a compressed one. */
  identity: string
  position: number
}

export async function* logBlocks(query: LogBlocksQuery): AsyncGenerator<Buffer> {
  const signals = [query.ended, query.signal].filter((signal) => signal !== undefined)
  // Before the files are opened: what is written between the last read and the first wait is noticed.
  const changes = query.follow ? new DirectoryChanges(path.dirname(query.path), signals) : undefined
  const open = new Set<FileHandle>()
  try {
    const files = await openLogFiles(query.path)
    for (const file of files) if (file.kind === 'plain') open.add(file.handle)
    const at = files.findIndex((file) => file.kind === 'plain' && file.identity === query.after?.identity)
    const starts = at < 0 ? await startPositions(files, query) : resumedAt(at, query)
    let current: FileCursor | undefined
    for (const [index, file] of files.entries()) {
      if (query.signal?.aborted) return
      const start = starts[index] ?? { position: 0, skipLines: 0 }
      if (file.kind === 'compressed') yield* compressedBlocks(file.path, start, query)
      else {
        // Without follow the answer is what was there when it was asked, also where a busy writer goes on.
        const endPosition = changes ? Number.POSITIVE_INFINITY : file.sizeBytes
        current = new FileCursor(file, { position: start.position, endPosition })
        if (start.position === Number.POSITIVE_INFINITY) {
          await release(open, current)
          current = undefined
          continue
        }
        const isLast = index === files.length - 1
        yield* plainBlocks(current, query)
        if (isLast && changes) break
        yield* unfinishedLine(current, query)
        await release(open, current)
        current = undefined
      }
    }
    const read = new Set(files.map((file) => (file.kind === 'plain' ? file.identity : '')))
    if (changes) yield* followedBlocks(query, { current, changes, open, read })
  } finally {
    changes?.close()
    await Promise.all([...open].map((handle) => handle.close()))
  }
}

async function release(open: Set<FileHandle>, cursor: FileCursor): Promise<void> {
  if (open.delete(cursor.handle)) await cursor.handle.close()
}

async function* plainBlocks(cursor: FileCursor, query: LogBlocksQuery): AsyncGenerator<Buffer> {
  for (let lines = await cursor.next(); lines !== undefined; lines = await cursor.next()) {
    query.onBlock?.(cursor.place)
    yield lines
    if (query.signal?.aborted) return
  }
}

/** When nothing more will be written to the file. */
function* unfinishedLine(cursor: FileCursor, query: LogBlocksQuery): Generator<Buffer> {
  const rest = cursor.rest()
  if (rest === undefined) return
  query.onBlock?.(cursor.place)
  yield rest
}

/** What is older than the file in which reading goes on is skipped. */
function resumedAt(index: number, { after, onResumed }: LogBlocksQuery): StartPosition[] {
  onResumed?.()
  const skipped = { position: Number.POSITIVE_INFINITY, skipLines: Number.POSITIVE_INFINITY }
  return [...Array.from({ length: index }, () => skipped), { position: after?.position ?? 0, skipLines: 0 }]
}

interface StartPosition {
  /** In a plain file. */
  position: number
  /** In a compressed one; Infinity skips it all. */
  skipLines: number
}

const fromTheStart: StartPosition = { position: 0, skipLines: 0 }

async function startPositions(files: readonly OpenLogFile[], query: LogBlocksQuery): Promise<StartPosition[]> {
  const { tail, sinceNs } = query
  if (tail === undefined && sinceNs === undefined) return files.map(() => fromTheStart)
  const positions: StartPosition[] = []
  let wanted = tail ?? Number.POSITIVE_INFINITY
  let olderAreWanted = true
  for (const file of [...files].reverse()) {
    const start = olderAreWanted ? await startPosition(file, wanted, sinceNs) : nothing
    wanted -= start.lines
    positions.unshift(start)
    if (olderAreWanted && sinceNs !== undefined) olderAreWanted = !(await beginsBefore(file, sinceNs))
  }
  return positions
}

const nothing = { position: Number.POSITIVE_INFINITY, skipLines: Number.POSITIVE_INFINITY, lines: 0 }

/** Two streams stand slightly out of order, over the end of a file too. */
const disorderNs = 60_000_000_000n

/** Then all that is older is older than the time as well, and is not even opened where that means to unpack it. */
async function beginsBefore(file: OpenLogFile, timeNs: bigint): Promise<boolean> {
  if (file.kind === 'compressed') return false
  const first = await firstTime(file.handle)
  return first !== undefined && first + disorderNs < timeNs
}

async function startPosition(
  file: OpenLogFile,
  wanted: number,
  sinceNs: bigint | undefined,
): Promise<StartPosition & { lines: number }> {
  const limited = Number.isFinite(wanted)
  if (file.kind === 'compressed') {
    if (!limited) return { ...fromTheStart, lines: 0 }
    const lines = wanted === 0 ? 0 : await countLines(file.path)
    return {
      position: 0,
      skipLines: wanted === 0 ? Number.POSITIVE_INFINITY : Math.max(0, lines - wanted),
      lines: Math.min(lines, wanted),
    }
  }
  const byTail = limited
    ? await lastLines(file.handle, { count: wanted, endPosition: file.sizeBytes })
    : { position: 0, lines: 0 }
  const byTime = sinceNs === undefined ? 0 : await positionOfTime(file.handle, sinceNs)
  return { position: Math.max(byTail.position, byTime), skipLines: 0, lines: byTail.lines }
}

async function countLines(filePath: string): Promise<number> {
  let lines = 0
  for await (const block of gunzippedLines(filePath)) {
    for (let at = block.indexOf(0x0a); at >= 0; at = block.indexOf(0x0a, at + 1)) lines += 1
  }
  return lines
}

async function* compressedBlocks(
  filePath: string,
  start: StartPosition,
  query: LogBlocksQuery,
): AsyncGenerator<Buffer> {
  let skip = start.skipLines
  if (skip === Number.POSITIVE_INFINITY) return
  for await (const block of gunzippedLines(filePath)) {
    let at = 0
    for (; skip > 0 && at < block.length; skip--) at = block.indexOf(0x0a, at) + 1
    if (at >= block.length) continue
    query.onBlock?.({ identity: '', position: 0 })
    yield at === 0 ? block : block.subarray(at)
  }
}

interface Following {
  current: FileCursor | undefined
  changes: DirectoryChanges
  open: Set<FileHandle>
  /** Identities of the files that were read before. */
  read: Set<string>
}

async function* followedBlocks(query: LogBlocksQuery, following: Following): AsyncGenerator<Buffer> {
  const { changes, open } = following
  let { current } = following
  while (!query.signal?.aborted) {
    // Asked before the last read: what was written before the end is then certainly seen.
    const ended = query.ended?.aborted ?? false
    const newer = await filesAfter(query.path, current, following.read)
    for (const file of newer) {
      open.add(file.handle)
      following.read.add(file.identity)
    }
    if (current) {
      await current.restartIfTruncated()
      yield* plainBlocks(current, query)
    }
    for (const file of newer) {
      if (current) {
        yield* unfinishedLine(current, query)
        await release(open, current)
      }
      current = new FileCursor(file)
      yield* plainBlocks(current, query)
    }
    if (newer.length > 0) continue
    if (ended) {
      if (current) yield* unfinishedLine(current, query)
      return
    }
    await changes.wait()
  }
}

/** Files that came after the one being read, oldest first: none, the new one after a rotation, several after several. */
async function filesAfter(
  logPath: string,
  current: FileCursor | undefined,
  read: ReadonlySet<string>,
): Promise<PlainLogFile[]> {
  const newest = await openPlain(logPath)
  if (!newest) return []
  if (newest.identity === current?.identity) {
    await newest.handle.close()
    return []
  }
  const newer = [newest]
  for (const file of await listLogFiles(logPath)) {
    if (file.index === 0 || file.compressed) continue
    const opened = await openPlain(file.path)
    if (!opened) continue
    // From here on files are older than what was read.
    const isOld = read.has(opened.identity)
    if (isOld || opened.identity === newest.identity) await opened.handle.close()
    else newer.unshift(opened)
    if (isOld) break
  }
  return newer
}
