import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decode, type ExtData, encode } from '@msgpack/msgpack'
import t from 'tap'
import { fluentdDriver } from './fluentd.ts'
import { streamReceiver } from './testing/receivers.ts'
import { record, testOrigin } from './testing/records.ts'

const driver = fluentdDriver()

const isWhole = (bytes: Buffer): boolean => {
  try {
    decode(bytes)
    return true
  } catch {
    return false
  }
}

const expected = {
  'com.example/team': 'blue',
  MODE: 'a',
  container_id: testOrigin.containerId,
  container_name: '/web',
  source: 'stdout',
  log: 'hello',
}

t.test('options', async (t) => {
  const refused: [Record<string, string>, string][] = [
    [{ nope: '1' }, "unknown log opt 'nope' for fluentd log driver"],
    [{ 'fluentd-address': 'http://x' }, "invalid fluentd-address (http://x): unsupported scheme: 'http'"],
    [{ 'fluentd-address': 'unix://' }, 'invalid fluentd-address (unix://): path is empty'],
    [{ 'fluentd-address': 'a b:x' }, 'invalid fluentd-address (a b:x): invalid host or port'],
    [{ 'fluentd-buffer-limit': 'x' }, "invalid size: 'x'"],
  ]
  for (const [options, message] of refused) t.throws(() => driver.check(options), { message })
  t.throws(() => driver.check({ 'fluentd-async': 'maybe' }), { message: /ParseBool/ })
  t.throws(() => driver.check({ 'fluentd-async-reconnect-interval': '1ms' }), { message: /between 100ms and 10s/ })
  driver.check({ 'fluentd-address': 'host', 'fluentd-retry-wait': '2s', 'fluentd-max-retries': '3' })
})

t.test('entries over TCP and over a Unix socket', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'fluentd-'))
  t.teardown(() => rmSync(directory, { recursive: true }))
  const overTcp = await streamReceiver(t)
  const overUnix = await streamReceiver(t, { at: join(directory, 'socket') })
  for (const [receiver, address] of [
    [overTcp, `127.0.0.1:${overTcp.port}`],
    [overUnix, `unix://${join(directory, 'socket')}`],
  ] as const) {
    const target = driver.create({ 'fluentd-address': address }, testOrigin)
    t.teardown(() => target.close())
    await target.open()
    await target.send([record('hello\n'), record('part', 'stderr')])
    const message = decode(await receiver.until(isWhole))
    t.same(message, [
      '0123456789ab',
      [
        [1_700_000_000, expected],
        [1_700_000_000, { ...expected, source: 'stderr', log: 'part', partial_message: 'true' }],
      ],
      {},
    ])
  }
})

t.test('with nanoseconds', async (t) => {
  const receiver = await streamReceiver(t)
  const options = { 'fluentd-address': `tcp://127.0.0.1:${receiver.port}`, 'fluentd-sub-second-precision': 'true' }
  const target = driver.create(options, testOrigin)
  t.teardown(() => target.close())
  await target.send([record('hello\n')])
  const [, [[time]]] = decode(await receiver.until(isWhole)) as [string, [[ExtData]]]
  t.equal(time.type, 0)
  const bytes = Buffer.from(time.data as Uint8Array)
  t.same([bytes.readUInt32BE(0), bytes.readUInt32BE(4)], [1_700_000_000, 123_456_789])
})

t.test('acknowledged: only then are records sent; another answer or none is a failure', async (t) => {
  let answer: (chunk: unknown) => Buffer | undefined = (chunk) => Buffer.from(encode({ ack: chunk }))
  let pending = Buffer.alloc(0)
  const receiver = await streamReceiver(t, {
    onData: (socket, bytes) => {
      pending = Buffer.concat([pending, bytes])
      if (!isWhole(pending)) return
      const [, , { chunk }] = decode(pending) as [string, unknown, { chunk: unknown }]
      pending = Buffer.alloc(0)
      const reply = answer(chunk)
      if (reply === undefined) socket.destroy()
      // In pieces, as a network may deliver it.
      else for (const byte of reply) socket.write(Buffer.of(byte))
    },
  })
  const options = { 'fluentd-address': `tcp://127.0.0.1:${receiver.port}`, 'fluentd-request-ack': 'true' }
  const target = driver.create(options, testOrigin)
  t.teardown(() => target.close())
  await target.send([record('one\n')])
  await target.send([record('two\n')])
  answer = () => Buffer.from(encode({ ack: 'other' }))
  await t.rejects(target.send([record('three\n')]), { message: 'fluentd acknowledged another message' })
  answer = () => undefined
  await t.rejects(target.send([record('three\n')]), { message: /closed the connection|broken pipe/ })
  answer = (chunk) => Buffer.from(encode({ ack: chunk }))
  await target.send([record('three\n')])
})

t.test('asynchronous: the start does not depend on it', async (t) => {
  const receiver = await streamReceiver(t)
  await receiver.close()
  const address = { 'fluentd-address': `127.0.0.1:${receiver.port}` }
  await t.rejects(driver.create(address, testOrigin).open(), { message: /connection refused/ })
  const target = driver.create({ ...address, 'fluentd-async': 'true' }, testOrigin)
  t.equal(target.neverHolds, true)
  await target.open()
  await t.rejects(target.send([record('x\n')]), { message: /connection refused/ })
})
