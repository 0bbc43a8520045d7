/** The client against servers that speak HTTP in every way a daemon or a proxy before it may. */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import t from 'tap'
import { ApiClient, collect, compareVersions, encodeQuery, jsonValues } from './api-client.ts'
import { ByteReader } from './byte-reader.ts'
import { daemonAddress, parseHost } from './endpoint.ts'
import { demultiplex, sourceOf } from './streams.ts'

interface Peer {
  api: ApiClient
  received: string[]
}

/** A server that answers each request's head with what `answer` returns, byte for byte. */
async function peer(
  t: Tap.Test,
  answer: (request: string, socket: Socket) => string | undefined,
  fixedVersion?: string,
): Promise<Peer> {
  const directory = mkdtempSync(join(tmpdir(), 'dts-client-'))
  const path = join(directory, 's')
  const received: string[] = []
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('data', (chunk) => {
      const request = chunk.toString()
      received.push(request)
      const reply = answer(request, socket)
      if (reply !== undefined) socket.write(reply)
    })
    socket.on('error', () => {})
  })
  await new Promise<void>((resolve) => server.listen(path, resolve))
  const api = new ApiClient(daemonAddress(`unix://${path}`), {}, fixedVersion)
  t.teardown(() => {
    api.close()
    server.close()
    rmSync(directory, { recursive: true })
  })
  return { api, received }
}

declare namespace Tap {
  interface Test {
    teardown(handler: () => unknown): void
  }
}

const ok = (body: string, type = 'application/json') =>
  `HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
const ping = (version: string) => `HTTP/1.1 200 OK\r\nApi-Version: ${version}\r\nContent-Length: 0\r\n\r\n`

t.test('the lower of both versions is used, and asked for once', async (t) => {
  const { api, received } = await peer(t, (request) => (request.startsWith('HEAD /_ping') ? ping('1.41') : ok('[]')))
  t.same(await api.json('GET', '/x'), [])
  t.same(await api.json('GET', '/y', { query: { b: 1, a: 'x y' } }), [])
  t.match(received[1], /^GET \/v1\.41\/x HTTP/)
  t.match(received[2], /^GET \/v1\.41\/y\?a=x\+y&b=1 HTTP/)
  t.equal(received.length, 3)
})

t.test("a daemon newer than this client is spoken to in this client's version", async (t) => {
  const { api } = await peer(t, () => ping('1.99'))
  t.equal(await api.version(), '1.50')
})

t.test('chunked bodies come in pieces, in order', async (t) => {
  const { api } = await peer(
    t,
    () =>
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nTrailer: z\r\n\r\n',
    '1.40',
  )
  t.equal(await api.text('GET', '/x'), 'hello world')
  t.equal(await api.text('GET', '/x'), 'hello world', 'the connection can be used again')
})

t.test('a body without a length ends with the connection', async (t) => {
  const { api } = await peer(
    t,
    (_, socket) => {
      socket.end('HTTP/1.0 200 OK\r\n\r\nall of it')
      return undefined
    },
    '1.40',
  )
  t.equal(await api.text('GET', '/x'), 'all of it')
})

t.test("errors carry the daemon's words and status", async (t) => {
  const { api } = await peer(
    t,
    () =>
      `HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nContent-Length: 31\r\n\r\n{"message":"No such thing: x"}\n`,
    '1.40',
  )
  await t.rejects(api.call('GET', '/x'), { message: 'Error response from daemon: No such thing: x', status: 404 })
})

t.test('an error that is not JSON is shown as it is', async (t) => {
  const { api } = await peer(
    t,
    () => 'HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\nContent-Length: 7\r\n\r\n<oops>\n',
    '1.40',
  )
  await t.rejects(api.call('GET', '/x'), { message: 'Error response from daemon: <oops>' })
})

t.test('a refusal while the body is still being sent is reported', async (t) => {
  const { api } = await peer(
    t,
    (request, socket) => {
      if (!request.startsWith('POST')) return undefined
      socket.end('HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nno')
      return undefined
    },
    '1.40',
  )
  const endless = (async function* () {
    for (;;) yield Buffer.alloc(65536)
  })()
  await t.rejects(api.call('POST', '/x', { body: endless }), { message: 'Error response from daemon: no' })
})

t.test('an upgrade keeps the bytes that came with the answer, and half-closes', async (t) => {
  const { api } = await peer(
    t,
    (request, socket) => {
      if (!request.startsWith('POST')) return undefined
      socket.on('end', () => socket.end('late'))
      return 'HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nearly'
    },
    '1.40',
  )
  const connection = await api.hijack('/x')
  t.equal((await connection.reader.chunk())?.toString(), 'early')
  connection.socket.end()
  t.equal((await connection.reader.chunk())?.toString(), 'late')
  t.equal(await connection.reader.chunk(), undefined)
})

t.test('a refused upgrade is an error of the daemon', async (t) => {
  const { api } = await peer(
    t,
    () =>
      'HTTP/1.1 409 Conflict\r\nContent-Type: application/vnd.docker.raw-stream\r\nContent-Length: 7\r\n\r\npaused\n',
    '1.40',
  )
  await t.rejects(api.hijack('/x'), { message: 'Error response from daemon: paused', status: 409 })
})

t.test('a daemon that is not there', async (t) => {
  const api = new ApiClient(daemonAddress('unix:///nonexistent/docker.sock'), {}, undefined)
  await t.rejects(api.call('GET', '/x'), {
    message: 'Cannot connect to the Docker daemon at unix:///nonexistent/docker.sock. Is the docker daemon running?',
  })
})

t.test('framed output is taken apart, however it is cut', async (t) => {
  const frame = (stream: number, text: string) =>
    Buffer.concat([Buffer.from([stream, 0, 0, 0, 0, 0, 0, text.length]), Buffer.from(text)])
  const whole = Buffer.concat([frame(1, 'out1'), frame(2, 'err'), frame(0, 'in'), frame(1, '')])
  for (const size of [1, 3, 7, 100]) {
    const seen = { out: '', err: '' }
    const pieces = (async function* () {
      for (let at = 0; at < whole.length; at += size) yield whole.subarray(at, at + size)
    })()
    await demultiplex(sourceOf(pieces), {
      out: (bytes) => (seen.out += Buffer.from(bytes)),
      err: (bytes) => (seen.err += Buffer.from(bytes)),
    })
    t.same(seen, { out: 'out1in', err: 'err' })
  }
})

t.test("the daemon's own error in a stream ends it", async (t) => {
  const bytes = Buffer.concat([Buffer.from([3, 0, 0, 0, 0, 0, 0, 4]), Buffer.from('oops')])
  const source = sourceOf(
    (async function* () {
      yield bytes
    })(),
  )
  await t.rejects(demultiplex(source, { out: () => {}, err: () => {} }), {
    message: 'error from daemon in stream: oops',
  })
})

t.test('streamed JSON may be cut anywhere', async (t) => {
  const text = Buffer.from('{"a":"é"}\r\n{"a":"2"}\n\n{"a":"3"}')
  const pieces = (async function* () {
    for (const byte of text) yield Buffer.from([byte])
  })()
  const values: unknown[] = []
  for await (const value of jsonValues(pieces)) values.push(value)
  t.same(values, [{ a: 'é' }, { a: '2' }, { a: '3' }])
})

t.test('a reader bounds what it returns and keeps the rest', async (t) => {
  const stream = new PassThrough()
  const reader = new ByteReader(stream)
  stream.end('line one\r\nrest')
  t.equal(await reader.line(), 'line one')
  t.equal((await reader.chunk(2))?.toString(), 're')
  t.equal((await reader.exactly(2))?.toString(), 'st')
  t.equal(await reader.exactly(1), undefined)
})

t.test('collect stops at its limit', async (t) => {
  const endless = (async function* () {
    for (;;) yield Buffer.alloc(10)
  })()
  t.ok((await collect(endless, 95)).length <= 95)
})

t.test('hosts are completed', async (t) => {
  t.equal(parseHost('', false), 'unix:///var/run/docker.sock')
  t.equal(parseHost('example.com', false), 'tcp://example.com:2375')
  t.equal(parseHost('tcp://example.com', true), 'tcp://example.com:2376')
  t.equal(parseHost('tcp://:1234/prefix', false), 'tcp://localhost:1234/prefix')
  t.equal(parseHost('tcp://example.com:80', false), 'tcp://example.com:80')
  t.equal(parseHost('127.0.0.1:1', false), 'tcp://127.0.0.1:1')
  t.equal(parseHost(':1', false), 'tcp://localhost:1')
  t.equal(parseHost('[::1]:1', false), 'tcp://[::1]:1')
  t.equal(parseHost('::1', true), 'tcp://[::1]:2376')
  t.equal(parseHost('/tmp/x.sock', false), 'tcp://localhost:2375/tmp/x.sock')
  t.throws(() => parseHost('[::1', false), new Error(`parse "tcp://[::1": missing ']' in host`))
  t.throws(() => parseHost('unix:foo', false), new Error('parse "tcp://unix:foo": invalid port ":foo" after host'))
  t.throws(() => parseHost('bad://x', false), new Error('invalid bind address format: bad://x'))
  t.match(daemonAddress('tcp://h:1/p'), { protocol: 'tcp', address: 'h:1', basePath: '/p' })
})

t.test("queries are written like Go's", async (t) => {
  t.equal(encodeQuery({ z: ['a', 'b'], a: "it's (x)!*", n: undefined }), '?a=it%27s+%28x%29%21%2A&z=a&z=b')
  t.ok(compareVersions('1.9', '1.41') < 0)
})
