import { appendFile, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { undeliveredRecords } from './undelivered-records.ts'

const line = (text: string, second: number) =>
  `${JSON.stringify({ log: `${text}\n`, stream: 'stdout', time: new Date(second * 1000).toISOString() })}\n`

async function logIn(t: { teardown(end: () => Promise<void>): void }): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'undelivered-'))
  t.teardown(() => rm(directory, { recursive: true }))
  return join(directory, 'x-json.log')
}

/** Everything that is there; `confirm` says for which texts delivery is remembered. */
async function take(path: string, confirm: (texts: string[]) => boolean = () => true): Promise<string[]> {
  const taken: string[] = []
  const ended = AbortSignal.abort()
  for await (const batch of undeliveredRecords({ path, ended, signal: new AbortController().signal })) {
    const texts = batch.records.map((record) => record.line.toString().trimEnd())
    taken.push(...texts)
    if (confirm(texts)) await batch.delivered()
  }
  return taken
}

t.test('each record once, over calls', async (t) => {
  const path = await logIn(t)
  await writeFile(path, line('one', 1) + line('two', 2))
  t.same(await take(path), ['one', 'two'])
  t.same(await take(path), [])
  await appendFile(path, line('three', 3))
  t.same(await take(path), ['three'])
})

t.test('what was not confirmed comes again', async (t) => {
  const path = await logIn(t)
  await writeFile(path, line('one', 1))
  t.same(await take(path, () => false), ['one'])
  t.same(await take(path), ['one'])
})

t.test('a rotation in between loses nothing and repeats nothing', async (t) => {
  const path = await logIn(t)
  await writeFile(path, line('one', 1))
  t.same(await take(path), ['one'])
  await appendFile(path, line('two', 2))
  await rename(path, `${path}.1`)
  await writeFile(path, line('three', 3))
  t.same(await take(path), ['two', 'three'])
  await rename(`${path}.1`, `${path}.2`)
  await rename(path, `${path}.1`)
  await writeFile(path, line('four', 4))
  t.same(await take(path), ['four'])
})

t.test('after compression the time tells what is new', async (t) => {
  const path = await logIn(t)
  await writeFile(path, line('one', 1))
  t.same(await take(path), ['one'])
  await appendFile(path, line('two', 2))
  await writeFile(`${path}.1.gz`, gzipSync(await readFile(path)))
  await rm(path)
  await writeFile(path, line('three', 3))
  t.same(await take(path), ['two', 'three'])
})

t.test('a file that was emptied is read anew; a damaged memory of it is no obstacle', async (t) => {
  const path = await logIn(t)
  await writeFile(path, line('one', 1) + line('two', 2))
  t.same(await take(path), ['one', 'two'])
  await writeFile(path, line('three', 3))
  t.same(await take(path), ['three'])
  await writeFile(`${path}.delivered`, '{"identity":')
  t.same(await take(path), ['three'])
})

t.test('a line that is still being written is given when it is whole', async (t) => {
  const path = await logIn(t)
  const [start, rest] = [line('one', 1).slice(0, 10), line('one', 1).slice(10)]
  await writeFile(path, start)
  const ended = new AbortController()
  const batches = undeliveredRecords({ path, ended: ended.signal, signal: new AbortController().signal })
  const first = batches.next()
  await appendFile(path, rest)
  t.equal((await first).value?.records[0]?.line.toString(), 'one\n')
  ended.abort()
  t.equal((await batches.next()).done, true)
})
