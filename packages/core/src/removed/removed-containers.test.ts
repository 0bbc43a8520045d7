import t from 'tap'
import { armCrashPoint } from '../support/crash-point.ts'
import { settled, type TestEngine, testEngine } from '../testing/index.ts'

const hourMs = 60 * 60 * 1000
const keeping = (limitBytes = 1024 * 1024) => testEngine({ removed: { retentionMs: hourMs, limitBytes } })
const removal = { volumes: true, force: true, link: false }

const write = (test: TestEngine, id: string, text: string) =>
  test.state.logs.set(test.files.logPath(id), [
    { stream: 'stdout', timeNs: test.clock.nowNs(), line: Buffer.from(`${text}\n`) },
  ])

/** One that has said something and failed. */
async function ran(test: TestEngine, name: string, { text = `${name} was here`, body = {} } = {}): Promise<string> {
  const id = await test.create(body, name)
  await test.engine.containers.start(id, {})
  write(test, id, text)
  test.process().exit(3)
  await settled()
  return id
}

async function log(test: TestEngine, reference: string): Promise<string> {
  const options = { follow: true, stdout: true, stderr: true, timestamps: false, details: false, removed: true }
  const { signal } = new AbortController()
  const { chunks } = await test.engine.containers.logs(reference, { ...options, signal })
  let text = ''
  for await (const chunk of chunks) text += chunk.subarray(8)
  return text
}

const removed = async (test: TestEngine, filters = {}, limit = 0) =>
  (await test.engine.containers.list({ all: false, size: true, filters, limit, removed: true })).map(
    ({ Names, Status }) => `${Names[0]} ${Status}`,
  )

t.test('not unless it is asked for', async (t) => {
  const test = testEngine()
  const id = await ran(test, 'web')
  await test.engine.containers.remove(id, removal)
  t.strictSame(await removed(test), [])
  t.equal(test.state.kept.size, 0)
  t.equal(test.records.listRemoved().length, 0)
  await t.rejects(log(test, 'web'), { kind: 'notFound', message: 'No such removed container: web' })
  await t.rejects(test.engine.containers.why('web'), { kind: 'notFound', message: 'No such container: web' })
})

t.test('list, log and why of what was removed; Docker’s own answers do not know it', async (t) => {
  const test = keeping()
  const { containers } = test.engine
  const first = await ran(test, 'web', { text: 'first', body: { Labels: { a: '1' } } })
  await containers.remove('web', removal)
  await test.clock.advance(1_000)
  const second = await ran(test, 'web', { text: 'second' })
  await containers.remove('web', removal)
  await containers.remove(await test.create({}, 'never-ran'), removal)
  await test.clock.advance(120_000)
  t.strictSame(await containers.list({ all: true, size: false, filters: {} }), [])
  await t.rejects(containers.inspect('web', { size: false }), { message: 'No such container: web' })
  const status = 'Exited (3) 2 minutes ago, removed 2 minutes ago'
  t.strictSame(await removed(test), [`/web ${status}`, `/web ${status}`])
  t.equal((await removed(test, { label: ['a=1'] })).length, 1)
  t.equal((await removed(test, {}, 1)).length, 1)
  t.equal(await log(test, 'web'), 'second\n', 'of a name it is the last')
  t.equal(await log(test, first), 'first\n')
  t.equal(await log(test, second.slice(0, 12)), 'second\n')
  t.match(await containers.inspect('web', { size: true, removed: true }), {
    Id: second,
    Name: '/web',
    State: { Status: 'exited', ExitCode: 3 },
    LogPath: test.files.keptLogPath(second),
    GraphDriver: { Data: null },
    RemovedAt: /^\d{4}-/,
    SizeRw: undefined,
  })
  t.match(await containers.inspect(first, { size: false, removed: true }), { Config: { Labels: { a: '1' } } })
  await t.rejects(containers.inspect('nosuch', { size: false, removed: true }), {
    message: 'No such removed container: nosuch',
  })
  const why = { Id: second, Name: '/web', Status: 'exited', RemovedAt: /^\d{4}-/, Runs: [{ LastLines: ['second'] }] }
  t.match(await containers.why('web'), why)
  const third = await ran(test, 'web', { text: 'third' })
  t.match(await containers.why('web'), { Id: third, RemovedAt: undefined }, 'what is there comes first')
})

t.test('AutoRemove keeps too, with the last words', async (t) => {
  const test = keeping()
  await ran(test, 'job', { body: { HostConfig: { AutoRemove: true } } })
  await settled()
  t.match(await test.engine.containers.why('job'), { RemovedAt: /./, Runs: [{ LastLines: ['job was here'] }] })
})

t.test('another time or room counts at once after a reload', async (t) => {
  const keep = { retentionMs: hourMs, limitBytes: 1024 * 1024 }
  const test = testEngine({ removed: keep })
  for (const name of ['one', 'two']) await test.engine.containers.remove(await ran(test, name), removal)
  Object.assign(keep, { retentionMs: hourMs, limitBytes: 1 })
  test.engine.reloaded({})
  await settled()
  t.strictSame(await removed(test), [], 'none has room')
  Object.assign(keep, { retentionMs: 2 * hourMs, limitBytes: 1024 * 1024 })
  test.engine.reloaded({})
  await test.engine.containers.remove(await ran(test, 'three'), removal)
  await test.clock.advance(1.5 * hourMs)
  await settled()
  t.equal((await removed(test)).length, 1, 'the longer time counts')
  Object.assign(keep, { retentionMs: 0, limitBytes: 1024 * 1024 })
  test.engine.reloaded({})
  await settled()
  t.strictSame(await removed(test), [])
  t.equal(test.state.kept.size, 0, 'files are gone too')
})

t.test('their time ends, over restarts of the daemon too, and with the option', async (t) => {
  const test = keeping()
  await test.engine.containers.remove(await ran(test, 'one'), removal)
  await test.clock.advance(hourMs / 2)
  await test.engine.containers.remove(await ran(test, 'two'), removal)
  const next = test.restartDaemon()
  await next.engine.recover()
  t.equal((await removed(next)).length, 2)
  await next.clock.advance(hourMs / 2 + 1)
  await settled()
  t.strictSame([await removed(next), next.state.kept.size].flat().length, 2)
  t.match(await removed(next), [/^\/two/])
  next.die()
  await next.clock.advance(hourMs)
  const last = next.restartDaemon()
  await last.engine.recover()
  t.strictSame([await removed(last), last.state.kept.size, last.records.listRemoved().length], [[], 0, 0])
})

t.test('the oldest go when the rest needs their room; what never fits keeps its state without the log', async (t) => {
  const test = keeping(20_000)
  const text = 'x'.repeat(6_000)
  for (const name of ['one', 'two', 'three', 'four']) {
    await test.engine.containers.remove(await ran(test, name, { text }), removal)
    await settled()
  }
  const names = (await removed(test)).map((line) => line.split(' ')[0])
  t.ok(names.length < 4 && names.length > 0)
  t.equal(names[0], '/four')
  t.equal(test.state.kept.size, names.length)
  const bytes = test.records.listRemoved().reduce((sum, { logBytes, recordBytes }) => sum + logBytes + recordBytes, 0)
  t.ok(bytes <= 20_000)
  await test.engine.containers.remove(await ran(test, 'big', { text: 'x'.repeat(30_000) }), removal)
  await settled()
  t.match(await removed(test), [/^\/big Exited/])
  t.equal(await log(test, 'big'), '')
})

t.test('forgotten before its time', async (t) => {
  const test = keeping()
  await test.engine.containers.remove(await ran(test, 'web'), removal)
  await test.engine.containers.forget('/web')
  t.strictSame([await removed(test), test.state.kept.size, test.state.logs.size], [[], 0, 0])
  await t.rejects(test.engine.containers.forget('web'), { message: 'No such removed container: web' })
})

t.test('a removal that failed has removed nothing yet', async (t) => {
  const test = keeping()
  const id = await ran(test, 'web')
  test.state.failures.set('rootfs.remove', new Error('busy'))
  await t.rejects(test.engine.containers.remove(id, removal))
  t.strictSame(await removed(test), [])
  await test.engine.containers.remove(id, removal)
  t.match(await removed(test), [/^\/web Exited \(3\)/])
  t.equal(await log(test, 'web'), 'web was here\n')
})

t.test('killed anywhere in the removal, the next daemon keeps it once and whole', async (t) => {
  const points = [
    ...(['remove:recorded', 'remove:root-filesystem-removed', 'remove:log-kept', 'remove:files-removed'] as const),
    'remove:row-deleted' as const,
  ]
  for (const point of points) {
    for (const Volumes of [{}, { '/v': {} }]) {
      const first = keeping()
      const id = await ran(first, 'web', { body: { Volumes } })
      const disarm = armCrashPoint(point, () => first.die())
      void first.engine.containers.remove(id, removal).catch(() => {})
      await settled()
      disarm()
      const next = first.restartDaemon()
      await next.engine.recover()
      const message = `after ${point}`
      t.match(await removed(next), [/^\/web Exited \(3\)/], message)
      t.equal(await log(next, 'web'), 'web was here\n', message)
      t.strictSame([next.state.data.size, next.state.kept.size], [0, 1], message)
      await next.engine.containers.forget('web')
      t.strictSame([next.state.logs.size, next.records.listRemoved().length], [0, 0], message)
    }
  }
})
