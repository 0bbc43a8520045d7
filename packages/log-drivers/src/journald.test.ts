import t from 'tap'
import { journaldDriver } from './journald.ts'
import { record, testOrigin } from './testing/records.ts'

/** Fields of one entry of the native protocol. */
function parse(bytes: Buffer): Record<string, string> {
  const fields: Record<string, string> = {}
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf('\n', at)
    const line = bytes.subarray(at, end).toString()
    const equals = line.indexOf('=')
    if (equals >= 0) {
      fields[line.slice(0, equals)] = line.slice(equals + 1)
      at = end + 1
    } else {
      const size = Number(bytes.readBigUInt64LE(end + 1))
      fields[line] = bytes.subarray(end + 9, end + 9 + size).toString()
      at = end + 9 + size + 1
    }
  }
  return fields
}

t.test('entries', async (t) => {
  const sent: Record<string, string>[] = []
  const driver = journaldDriver(async (_path, bytes) => void sent.push(parse(bytes)), '/dev/null')
  const attributes = { ...testOrigin.attributes, message: 'forged', '_hidden name': 'x', CONTAINER_ID: 'forged' }
  const target = driver.create({}, { ...testOrigin, attributes })
  await target.open()
  await target.send([record('hello\n'), record('two\nlines', 'stderr')])
  const fixed = {
    CONTAINER_ID: '0123456789ab',
    CONTAINER_ID_FULL: testOrigin.containerId,
    CONTAINER_NAME: 'web',
    CONTAINER_TAG: '0123456789ab',
    IMAGE_NAME: 'nginx:1',
    SYSLOG_IDENTIFIER: '0123456789ab',
    SYSLOG_TIMESTAMP: '2023-11-14T22:13:20.123456789Z',
    COM_EXAMPLE_TEAM: 'blue',
    MODE: 'a',
    HIDDEN_NAME: 'x',
  }
  t.same(sent, [
    { ...fixed, PRIORITY: '6', MESSAGE: 'hello' },
    { ...fixed, PRIORITY: '3', MESSAGE: 'two\nlines', CONTAINER_PARTIAL_MESSAGE: 'true' },
  ])
})

t.test('options, and a host without journald', async (t) => {
  const driver = journaldDriver(async () => undefined, '/no/such/socket')
  t.throws(() => driver.check({ nope: '1' }), { message: "unknown log opt 'nope' for journald log driver" })
  driver.check({ tag: 'x', 'labels-regex': '^a' })
  await t.rejects(driver.create({}, testOrigin).open(), { message: 'journald is not enabled on this host' })
})
