/** Logs of which little is wanted: little of them is read, whatever they hold. Bytes are counted, not time. */
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { dockerLogLine } from '../../test/docker-log.ts'
import { JsonFileLogs } from './json-file-logs.ts'

const second = 1_000_000_000n
const perFile = 80_000
const logs = new JsonFileLogs()
const directory = mkdtempSync(path.join(tmpdir(), 'logs-'))
const file = path.join(directory, 'c-json.log')
for (const [index, name] of [`${file}.2`, `${file}.1`, file].entries()) {
  for (let from = index * perFile; from < (index + 1) * perFile; from += 10_000) {
    const lines = Array.from({ length: 10_000 }, (_, at) =>
      dockerLogLine({ text: `${from + at} ${'text '.repeat(10)}\n`, timeNs: BigInt(from + at) * second }),
    )
    appendFileSync(name, lines.join(''))
  }
}
const sizeBytes = () => readdirSync(directory).reduce((sum, name) => sum + statSync(path.join(directory, name)).size, 0)
t.teardown(() => rmSync(directory, { recursive: true }))

/** What this process has read from files; this file's tests run one after the other. */
const readSoFar = () => Number(/^rchar: (\d+)/m.exec(readFileSync('/proc/self/io', 'latin1'))?.[1])

async function reading(query: { tail?: number; sinceNs?: bigint; untilNs?: bigint }) {
  const before = readSoFar()
  let count = 0
  let first = -1
  for await (const { line } of logs.read({ path: file, stdout: true, stderr: true, follow: false, ...query })) {
    if (first < 0) first = Number.parseInt(line.toString(), 10)
    count += 1
  }
  return { first, count, bytes: readSoFar() - before }
}

const last = 3 * perFile - 1

t.test('the last lines and the last seconds of a large log', async (t) => {
  const all = sizeBytes()
  t.ok(all > 25_000_000)
  const tail = await reading({ tail: 10 })
  t.match(tail, { first: last - 9, count: 10 })
  t.ok(tail.bytes < all / 200, `tail read ${tail.bytes} of ${all}`)
  const since = await reading({ sinceNs: BigInt(last - 9) * second })
  t.match(since, { first: last - 9, count: 10 })
  // The search halves: a log of twice the size takes one more probe.
  t.ok(since.bytes < 1_000_000, `since read ${since.bytes} of ${all}`)
  const both = await reading({ sinceNs: BigInt(last - 99) * second, tail: 10 })
  t.match(both, { first: last - 9, count: 10 })
})

t.test('a time in the middle file, and one before all', async (t) => {
  const middle = BigInt(perFile + 1000)
  const window = await reading({ sinceNs: middle * second, untilNs: (middle + 9n) * second })
  t.match(window, { first: Number(middle), count: 10 })
  t.ok(window.bytes < 2_000_000, `the window read ${window.bytes}`)
  // Records around the turn of a file: the older one is wanted as well.
  const turn = await reading({ sinceNs: BigInt(perFile - 5) * second, untilNs: BigInt(perFile + 4) * second })
  t.match(turn, { first: perFile - 5, count: 10 })
  t.match(await reading({ sinceNs: 1n }), { first: 1, count: last })
})

t.test('a compressed file that is older than what is wanted is not opened', async (t) => {
  const older = dockerLogLine({ text: 'older\n', timeNs: 0n })
  // Not made smaller, so that reading it shows.
  writeFileSync(`${file}.3.gz`, gzipSync(older.repeat(100_000), { level: 0 }))
  const since = await reading({ sinceNs: BigInt(last - 9) * second })
  t.match(since, { first: last - 9, count: 10 })
  t.ok(since.bytes < 1_000_000, `since read ${since.bytes}`)
})
