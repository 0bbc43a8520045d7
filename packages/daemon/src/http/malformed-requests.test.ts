import { servedEndpoints } from '@dockerd-ts/api'
import { notFound } from '@dockerd-ts/core'
import t from 'tap'
import { listeningServer, RawClient } from './testing.ts'

const seed = Number(process.env.TEST_SEED ?? 20_241_124)

/** mulberry32: the same requests for the same seed. */
function randomSource(start: number): (below: number) => number {
  let state = start
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

const random = randomSource(seed)
const pick = <T>(values: readonly T[]): T => values[random(values.length)] as T
const bytes = (length: number) => String.fromCharCode(...Array.from({ length }, () => random(256)))

const oddities = [
  '',
  '0',
  'null',
  '-1',
  '1e999',
  '%',
  '%00',
  '%zz',
  '%ff%fe',
  '../..',
  '\u0000',
  '{',
  '[]',
  '"',
  'a'.repeat(5000),
]
const bodies = [
  '',
  '{}',
  'null',
  '[]',
  '"x"',
  '1',
  '{',
  '{"a":',
  '{"Image":{}}',
  '{"HostConfig":[1]}',
  '{"__proto__":{"x":1}}',
]
const deep = '['.repeat(2000) + ']'.repeat(2000)

function path(): string {
  const { path } = pick(servedEndpoints)
  const filled = path.replaceAll(/\{\w+\}/g, () => encodeURIComponent(pick(oddities)) || 'x')
  const prefix = pick(['', '', '/v1.44', '/v1.24', '/v9', '/v', '/v1..2', '//'])
  const parameters = ['all', 'filters', 'limit', 'h', 'w', 'since', 'platform', 'stream', 'condition', 'x'].map(
    (name) =>
      `${name}=${pick([encodeURIComponent(pick(oddities)), pick(oddities).replaceAll(/[\s\0]/g, ''), '{"a":1}'])}`,
  )
  return `${prefix}${filled}?${parameters.slice(random(10)).join('&')}`
}

function request(): string {
  const method = pick(['GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH', 'get', ''])
  const body = pick([...bodies, deep, bytes(random(200))])
  const headers = [
    pick(['Host: d', 'Host:', 'Host: d', 'Host: d', 'X: y']),
    pick(['Content-Type: application/json', 'Content-Type: application/json', 'Content-Type: x', 'Content-Type:', '']),
    pick([
      `Content-Length: ${body.length}`,
      `Content-Length: ${body.length}`,
      'Content-Length: 5',
      'Content-Length: -1',
      'Transfer-Encoding: chunked',
    ]),
    pick([
      '',
      '',
      'Upgrade: tcp\r\nConnection: Upgrade',
      'Upgrade: tcp',
      'Upgrade: websocket\r\nConnection: upgrade',
      'Connection: Upgrade',
    ]),
    pick([
      '',
      '',
      `X-Registry-Auth: ${Buffer.from(bytes(20), 'latin1').toString('base64')}`,
      `X: ${'y'.repeat(random(3000))}`,
    ]),
  ]
  const line = pick([
    `${method} ${path()} HTTP/1.1`,
    `${method} ${path()} HTTP/1.1`,
    `${method} ${path()} HTTP/1.0`,
    bytes(30),
  ])
  return `${line}\r\n${headers.filter((header) => header !== '').join('\r\n')}\r\n\r\n${body}`
}

t.test('1,000 malformed requests: no crash, no 5xx that is not refused on purpose', async (t) => {
  const methods = new Proxy({}, { has: () => true, get: () => async () => Promise.reject(notFound('no such thing')) })
  const streaming = new Proxy({}, { has: () => true, get: (_, name) => answer(String(name)) })
  const server = await listeningServer({
    system: streaming,
    containers: methods,
    exec: methods,
    images: streaming,
    networks: methods,
    volumes: methods,
  } as never)
  t.teardown(server.stop)
  const statuses = new Map<string, number>()
  for (let index = 0; index < 1000; index++) {
    const text = request()
    const client = new RawClient(server.socketPath)
    client.send(text)
    // A request that is incomplete is given up.
    client.socket.end()
    const answer = await client.untilEnd()
    client.socket.destroy()
    const status = /^HTTP\/1\.1 (\d+)/.exec(answer)?.[1] ?? 'none'
    statuses.set(status, (statuses.get(status) ?? 0) + 1)
    if (/^5/.test(status) && !/not supported|swarm|experimental/.test(answer)) {
      t.fail(`seed ${seed}, request ${index}: ${status}`, { text, answer })
    }
  }
  t.strictSame(server.faults, [])
  t.ok((statuses.get('400') ?? 0) > 100 && (statuses.get('404') ?? 0) > 100, JSON.stringify([...statuses]))
  const healthy = new RawClient(server.socketPath)
  healthy.send('GET /_ping HTTP/1.1\r\nHost: d\r\n\r\n')
  t.match(await healthy.until('OK'), /^HTTP\/1.1 200/, 'the server still answers')
  healthy.socket.destroy()
})

function answer(name: string) {
  if (!['events', 'pull', 'import', 'load', 'push'].includes(name)) {
    return async () => Promise.reject(notFound('no such thing'))
  }
  return async function* () {
    // Its headers are out before the first event, so that a failure could no longer be answered.
    if (name !== 'events') throw notFound('no such thing')
    yield* []
  }
}
