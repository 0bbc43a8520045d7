import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer } from 'node:tls'
import t from 'tap'
import { syslogDriver } from './syslog.ts'
import { syslogMessage } from './syslog-format.ts'
import { streamReceiver, udpReceiver } from './testing/receivers.ts'
import { record, testOrigin } from './testing/records.ts'

process.env.TZ = 'UTC'
const none = async () => {
  throw new Error('no datagram was expected')
}
const driver = syslogDriver(none)
const pid = process.pid

t.test('formats', async (t) => {
  const source = { facility: 3, hostname: 'machine', tag: 'web', processId: 7 }
  const text = (format: Parameters<typeof syslogMessage>[1]) =>
    syslogMessage(record('hello\n'), format, source).toString()
  t.equal(text('unix'), '<30>Nov 14 22:13:20 web[7]: hello\n')
  t.equal(text('rfc3164'), '<30>Nov 14 22:13:20 machine web[7]: hello\n')
  t.equal(text('rfc5424'), '<30>1 2023-11-14T22:13:20Z machine web 7 web - hello\n')
  t.equal(text('rfc5424micro'), '<30>1 2023-11-14T22:13:20.123456Z machine web 7 web - hello\n')
  t.match(
    syslogMessage(record('x', 'stderr'), 'unix', source).toString(),
    /^<27>.*: x\n$/,
    'an error; no line of its own',
  )
})

t.test('options', async (t) => {
  const refused: [Record<string, string>, string][] = [
    [{ nope: '1' }, "unknown log opt 'nope' for syslog log driver"],
    [{ 'syslog-address': 'localhost' }, "unsupported scheme: ''"],
    [{ 'syslog-address': 'http://x' }, "unsupported scheme: 'http'"],
    [{ 'syslog-address': 'unix:///no/such' }, 'stat /no/such: no such file or directory'],
    [{ 'syslog-facility': 'nope' }, 'invalid syslog facility'],
    [{ 'syslog-format': 'rfc1' }, 'Invalid syslog format'],
  ]
  for (const [options, message] of refused) t.throws(() => driver.check(options), { message })
  driver.check({ 'syslog-address': 'udp://[::1]:1514', 'syslog-facility': 'local7', tag: '{{.ID}}', labels: 'a' })
})

t.test('TCP: in order, and again after the connection broke', async (t) => {
  const receiver = await streamReceiver(t)
  const target = driver.create(
    { 'syslog-address': `tcp://127.0.0.1:${receiver.port}`, 'syslog-facility': 'user' },
    testOrigin,
  )
  t.teardown(() => target.close())
  await target.open()
  await target.send([record('one\n'), record('two\n', 'stderr')])
  const line = (priority: number, text: string) => `<${priority}>Nov 14 22:13:20 0123456789ab[${pid}]: ${text}\n`
  t.equal((await receiver.until((bytes) => bytes.includes('two'))).toString(), line(14, 'one') + line(11, 'two'))
  for (const socket of receiver.connections) socket.destroy()
  while (receiver.connections.size > 0) await new Promise((resolve) => setImmediate(resolve))
  // Whether the break is seen before or during the write, who sends tries again.
  await target.send([record('three\n')]).catch(() => target.send([record('three\n')]))
  await receiver.until((bytes) => bytes.includes('three'))
})

t.test('nobody listens: the words of Go', async (t) => {
  const receiver = await streamReceiver(t)
  await receiver.close()
  const target = driver.create({ 'syslog-address': `tcp://127.0.0.1:${receiver.port}` }, testOrigin)
  const message = `dial tcp 127.0.0.1:${receiver.port}: connect: connection refused`
  await t.rejects(target.open(), { message })
  await t.rejects(target.send([record('x\n')]), { message })
})

t.test('TLS: verified, octets counted with RFC 5424', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'syslog-tls-'))
  t.teardown(() => rmSync(directory, { recursive: true }))
  const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')]
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1']
  execFileSync(
    'openssl',
    ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-keyout', key, '-out', cert, ...subject],
    {
      stdio: 'ignore',
    },
  )
  const receiver = await streamReceiver(t, {
    server: createServer({ key: readFileSync(key), cert: readFileSync(cert) }),
  })
  const address = { 'syslog-address': `tcp+tls://127.0.0.1:${receiver.port}`, 'syslog-format': 'rfc5424' }
  const stranger = driver.create(address, testOrigin)
  await t.rejects(stranger.open(), { message: /self.signed certificate/ })
  const target = driver.create({ ...address, 'syslog-tls-ca-cert': cert }, testOrigin)
  t.teardown(() => target.close())
  await target.send([record('hello\n')])
  const text = `<30>1 2023-11-14T22:13:20Z machine 0123456789ab ${pid} 0123456789ab - hello\n`
  t.equal((await receiver.until((bytes) => bytes.includes('\n'))).toString(), `${text.length} ${text}`)
  const careless = driver.create({ ...address, 'syslog-tls-skip-verify': 'true' }, testOrigin)
  t.teardown(() => careless.close())
  await careless.open()
})

t.test('UDP: a datagram each', async (t) => {
  const receiver = await udpReceiver(t)
  const target = driver.create({ 'syslog-address': `udp://127.0.0.1:${receiver.port}` }, testOrigin)
  t.teardown(() => target.close())
  await target.send([record('one\n'), record('two\n')])
  t.match((await receiver.take(2)).map(String), [/: one\n$/, /: two\n$/])
})

t.test('a local socket that is full is waited for', async (t) => {
  const sent: string[] = []
  let full = 2
  const local = syslogDriver(async (path, bytes) => {
    if (full-- > 0) throw Object.assign(new Error('full'), { code: 'EAGAIN' })
    sent.push(`${path} ${bytes}`)
  })
  const target = local.create({ 'syslog-address': 'unixgram:///dev/null' }, testOrigin)
  await target.open()
  await target.send([record('one\n'), record('two\n')])
  t.match(sent, [/^\/dev\/null <30>.*: one\n$/, /^\/dev\/null <30>.*: two\n$/])
})
