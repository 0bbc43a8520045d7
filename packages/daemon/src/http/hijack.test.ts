import type { Duplex } from 'node:stream'
import { encodeFrame } from '@dockerd-ts/api'
import { conflict, notFound } from '@dockerd-ts/core'
import t from 'tap'
import { exchangeOnce, listeningServer, RawClient } from './testing.ts'

const upgrade = 'Connection: Upgrade\r\nUpgrade: tcp\r\n'
const attach = (query = 'stream=1&stdin=1&stdout=1', headers = upgrade) =>
  `POST /v1.44/containers/c/attach?${query} HTTP/1.1\r\nHost: d\r\n${headers}\r\n`

/** Reads the connection to its end, then writes what it has read, in brackets. */
async function echoAtEnd(connection: Duplex): Promise<void> {
  let input = ''
  for await (const chunk of connection) input += String(chunk)
  connection.write(`[${input}]`)
}

const echo = { containers: { attach: async () => ({ multiplexed: false, run: echoAtEnd }) } }
const kinds = { upgraded: upgrade, plain: '' }

for (const [kind, headers] of Object.entries(kinds)) {
  t.test(`${kind}: stdin that looks like a request is stdin`, async (t) => {
    let pings = 0
    const server = await listeningServer({
      ...echo,
      system: { info: async () => Promise.reject(new Error(`request ${++pings}`)) },
    })
    t.teardown(server.stop)
    const client = new RawClient(server.socketPath)
    client.send(attach('stream=1&stdin=1', headers))
    await client.until('\r\n\r\n')
    client.send('GET /info HTTP/1.1\r\nHost: d\r\n\r\n')
    client.socket.end()
    t.match(await client.untilEnd(), '[GET /info HTTP/1.1\r\nHost: d\r\n\r\n]')
    t.equal(pings, 0, 'no second request was dispatched')
  })

  t.test(`${kind}: output that comes after the client's half-close arrives`, async (t) => {
    const server = await listeningServer({
      containers: {
        attach: async () => ({
          multiplexed: false,
          run: async (connection) => {
            for await (const _ of connection);
            // Several turns of the event loop after the end of the input.
            for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
            connection.write('late output')
          },
        }),
      },
    })
    t.teardown(server.stop)
    const client = new RawClient(server.socketPath)
    client.send(attach('stream=1&stdin=1', headers))
    await client.until('\r\n\r\n')
    client.socket.end('input')
    t.match(await client.untilEnd(), /late output$/)
  })
}

t.test('upgraded: stdin sent in the same packet as the request arrives', async (t) => {
  const server = await listeningServer(echo)
  t.teardown(server.stop)
  const client = new RawClient(server.socketPath)
  client.send(`${attach()}early input`)
  client.socket.end()
  t.match(await client.untilEnd(), '[early input]')
})

t.test('plain: what comes in the same packet as the request is not taken for a request', async (t) => {
  let infos = 0
  const server = await listeningServer({
    ...echo,
    exec: { start: async () => Promise.reject(notFound('No such exec instance: e')) },
    system: { info: async () => Promise.reject(new Error(`request ${++infos}`)) },
  })
  t.teardown(server.stop)
  for (const early of ['GET /info HTTP/1.1\r\nHost: d\r\n\r\n', 'no HTTP']) {
    const attached = new RawClient(server.socketPath)
    attached.send(`${attach('stream=1', '')}${early}`)
    await attached.until('\r\n\r\n')
    attached.socket.end('later')
    t.match(await attached.untilEnd(), /^HTTP\/1.1 200 OK\r\n.*\[later\]$/s, 'the session lives')
    const refused = new RawClient(server.socketPath)
    refused.send(`POST /exec/e/start HTTP/1.1\r\nHost: d\r\n\r\n${early}`)
    t.match(await refused.untilEnd(), /^HTTP\/1.1 404 Not Found\r\n.*instance: e"\}\n$/s, 'one answer, then the end')
  }
  t.equal(infos, 0)
})

t.test('upgraded: a body is divided from early stdin', async (t) => {
  const bodies: unknown[] = []
  const server = await listeningServer({
    exec: {
      start: async (_id, config) => {
        bodies.push(config)
        return { multiplexed: false, run: echoAtEnd }
      },
    },
  })
  t.teardown(server.stop)
  const start = (headers: string) =>
    `POST /exec/e/start HTTP/1.1\r\nHost: d\r\n${upgrade}Content-Type: application/json\r\n${headers}\r\n`
  const body = '{"Tty":true}'
  const cases = {
    'by Content-Length': [`${start(`Content-Length: ${body.length}\r\n`)}${body}stdin`],
    'by Content-Length, in pieces': [
      start(`Content-Length: ${body.length}\r\n`),
      body.slice(0, 5),
      `${body.slice(5)}st`,
      'din',
    ],
    chunked: [`${start('Transfer-Encoding: chunked\r\n')}c;x=y\r\n${body}\r\n0\r\nTrailer: t\r\n\r\nstdin`],
    'chunked, in pieces': [start('Transfer-Encoding: chunked\r\n'), 'c\r', '\n{"Tty"', ':true}\r\n0\r\n', '\r\nstdin'],
  }
  for (const [name, pieces] of Object.entries(cases)) {
    const client = new RawClient(server.socketPath)
    for (const piece of pieces) {
      client.send(piece)
      await new Promise((resolve) => setImmediate(resolve))
    }
    client.socket.end()
    t.match(await client.untilEnd(), /\[stdin\]$/, name)
    t.strictSame(bodies.pop(), { Tty: true }, name)
  }
})

t.test('a malformed chunked body of an upgrade is a 400', async (t) => {
  const server = await listeningServer()
  t.teardown(server.stop)
  const client = new RawClient(server.socketPath)
  client.send(`POST /exec/e/start HTTP/1.1\r\nHost: d\r\n${upgrade}Transfer-Encoding: chunked\r\n\r\nxyz\r\n`)
  t.match(await client.untilEnd(), /^HTTP\/1.1 400 .*"message":"invalid chunked encoding"/s)
})

t.test('the head of the answer', async (t) => {
  let multiplexed = true
  const server = await listeningServer({
    containers: { attach: async () => ({ multiplexed, run: async () => {} }) },
  })
  t.teardown(server.stop)
  const head = async (version: string, headers: string) => {
    const client = new RawClient(server.socketPath)
    client.send(`POST /v${version}/containers/c/attach?stdout=1&stream=1 HTTP/1.1\r\nHost: d\r\n${headers}\r\n`)
    const received = await client.untilEnd()
    client.socket.destroy()
    return received
  }
  const start = (type: string) =>
    `HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.${type}-stream\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n`
  t.ok((await head('1.42', upgrade)).startsWith(start('multiplexed')))
  t.ok((await head('1.41', upgrade)).startsWith(start('raw')), 'before 1.42 always raw')
  t.ok((await head('1.44', 'Upgrade: tcp\r\n')).startsWith(start('multiplexed')), 'Upgrade alone is enough')
  t.ok((await head('1.44', '')).startsWith('HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n'))
  multiplexed = false
  t.ok((await head('1.44', upgrade)).startsWith(start('raw')), 'a terminal is raw')
})

t.test("attach's errors are plain text on the connection, exec's are JSON", async (t) => {
  const server = await listeningServer({
    containers: { attach: async () => Promise.reject(notFound('No such container: c')) },
    exec: { start: async () => Promise.reject(conflict('exec has run already')) },
  })
  t.teardown(server.stop)
  for (const headers of [upgrade, '']) {
    const client = new RawClient(server.socketPath)
    client.send(attach('stream=1', headers))
    t.equal(
      await client.untilEnd(),
      'HTTP/1.1 404 Not Found\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\nNo such container: c\r\n',
    )
    client.socket.destroy()
  }
  const client = new RawClient(server.socketPath)
  client.send(`POST /exec/e/start HTTP/1.1\r\nHost: d\r\n${upgrade}\r\n`)
  const answer = await client.untilEnd()
  t.match(answer, /^HTTP\/1.1 409 Conflict\r\n/)
  t.match(answer, /Content-Type: application\/json\r\n/)
  t.match(answer, /\{"message":"exec has run already"\}\n$/)
})

t.test('a client that leaves aborts the session', async (t) => {
  const aborted = Promise.withResolvers<void>()
  const server = await listeningServer({
    containers: {
      attach: async () => ({
        multiplexed: false,
        run: (_connection, signal) =>
          new Promise((resolve) => {
            signal.addEventListener('abort', () => {
              aborted.resolve()
              resolve()
            })
            _connection.resume()
            const write = () => {
              if (signal.aborted) return
              _connection.write('x')
              setImmediate(write)
            }
            write()
          }),
      }),
    },
  })
  t.teardown(server.stop)
  const client = new RawClient(server.socketPath)
  client.send(attach())
  await client.until('x')
  client.socket.destroy()
  await aborted.promise
})

t.test("a session's failure is logged and ends the connection", async (t) => {
  const server = await listeningServer({
    containers: { attach: async () => ({ multiplexed: false, run: () => Promise.reject(new Error('broken')) }) },
  })
  t.teardown(server.stop)
  const client = new RawClient(server.socketPath)
  client.send(attach())
  await client.untilEnd()
  t.match(server.faults, [{ message: 'broken' }])
})

t.test('a detached exec is answered 200 and empty', async (t) => {
  const server = await listeningServer({ exec: { start: async () => undefined } })
  t.teardown(server.stop)
  const request = `POST /exec/e/start HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{"Detach":true}`
  t.match(await exchangeOnce(server.socketPath, request), /^HTTP\/1.1 200 OK\r\n.*Content-Length: 0\r\n/s)
})

t.test('upgrades that are not served are answered as if they were none', async (t) => {
  const server = await listeningServer()
  t.teardown(server.stop)
  const client = new RawClient(server.socketPath)
  client.send('GET /_ping HTTP/1.1\r\nHost: d\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n')
  t.match(await client.until('OK'), /^HTTP\/1.1 200 OK/)
  client.received = ''
  client.send('POST /session HTTP/1.1\r\nHost: d\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n')
  t.match(await client.until('\n'), /^HTTP\/1.1 501/)
  client.socket.destroy()
})

t.test('attach over a WebSocket', async (t) => {
  const server = await listeningServer({
    containers: {
      attach: async () => ({
        multiplexed: true,
        run: async (connection) => {
          let input = ''
          for await (const chunk of connection.iterator({ destroyOnReturn: false })) {
            input += String(chunk)
            if (input.endsWith('!')) break
          }
          const digest = `${input.length} ${input.slice(0, 8)}`
          connection.write(Buffer.concat([encodeFrame(1, Buffer.from(digest)), encodeFrame(2, Buffer.from(' err'))]))
        },
      }),
    },
  })
  t.teardown(server.stop)
  // Node's own client speaks TCP only.
  const { port } = (await server.listen({ host: '127.0.0.1', port: 0 })) as { port: number }
  const client = new WebSocket(`ws://127.0.0.1:${port}/v1.44/containers/c/attach/ws`)
  client.binaryType = 'arraybuffer'
  const closed = await new Promise<{ code: number; received: string }>((resolve) => {
    let received = ''
    client.onopen = () => {
      client.send('hello ')
      client.send(Buffer.alloc(70_000, 'x'))
      client.send('!')
    }
    client.onmessage = ({ data }) => {
      received += Buffer.from(data as ArrayBuffer).toString()
    }
    client.onclose = ({ code }) => resolve({ code, received })
  })
  t.strictSame(closed, { code: 1000, received: '70007 hello xx err' })
  t.match(await exchangeOnce(server.socketPath, 'GET /containers/c/attach/ws HTTP/1.1\r\n\r\n'), /^HTTP\/1.1 400 /)
})
