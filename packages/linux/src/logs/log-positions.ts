/** Finds places in a log file without reading all of it: its last lines, and the first line at a time. */
import type { FileHandle } from 'node:fs/promises'
import { JsonLineReader } from './json-line.ts'

const blockBytes = 64 * 1024
const newline = 0x0a

export interface TailPosition {
  position: number
  /** How many lines stand from there to the end. */
  lines: number
}

/** Where the last `count` lines before `endPosition` begin, reading backwards; an unfinished last line counts as one. */
export async function lastLines(
  handle: FileHandle,
  { count, endPosition }: { count: number; endPosition: number },
): Promise<TailPosition> {
  let end = endPosition
  if (count === 0 || end === 0) return { position: end, lines: 0 }
  const buffer = Buffer.allocUnsafe(blockBytes)
  let lines = 0
  let atEnd = true
  while (end > 0) {
    const start = Math.max(0, end - blockBytes)
    const block = buffer.subarray(0, (await handle.read(buffer, 0, end - start, start)).bytesRead)
    // The newline that ends the last line begins none.
    let at = atEnd && block.at(-1) === newline ? block.length - 2 : block.length - 1
    atEnd = false
    while (at >= 0) {
      at = block.lastIndexOf(newline, at)
      if (at < 0) break
      lines += 1
      if (lines === count) return { position: start + at + 1, lines }
      at -= 1
    }
    end = start
  }
  return { position: 0, lines: lines + 1 }
}

/** Two streams and split lines stand slightly out of order around a time; reading begins this much earlier. */
const disorderBytes = 256 * 1024
/** Most records are short; a block that holds no whole one is read again, longer. */
const probeBytes = 16 * 1024
const longProbeBytes = 256 * 1024

/** A position at the start of a line, at or shortly before the first record that is not older than the time. */
export async function positionOfTime(handle: FileHandle, timeNs: bigint): Promise<number> {
  let low = 0
  let high = (await handle.stat()).size
  while (high - low > disorderBytes) {
    const middle = low + Math.floor((high - low) / 2)
    const found = await firstTimeAfter(handle, middle)
    if (found === undefined || found.timeNs >= timeNs) high = middle
    else low = found.position
  }
  return startOfLine(handle, Math.max(0, low - disorderBytes))
}

/** The time of the first record of a file; undefined where there is none. */
export async function firstTime(handle: FileHandle): Promise<bigint | undefined> {
  return (await recordIn(handle, { position: 0, bytes: longProbeBytes, skipsFirst: false }))?.timeNs
}

type Found = { position: number; timeNs: bigint } | undefined

/** The first whole record after `position`, looked for in one block. */
async function firstTimeAfter(handle: FileHandle, position: number): Promise<Found> {
  const short = await recordIn(handle, { position, bytes: probeBytes, skipsFirst: true })
  return short ?? recordIn(handle, { position, bytes: longProbeBytes, skipsFirst: true })
}

/** `skipsFirst`: the position may stand in the middle of a line. */
async function recordIn(
  handle: FileHandle,
  { position, bytes, skipsFirst }: { position: number; bytes: number; skipsFirst: boolean },
): Promise<Found> {
  const buffer = Buffer.allocUnsafe(bytes)
  const { bytesRead } = await handle.read(buffer, 0, bytes, position)
  const block = buffer.subarray(0, bytesRead)
  const last = block.lastIndexOf(newline)
  const lines = block.subarray(0, last + 1)
  const reader = new JsonLineReader()
  let at = skipsFirst ? lines.indexOf(newline) + 1 : 0
  while ((at > 0 || !skipsFirst) && at < lines.length) {
    const here = at
    const { next, found } = reader.read(lines, at)
    if (found) return { position: position + here, timeNs: reader.timeNs }
    at = next
  }
  return undefined
}

async function startOfLine(handle: FileHandle, position: number): Promise<number> {
  if (position === 0) return 0
  const buffer = Buffer.allocUnsafe(blockBytes)
  for (let from = position; ; from += blockBytes) {
    const { bytesRead } = await handle.read(buffer, 0, blockBytes, from)
    if (bytesRead === 0) return from
    const at = buffer.subarray(0, bytesRead).indexOf(newline)
    if (at >= 0) return from + at + 1
  }
}
