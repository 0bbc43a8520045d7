import { gunzipSync, inflateSync } from 'node:zlib'
import t from 'tap'
import { gelfChunks, gelfDriver } from './gelf.ts'
import { streamReceiver, udpReceiver } from './testing/receivers.ts'
import { record, testOrigin } from './testing/records.ts'

const driver = gelfDriver()

const expected = {
  version: '1.1',
  host: 'machine',
  short_message: 'hello',
  timestamp: 1_700_000_000.123,
  level: 6,
  _command: '/bin/sh -c x',
  _container_id: testOrigin.containerId,
  _container_name: 'web',
  _created: '2023-11-14T22:13:20.123Z',
  _image_id: testOrigin.imageId,
  _image_name: 'nginx:1',
  _tag: '0123456789ab',
  '_com.example/team': 'blue',
  _MODE: 'a',
}

t.test('options', async (t) => {
  const refused: [Record<string, string>, string][] = [
    [{}, 'gelf-address is a required parameter'],
    [{ 'gelf-address': 'x' }, 'gelf: endpoint needs to be TCP or UDP'],
    [{ 'gelf-address': 'unix:///x' }, 'gelf: endpoint needs to be TCP or UDP'],
    [{ 'gelf-address': 'udp://x' }, 'gelf: please provide gelf-address as proto://host:port'],
    [{ 'gelf-address': 'udp://x:1', nope: '1' }, 'unknown log opt "nope" for gelf log driver'],
    [{ 'gelf-address': 'tcp://x:1', 'gelf-compression-type': 'none' }, 'compression is only supported on UDP'],
  ]
  for (const [options, message] of refused) t.throws(() => driver.check(options), { message })
  t.throws(() => driver.check({ 'gelf-address': 'udp://x:1', 'gelf-compression-level': '12' }))
  t.throws(() => driver.check({ 'gelf-address': 'udp://x:1', 'gelf-compression-type': 'bzip2' }))
})

t.test('UDP, in each compression', async (t) => {
  const receiver = await udpReceiver(t)
  const unpack = { gzip: gunzipSync, zlib: inflateSync, none: (bytes: Buffer) => bytes }
  for (const [type, open] of Object.entries(unpack)) {
    const options = { 'gelf-address': `udp://127.0.0.1:${receiver.port}`, 'gelf-compression-type': type }
    const target = driver.create(options, testOrigin)
    t.teardown(() => target.close())
    await target.send([record('hello\n')])
    const [datagram] = await receiver.take(1)
    t.same(JSON.parse(open(datagram as Buffer).toString()), expected, type)
  }
})

t.test('a large message comes in chunks', async (t) => {
  const message = Buffer.from('0123456789'.repeat(1_000))
  const chunks = gelfChunks(message)
  t.equal(chunks.length, 8)
  const id = chunks[0]?.subarray(2, 10)
  for (const [index, chunk] of chunks.entries()) {
    t.ok(chunk.length <= 1_420)
    t.same([...chunk.subarray(0, 2), chunk[10], chunk[11]], [0x1e, 0x0f, index, 8])
    t.same(chunk.subarray(2, 10), id)
  }
  t.same(Buffer.concat(chunks.map((chunk) => chunk.subarray(12))), message)
  t.same(gelfChunks(Buffer.alloc(1_408 * 129)), [], 'more than the format allows is not sent')
})

t.test('TCP: messages end with a zero byte', async (t) => {
  const receiver = await streamReceiver(t)
  const options = { 'gelf-address': `tcp://127.0.0.1:${receiver.port}`, 'gelf-tcp-max-reconnect': '2' }
  const target = driver.create(options, testOrigin)
  t.teardown(() => target.close())
  t.same(target.retry, { delayMs: 1_000, maxAttempts: 3 })
  await target.send([record('hello\n'), record('bad\n', 'stderr')])
  const parts = (await receiver.until((bytes) => bytes.filter((byte) => byte === 0).length === 2))
    .toString()
    .split('\0')
  t.same(JSON.parse(parts[0] ?? ''), expected)
  t.match(JSON.parse(parts[1] ?? ''), { short_message: 'bad', level: 3 })
})
