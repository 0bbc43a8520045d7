/**
 * The records of a log that were not yet sent on. How far they were is kept in a small file beside the log, and holds
 * over rotation, compression and restarts of the daemon.
 */
import { readFile, rename, writeFile } from 'node:fs/promises'
import type { LogBatch, LogRecord } from '@dockerd-ts/core'
import { isGone } from '../mounts/safe-walk.ts'
import { JsonLineReader } from './json-line.ts'
import { type LogPlace, logBlocks } from './log-blocks.ts'

interface Delivered extends LogPlace {
  /** Of the last record, as decimal digits: what counts where the file was compressed meanwhile. */
  timeNs: string
}

export async function* undeliveredRecords(query: {
  path: string
  ended: AbortSignal
  signal: AbortSignal
}): AsyncGenerator<LogBatch> {
  const file = `${query.path}.delivered`
  const before = await readDelivered(file)
  const reader = new JsonLineReader()
  let resumed = false
  let place: LogPlace = { identity: '', position: 0 }
  const blocks = logBlocks({
    ...query,
    follow: true,
    after: before,
    onResumed: () => {
      resumed = true
    },
    onBlock: (at) => {
      place = at
    },
  })
  for await (const block of blocks) {
    const skipUntilNs = resumed || before === undefined ? -1n : BigInt(before.timeNs)
    const records = recordsOf(block, reader).filter(({ timeNs }) => timeNs > skipUntilNs)
    const last = records.at(-1)
    if (last === undefined) continue
    const delivered = { ...place, timeNs: String(last.timeNs) }
    yield { records, delivered: () => writeDelivered(file, delivered) }
  }
}

function recordsOf(block: Buffer, reader: JsonLineReader): LogRecord[] {
  const records: LogRecord[] = []
  for (let at = 0; at < block.length; ) {
    const { next, found } = reader.read(block, at)
    at = next
    if (found) records.push(recordOf(reader))
  }
  return records
}

export function recordOf(reader: JsonLineReader): LogRecord {
  return {
    stream: reader.isStdout ? 'stdout' : 'stderr',
    timeNs: reader.timeNs,
    // A copy: one that points into the block would keep all of it in memory.
    line: Buffer.from(reader.text.subarray(reader.textStart, reader.textEnd)),
    ...(reader.attributes && { attributes: reader.attributes }),
  }
}

async function readDelivered(file: string): Promise<Delivered | undefined> {
  try {
    const { identity, position, timeNs } = JSON.parse(await readFile(file, 'utf8')) as Delivered
    return /^\d+$/.test(timeNs) && Number.isInteger(position)
      ? { identity: String(identity), position, timeNs }
      : undefined
  } catch (error) {
    if (isGone(error) || error instanceof SyntaxError) return undefined
    throw error
  }
}

async function writeDelivered(file: string, delivered: Delivered): Promise<void> {
  try {
    await writeFile(`${file}.new`, JSON.stringify(delivered))
    await rename(`${file}.new`, file)
  } catch (error) {
    // The container was removed meanwhile.
    if (!isGone(error)) throw error
  }
}
