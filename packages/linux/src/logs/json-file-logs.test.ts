import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import type { LogQuery, LogRecord } from '@dockerd-ts/core'
import t from 'tap'
import { type DockerLogLine, dockerLogLine } from '../../test/docker-log.ts'
import { JsonFileLogs } from './json-file-logs.ts'

const logs = new JsonFileLogs()
const second = 1_000_000_000n
const start = 1_700_000_000n * second

function logFile(t: { teardown(work: () => void): unknown }): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'logs-'))
  t.teardown(() => rmSync(directory, { recursive: true }))
  return path.join(directory, 'c-json.log')
}

/** Line n says `n`, n seconds after the start. */
const numbered = (from: number, to: number, rest: Partial<DockerLogLine> = {}): string =>
  Array.from({ length: to - from + 1 }, (_, index) =>
    dockerLogLine({ text: `${from + index}\n`, timeNs: start + BigInt(from + index) * second, ...rest }),
  ).join('')

const all = { stdout: true, stderr: true, follow: false }
const textOf = (record: LogRecord): string => record.line.toString().replace(/\n$/, '')

async function texts(query: Partial<LogQuery> & { path: string }): Promise<string> {
  const found: string[] = []
  for await (const record of logs.read({ ...all, ...query })) found.push(textOf(record))
  return found.join(' ')
}

t.test('rotated files are read oldest first, compressed ones too', async (t) => {
  const file = logFile(t)
  writeFileSync(`${file}.3.gz`, gzipSync(numbered(1, 3)))
  writeFileSync(`${file}.2.gz`, gzipSync('of no use: the plain one is there'))
  writeFileSync(`${file}.2`, numbered(4, 5))
  writeFileSync(`${file}.1`, numbered(6, 6))
  writeFileSync(file, numbered(7, 8))
  writeFileSync(`${file}.old`, numbered(90, 91))
  t.equal(await texts({ path: file }), '1 2 3 4 5 6 7 8')
  for (const [tail, expected] of [
    [0, ''],
    [1, '8'],
    [2, '7 8'],
    [3, '6 7 8'],
    [6, '3 4 5 6 7 8'],
    [8, '1 2 3 4 5 6 7 8'],
    [100, '1 2 3 4 5 6 7 8'],
  ] as const) {
    t.equal(await texts({ path: file, tail }), expected, `tail ${tail}`)
  }
  await logs.remove(file)
  t.strictSame(readdirSync(path.dirname(file)), ['c-json.log.old'])
})

t.test('without follow the answer is what was there when it was asked', async (t) => {
  const file = logFile(t)
  writeFileSync(file, numbered(1, 20_000))
  for (const [tail, expected] of [
    [undefined, 20_000],
    [1, 1],
  ] as const) {
    const reading = logs.read({ ...all, path: file, ...(tail === undefined ? {} : { tail }) })
    const found = [await reading.next()]
    appendFileSync(file, numbered(20_001, 20_002))
    for (let next = await reading.next(); !next.done; next = await reading.next()) found.push(next)
    t.equal(found.length, expected)
    writeFileSync(file, numbered(1, 20_000))
  }
})

t.test('a log that is not there is empty', async (t) => {
  t.equal(await texts({ path: '/nonexistent/c-json.log' }), '')
  t.equal(await texts({ path: logFile(t), tail: 5 }), '')
})

t.test('streams are chosen after the tail is counted, as in Docker', async (t) => {
  const file = logFile(t)
  writeFileSync(file, numbered(1, 2) + numbered(3, 4, { stream: 'stderr' }) + numbered(5, 5))
  t.equal(await texts({ path: file, stdout: false }), '3 4')
  t.equal(await texts({ path: file, stderr: false, tail: 3 }), '5')
})

t.test('since and until include their own moment, over large files and several of them', async (t) => {
  const file = logFile(t)
  const padding = 'x'.repeat(200)
  const padded = (from: number, to: number) => numbered(from, to).replaceAll('\\n"', ` ${padding}\\n"`)
  writeFileSync(`${file}.1`, padded(1, 6000))
  writeFileSync(file, padded(6001, 12_000))
  const query = async (rest: Partial<LogQuery>) =>
    (await texts({ path: file, ...rest })).replaceAll(` ${padding}`, '').split(' ').filter(Boolean)
  const at = (n: number) => start + BigInt(n) * second
  for (const from of [1, 2, 5000, 5999, 6000, 6001, 6002, 11_000, 12_000]) {
    const found = await query({ sinceNs: at(from) })
    t.equal(found[0], String(from), `since ${from}`)
    t.equal(found.length, 12_000 - from + 1)
  }
  t.strictSame(await query({ sinceNs: at(12_000) + 1n }), [])
  t.strictSame(await query({ sinceNs: at(5999), untilNs: at(6002) }), ['5999', '6000', '6001', '6002'])
  t.strictSame(await query({ untilNs: at(2) + 999_999_999n }), ['1', '2'])
  t.strictSame(await query({ untilNs: at(0) }), [])
  t.strictSame(await query({ tail: 3, sinceNs: at(11_999) }), ['11999', '12000'])
})

t.test('a torn last line is left out, an unfinished but whole one is not', async (t) => {
  const file = logFile(t)
  const lines = numbered(1, 3)
  writeFileSync(file, lines.slice(0, -20))
  t.equal(await texts({ path: file }), '1 2')
  t.equal(await texts({ path: file, tail: 2 }), '2')
  writeFileSync(file, lines.slice(0, -1))
  t.equal(await texts({ path: file }), '1 2 3')
})

t.test('lines longer than any record are skipped, the next is read', async (t) => {
  const file = logFile(t)
  writeFileSync(file, `${numbered(1, 1)}${'x'.repeat(9 * 1024 * 1024)}\n${numbered(2, 2)}`)
  t.equal(await texts({ path: file }), '1 2')
})

t.test('tail counts over block borders', async (t) => {
  const file = logFile(t)
  const long = dockerLogLine({ text: `${'y'.repeat(70_000)}\n`, timeNs: start })
  writeFileSync(file, numbered(1, 1) + long + numbered(2, 2) + long.repeat(3) + numbered(3, 3))
  const short = async (tail: number) => (await texts({ path: file, tail })).replace(/y+/g, 'y')
  t.equal(await short(1), '3')
  t.equal(await short(4), 'y y y 3')
  t.equal(await short(5), '2 y y y 3')
  t.equal(await short(7), '1 y 2 y y y 3')
})

/** Collects in the background; `until` resolves when so much has come. */
function follower(query: Partial<LogQuery> & { path: string }) {
  const ended = new AbortController()
  const signal = new AbortController()
  const found: string[] = []
  let notify = () => {}
  // Watches and deadlines of a reader do not keep a program running; in the daemon its client does.
  const alive = setInterval(() => {}, 10_000)
  const finished = (async () => {
    const records = logs.read({ ...all, follow: true, ended: ended.signal, signal: signal.signal, ...query })
    for await (const record of records) {
      found.push(textOf(record))
      notify()
    }
  })().finally(() => clearInterval(alive))
  const until = async (expected: string) => {
    while (found.join(' ') !== expected) {
      await Promise.race([
        new Promise<void>((resolve) => {
          notify = resolve
        }),
        finished.then(() => {
          if (found.join(' ') !== expected) throw new Error(`ended with ${found.join(' ')}, not ${expected}`)
        }),
      ])
    }
  }
  return { ended, signal, until, finished, found }
}

t.test('following delivers what is written until the end, and the rest after it', async (t) => {
  const file = logFile(t)
  const follow = follower({ path: file })
  writeFileSync(file, numbered(1, 1))
  await follow.until('1')
  appendFileSync(file, numbered(2, 3))
  await follow.until('1 2 3')
  const [head, tail] = [numbered(4, 4).slice(0, 30), numbered(4, 4).slice(30)]
  appendFileSync(file, head)
  appendFileSync(file, tail + numbered(5, 5))
  await follow.until('1 2 3 4 5')
  appendFileSync(file, numbered(6, 6))
  follow.ended.abort()
  await follow.finished
  t.equal(follow.found.join(' '), '1 2 3 4 5 6')
})

t.test('following goes on over rotations, several at once too', async (t) => {
  const file = logFile(t)
  const rotate = () => {
    if (existsSync(`${file}.1`)) renameSync(`${file}.1`, `${file}.2`)
    renameSync(file, `${file}.1`)
    writeFileSync(file, '')
  }
  writeFileSync(file, numbered(1, 2))
  const follow = follower({ path: file, tail: 1 })
  await follow.until('2')
  appendFileSync(file, numbered(3, 3))
  rotate()
  appendFileSync(file, numbered(4, 4))
  await follow.until('2 3 4')
  appendFileSync(file, numbered(5, 5))
  rotate()
  appendFileSync(file, numbered(6, 6))
  rotate()
  appendFileSync(file, numbered(7, 7))
  await follow.until('2 3 4 5 6 7')
  follow.ended.abort()
  await follow.finished
  t.equal(follow.found.join(' '), '2 3 4 5 6 7')
})

t.test('following goes on after truncation', async (t) => {
  const file = logFile(t)
  writeFileSync(file, numbered(1, 5))
  const follow = follower({ path: file })
  await follow.until('1 2 3 4 5')
  truncateSync(file)
  appendFileSync(file, numbered(6, 6))
  await follow.until('1 2 3 4 5 6')
  follow.ended.abort()
  await follow.finished
})

t.test('a client that leaves ends the reading at once', async (t) => {
  const file = logFile(t)
  writeFileSync(file, numbered(1, 1))
  const follow = follower({ path: file })
  await follow.until('1')
  follow.signal.abort()
  await follow.finished
  t.equal(follow.found.join(' '), '1')
})

t.test('following with a past `until` ends by itself', async (t) => {
  const file = logFile(t)
  writeFileSync(file, numbered(1, 3))
  const follow = follower({ path: file, untilNs: start + 2n * second })
  await follow.finished
  t.equal(follow.found.join(' '), '1 2')
  const empty = follower({ path: file, tail: 0, untilNs: start + 9n * second })
  await empty.finished
  t.equal(empty.found.join(' '), '')
})

t.test('a reader that stops early leaves nothing open', async (t) => {
  const file = logFile(t)
  writeFileSync(file, numbered(1, 100))
  const descriptors = () => readdirSync('/proc/self/fd').length
  const before = descriptors()
  for await (const record of logs.read({ ...all, path: file })) {
    t.equal(textOf(record), '1')
    break
  }
  t.equal(descriptors(), before)
})

t.test('chunks are Docker’s frames with the prefixes that were asked for', async (t) => {
  const file = logFile(t)
  const attributes = { b: 'x &y', a: "1'2" }
  const timeNs = start + 5n
  writeFileSync(
    file,
    dockerLogLine({ text: 'out\n', timeNs, attributes }) +
      dockerLogLine({ text: 'err <1>', stream: 'stderr', timeNs: start + second }),
  )
  const chunks = async (format: { multiplexed?: boolean; timestamps?: boolean; details?: boolean }) => {
    const plain = { multiplexed: false, timestamps: false, details: false }
    const found: Buffer[] = []
    for await (const chunk of logs.chunks({ ...all, path: file }, { ...plain, ...format })) found.push(chunk)
    return Buffer.concat(found)
  }
  t.equal((await chunks({})).toString(), 'out\nerr <1>')
  t.equal(
    (await chunks({ timestamps: true, details: true })).toString(),
    '2023-11-14T22:13:20.000000005Z a=1%272,b=x+%26y out\n2023-11-14T22:13:21.000000000Z  err <1>',
  )
  t.strictSame(
    await chunks({ multiplexed: true }),
    Buffer.from('\x01\0\0\0\0\0\0\x04out\n\x02\0\0\0\0\0\0\x07err <1>', 'latin1'),
  )
  const stamped = await chunks({ multiplexed: true, timestamps: true })
  t.equal(stamped.readUInt32BE(4), 31 + 4)
})
