import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import t from 'tap'
import { dockerLogLine } from '../../test/docker-log.ts'
import { lastLines, positionOfTime } from './log-positions.ts'

const second = 1_000_000_000n
const records = 400_000

/** Counts what is read, so that a search that becomes a scan is noticed without measuring time. */
function counting(handle: FileHandle) {
  const counts = { bytes: 0 }
  const wrapped = {
    stat: () => handle.stat(),
    read: async (...parameters: [Buffer, number, number, number]) => {
      const result = await handle.read(...parameters)
      counts.bytes += result.bytesRead
      return result
    },
  } as unknown as FileHandle
  return { counts, handle: wrapped }
}

t.test('times and last lines are found by reading a small part of a large file', async (t) => {
  const directory = mkdtempSync(path.join(tmpdir(), 'logs-'))
  t.teardown(() => rmSync(directory, { recursive: true }))
  const file = path.join(directory, 'log')
  for (let from = 0; from < records; from += 20_000) {
    const lines = Array.from({ length: 20_000 }, (_, index) =>
      dockerLogLine({ text: `${from + index}\n`, timeNs: BigInt(from + index) * second }),
    )
    appendFileSync(file, lines.join(''))
  }
  const handle = await open(file)
  t.teardown(() => handle.close())
  const { size } = await handle.stat()
  const lineAt = async (position: number) => {
    const { buffer } = await handle.read(Buffer.alloc(100), 0, 100, position)
    return Number(/^{"log":"(\d+)\\n"/.exec(buffer.toString())?.[1])
  }
  const search = counting(handle)
  for (const wanted of [5_000, 123_456, 399_990]) {
    const found = await lineAt(await positionOfTime(search.handle, BigInt(wanted) * second))
    t.ok(found <= wanted && found > wanted - 10_000, `${found} is shortly before ${wanted}`)
  }
  t.ok(search.counts.bytes < size / 3, `three searches read ${search.counts.bytes} of ${size} bytes`)
  const tail = counting(handle)
  const { position, lines } = await lastLines(tail.handle, { count: 100, endPosition: size })
  t.strictSame([await lineAt(position), lines], [records - 100, 100])
  t.ok(tail.counts.bytes <= 64 * 1024)
  t.strictSame(await lastLines(handle, { count: records + 1, endPosition: size }), { position: 0, lines: records })
})
