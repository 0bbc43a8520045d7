import { Readable } from 'node:stream'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { encodeFrame } from '@dockerd-ts/api'
import { notFound } from '@dockerd-ts/core'
import t from 'tap'
import { testServer } from './fake-engine.ts'
import { exchangeOnce, listeningServer, RawClient } from './testing.ts'

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: d\r\n\r\n`
const post = (path: string) => `POST ${path} HTTP/1.1\r\nHost: d\r\n\r\n`

t.test('a pull that fails before its first message is an HTTP error', async (t) => {
  const { app } = testServer({
    images: {
      async *pull() {
        if (Date.now() > 0) throw notFound('pull access denied for x')
        yield {}
      },
    },
  })
  const reply = await app.inject({ method: 'POST', url: '/images/create?fromImage=x' })
  t.match(reply, { statusCode: 404, body: '{"message":"pull access denied for x"}\n' })
})

t.test('a pull that fails later says so in its last line', async (t) => {
  const { app } = testServer({
    images: {
      async *pull() {
        yield { status: 'Pulling from library/x', id: 'latest' }
        throw notFound('blob unknown')
      },
    },
  })
  const reply = await app.inject({ method: 'POST', url: '/images/create?fromImage=x' })
  t.match(reply, { statusCode: 200, headers: { 'content-type': 'application/json' } })
  t.equal(
    reply.body,
    '{"status":"Pulling from library/x","id":"latest"}\r\n{"errorDetail":{"message":"blob unknown"},"error":"blob unknown"}\r\n',
  )
})

t.test("a pull's headers wait for its first message, each message is sent at once", async (t) => {
  const steps = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const
  const server = await listeningServer({
    images: {
      async *pull() {
        await steps[0].promise
        yield { status: 'first' }
        await steps[1].promise
        yield { status: 'second' }
      },
    },
  })
  t.teardown(server.stop)
  const client = new RawClient(server.socketPath)
  client.send(post('/images/create?fromImage=x'))
  await exchangeOnce(server.socketPath, 'GET /_ping HTTP/1.1\r\n\r\n')
  t.equal(client.received, '')
  steps[0].resolve()
  t.notMatch(await client.until('first'), 'second')
  steps[1].resolve()
  await client.until('0\r\n\r\n')
  client.socket.destroy()
})

t.test('wait: the headers go out first, the result when it is there', async (t) => {
  const exit = Promise.withResolvers<{ StatusCode: number }>()
  const conditions: string[] = []
  const server = await listeningServer({
    containers: {
      wait: async (_reference, { condition }) => {
        conditions.push(condition)
        return { result: exit.promise }
      },
    },
  })
  t.teardown(server.stop)
  const client = new RawClient(server.socketPath)
  client.send(post('/v1.44/containers/c/wait?condition=next-exit'))
  t.match(await client.until('\r\n\r\n'), /^HTTP\/1.1 200 OK\r\n.*Content-Type: application\/json\r\n/s)
  exit.resolve({ StatusCode: 3 })
  t.match(await client.until('0\r\n\r\n'), '{"StatusCode":3}\n')
  client.socket.destroy()
  t.match(
    await exchangeOnce(server.socketPath, 'POST /containers/c/wait?condition=bad HTTP/1.1\r\n\r\n'),
    /^HTTP\/1.1 400 .*invalid condition/s,
  )
  t.match(
    await exchangeOnce(server.socketPath, 'POST /v1.29/containers/c/wait?condition=bad HTTP/1.1\r\n\r\n'),
    /^HTTP\/1.1 200 .*Content-Length: 17/s,
  )
  t.strictSame(conditions, ['next-exit', 'not-running'], 'before 1.30 the condition is not read')
})

t.test('logs: headers before the first byte; the type names the framing', async (t) => {
  const more = Promise.withResolvers<void>()
  let multiplexed = true
  const server = await listeningServer({
    containers: {
      logs: async () => ({
        multiplexed,
        chunks: (async function* () {
          await more.promise
          yield encodeFrame(1, Buffer.from('line\n'))
        })(),
      }),
    },
  })
  t.teardown(server.stop)
  const client = new RawClient(server.socketPath)
  client.send(get('/v1.42/containers/c/logs?stdout=1&follow=1'))
  t.match(await client.until('\r\n\r\n'), 'Content-Type: application/vnd.docker.multiplexed-stream\r\n')
  more.resolve()
  t.match(await client.until('0\r\n\r\n'), '\x01\0\0\0\0\0\0\x05line\n')
  client.socket.destroy()
  t.match(
    await exchangeOnce(server.socketPath, 'GET /v1.41/containers/c/logs?stdout=1 HTTP/1.1\r\n\r\n'),
    'vnd.docker.raw-stream',
  )
  multiplexed = false
  t.match(
    await exchangeOnce(server.socketPath, 'GET /containers/c/logs?stdout=1 HTTP/1.1\r\n\r\n'),
    'vnd.docker.raw-stream',
  )
  t.match(
    await exchangeOnce(server.socketPath, 'GET /containers/c/logs HTTP/1.1\r\n\r\n'),
    /^HTTP\/1.1 400 .*you must choose at least one stream/s,
  )
})

t.test('a client that leaves aborts what it asked for', async (t) => {
  const requests = {
    events: get('/events'),
    logs: get('/containers/c/logs?stdout=1'),
    wait: post('/containers/c/wait'),
    pull: post('/images/create?fromImage=x'),
  }
  for (const [call, request] of Object.entries(requests)) {
    const aborted = Promise.withResolvers<void>()
    const listen = ({ signal }: { signal: AbortSignal }) => signal.addEventListener('abort', () => aborted.resolve())
    const never = new Promise<never>(() => {})
    async function* endless(options: { signal: AbortSignal }) {
      listen(options)
      yield call === 'logs' ? Buffer.from('begun') : { status: 'begun' }
      await never
    }
    const server = await listeningServer({
      system: { events: endless as never },
      images: { pull: endless as never },
      containers: {
        logs: async (_reference, options) => ({ multiplexed: false, chunks: endless(options) as never }),
        wait: async (_reference, options) => {
          listen(options)
          return { result: never }
        },
      },
    })
    t.teardown(server.stop)
    const client = new RawClient(server.socketPath)
    client.send(request)
    await client.until('\r\n\r\n')
    client.socket.destroy()
    await aborted.promise
    t.pass(call)
  }
})

t.test('a slow reader stops the source, and both go on', async (t) => {
  let produced = 0
  const chunk = Buffer.alloc(64 * 1024, 'x')
  const server = await listeningServer({
    containers: {
      logs: async () => ({
        multiplexed: false,
        chunks: (async function* () {
          for (; produced < 400; produced++) yield chunk
        })(),
      }),
    },
  })
  t.teardown(server.stop)
  const client = new RawClient(server.socketPath)
  client.socket.pause()
  client.send('GET /containers/c/logs?stdout=1 HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n')
  let before = -1
  // It stops by itself once the buffers between are full.
  while (produced === 0 || produced !== before) {
    before = produced
    for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve))
  }
  t.ok(produced < 400, `stopped after ${produced} chunks`)
  client.socket.removeAllListeners('data')
  let receivedBytes = 0
  client.socket.on('data', (data: Buffer) => {
    receivedBytes += data.length
  })
  client.socket.resume()
  await client.untilEnd()
  t.equal(produced, 400)
  t.ok(receivedBytes > 400 * chunk.length, 'all of it arrived')
})

t.test('an archive that breaks off is cut, so that nobody takes it for whole', async (t) => {
  const broken = () =>
    Readable.from(
      (async function* () {
        yield Buffer.from('half')
        throw new Error('disk gone')
      })(),
    )
  const server = await listeningServer({ containers: { export: async () => broken() } })
  t.teardown(server.stop)
  const answer = await exchangeOnce(server.socketPath, 'GET /containers/c/export HTTP/1.1\r\n\r\n')
  t.notMatch(answer, '0\r\n\r\n')
})

t.test('an archive that fails before its first byte is an HTTP error', async (t) => {
  const { app } = testServer({
    containers: {
      export: async () =>
        Readable.from(
          (async function* () {
            if (Date.now() > 0) throw notFound('gone')
            yield Buffer.alloc(0)
          })(),
        ),
    },
  })
  t.match(await app.inject('/containers/c/export'), { statusCode: 404 })
})

t.test('events: framing by Accept, all digits of the time, older keys', async (t) => {
  const event = {
    Type: 'container',
    Action: 'start',
    Actor: { ID: 'abc', Attributes: { image: 'x', name: 'n' } },
    scope: 'local',
    time: 1_732_438_434,
    timeNano: 1_732_438_434_123_456_789n,
  }
  const { app } = testServer({
    system: {
      async *events() {
        yield event
      },
    },
  })
  const text =
    '{"Type":"container","Action":"start","Actor":{"ID":"abc","Attributes":{"image":"x","name":"n"}},"scope":"local","time":1732438434,"timeNano":1732438434123456789}\n'
  const ask = async (url: string, accept: string) => {
    const reply = await app.inject({ url, headers: { accept } })
    return [reply.headers['content-type'], reply.body]
  }
  t.strictSame(await ask('/events', '*/*'), ['application/jsonl', text])
  t.strictSame(await ask('/events', 'application/x-ndjson'), ['application/x-ndjson', text])
  t.strictSame(await ask('/events', 'text/html, application/json-seq;q=0.9'), ['application/json-seq', `\x1e${text}`])
  t.strictSame(await ask('/v1.51/events', 'application/json-seq'), [
    'application/json',
    `{"status":"start","id":"abc","from":"x",${text.slice(1)}`,
  ])
  t.match(await app.inject('/events?since=5&until=3'), {
    statusCode: 400,
    body: '{"message":"`since` time (5) cannot be after `until` time (3)"}\n',
  })
})

t.test('docker cp: the stat header, and the body as it comes', async (t) => {
  const stat = { name: 'f', size: 3, mode: 420, mtime: '2026-01-01T00:00:00Z', linkTarget: '' }
  const stored: unknown[] = []
  const { app } = testServer({
    containers: {
      statPath: async () => stat,
      getArchive: async () => ({ stat, tar: Readable.from([Buffer.from('tar')]) }),
      putArchive: async (reference, { body, ...request }) => {
        let text = ''
        for await (const chunk of body) text += String(chunk)
        stored.push([reference, request, text])
      },
    },
  })
  const header = Buffer.from(JSON.stringify(stat)).toString('base64')
  const head = await app.inject({ method: 'HEAD', url: '/containers/c/archive?path=/f' })
  t.match(head, { statusCode: 200, headers: { 'x-docker-container-path-stat': header } })
  const archive = await app.inject('/containers/c/archive?path=/f')
  t.match(archive, {
    body: 'tar',
    headers: { 'x-docker-container-path-stat': header, 'content-type': 'application/x-tar' },
  })
  const put = await app.inject({
    method: 'PUT',
    url: '/containers/c/archive?path=/d&noOverwriteDirNonDir=true',
    payload: 'content',
    headers: { 'content-type': 'text/plain' },
  })
  t.match(put, { statusCode: 200, body: '' })
  t.strictSame(stored, [['c', { path: '/d', noOverwriteDirNonDir: true, copyUidGid: false }, 'content']])
  t.match(await app.inject('/containers/c/archive'), { statusCode: 400 })
})

t.test('stats: one object without stream, many with', async (t) => {
  const queries: unknown[] = []
  const { app } = testServer({
    containers: {
      stats: async (_reference, { stream, oneShot }) => {
        queries.push({ stream, oneShot })
        return (async function* () {
          yield { id: 'c', os_type: 'linux' } as never
          if (stream) yield { id: 'c', os_type: 'linux' } as never
        })()
      },
    },
  })
  t.equal((await app.inject('/containers/c/stats?stream=0&one-shot=1')).body, '{"id":"c","os_type":"linux"}\n')
  t.equal((await app.inject('/v1.40/containers/c/stats?one-shot=1')).body, '{"id":"c"}\n{"id":"c"}\n')
  t.strictSame(queries, [
    { stream: false, oneShot: true },
    { stream: true, oneShot: false },
  ])
  t.match(await app.inject('/containers/c/stats?one-shot=1'), { statusCode: 400 })
})

t.test('what was sent of a long answer is not kept until its end', async (t) => {
  setFlagsFromString('--expose-gc')
  const collectGarbage = runInNewContext('gc') as () => void
  const chunkCount = 64
  const chunks: WeakRef<Buffer>[] = []
  let kept = Number.NaN
  const server = await listeningServer({
    containers: {
      logs: async () => ({
        multiplexed: false,
        chunks: (async function* () {
          for (let index = 0; index < chunkCount; index += 1) {
            const chunk = Buffer.alloc(1024, 97)
            chunks.push(new WeakRef(chunk))
            yield chunk
            await new Promise((resolve) => setImmediate(resolve))
          }
          collectGarbage()
          kept = chunks.filter((chunk) => chunk.deref() !== undefined).length
        })(),
      }),
    },
  })
  t.teardown(server.stop)
  const client = new RawClient(server.socketPath)
  client.send(get('/containers/c/logs?stdout=1'))
  await client.until('0\r\n\r\n')
  client.socket.destroy()
  t.ok(kept < chunkCount / 4, `${kept} of ${chunkCount} chunks were kept`)
})
