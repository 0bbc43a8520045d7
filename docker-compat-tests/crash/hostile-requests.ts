/** Requests that no honest client sends, as bytes: built from the endpoint table by fast-check. */
import { servedEndpoints } from '@dockerd-ts/api'
import fc from 'fast-check'

export interface HostileRequest {
  bytes: Buffer
  /** Sent in pieces that end at these shares of the whole. */
  cuts: number[]
  /** After the last piece: `end` closes the sending side, `cut` destroys the connection, `hold` leaves it half open. */
  ending: 'end' | 'cut' | 'hold'
}

/** They reach out to the world, end the test's own container's peace, or stream for ever by design. */
const left = new Set(['ImageSearch', 'SystemAuth', 'ImageCreate', 'ImagePush', 'DistributionInspect', 'SystemEvents'])
const specs = servedEndpoints.flatMap((spec) => (left.has(spec.operation) ? [] : [spec]))

const awkward = fc.oneof(
  fc.constantFrom(
    ...['../../../../etc/passwd', '..%2f..%2f..%2fetc%2fpasswd', '%2e%2e/%2e%2e', '..', '.', '%00', 'a%00b', '%ff%fe'],
    ...[
      'victim',
      'victim/../victim',
      'a'.repeat(5000),
      '%',
      '%zz',
      '\u00e9\u4e16',
      '{}',
      'sha256:',
      `sha256:${'f'.repeat(64)}`,
    ],
    ...['-', '/', '//', 'x\ty', "';DROP TABLE containers;--", '$(reboot)', '__proto__', 'constructor', 'toString'],
  ),
  fc.string({ maxLength: 40 }).map(encodeURIComponent),
)

const wrongValue: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    -1,
    1.5,
    1e308,
    2 ** 53,
    '',
    'x',
    [],
    {},
    [[]],
    [null],
    { a: { b: [] } },
    '\ud800',
  ),
  fc.jsonValue({ maxDepth: 3 }),
)

const fields = [
  ...['Image', 'Cmd', 'Entrypoint', 'Env', 'HostConfig', 'Labels', 'ExposedPorts', 'Volumes', 'User', 'StopTimeout'],
  ...['NetworkingConfig', 'Healthcheck', 'Name', 'Driver', 'IPAM', 'Options', 'Container', 'EndpointConfig', 'Memory'],
  ...['AttachStdin', 'Tty', 'Detach', 'Privileged', 'RestartPolicy', '__proto__', 'constructor', 'h', 'w'],
]
const wrongObject = fc.dictionary(fc.constantFrom(...fields), wrongValue, { maxKeys: 5 })

const deep = (open: string, close: string, depth: number) => open.repeat(depth) + close.repeat(depth)

const body: fc.Arbitrary<Buffer> = fc.oneof(
  // No network is ever made with it: the driver is of the wrong type.
  { weight: 5, arbitrary: wrongObject.map((value) => Buffer.from(JSON.stringify({ ...value, Driver: [] }))) },
  { weight: 1, arbitrary: wrongValue.map((value) => Buffer.from(JSON.stringify(value) ?? '')) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 60_000 }).map((n) => Buffer.from(deep('[', ']', n))) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 20_000 }).map((n) => Buffer.from(deep('{"a":', '}', n))) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)) },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom('{"Image":', '{', '"', '\ufeff{}', '{}{}', '{"a":1,}', 'null', 'NaN')
      .map((s) => Buffer.from(s)),
  },
  {
    weight: 1,
    arbitrary: fc.constant(
      Buffer.concat([Buffer.from('{"Image":"'), Buffer.from([0xff, 0xfe, 0xc0]), Buffer.from('"}')]),
    ),
  },
)

const queryValue = fc.oneof(
  awkward,
  fc.constantFrom(
    '-1',
    '1e9',
    'NaN',
    '99999999999999999999',
    '{',
    '{"a"',
    '{"label":1}',
    '{"status":{"x":true}}',
    '[]',
  ),
  fc.integer({ min: 1, max: 5000 }).map((n) => encodeURIComponent(deep('{"a":', '}', n))),
)
const queryName = fc.constantFrom(
  ...['filters', 'limit', 'all', 'size', 'since', 'until', 'tail', 'follow', 'signal', 't', 'name', 'platform', 'path'],
  ...[
    'h',
    'w',
    'detachKeys',
    'force',
    'v',
    'link',
    'stdout',
    'stream',
    'one-shot',
    'scope',
    'verbose',
    'type',
    '__proto__',
  ],
)
const query = fc
  .array(fc.tuple(queryName, queryValue), { maxLength: 4 })
  .map((pairs) => pairs.map(([name, value]) => `${name}=${value}`).join('&'))

const version = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('', '/v1.24', '/v1.44') },
  fc.constantFrom(
    '/v0.1',
    '/v1.23',
    '/v9.99',
    '/v1.',
    '/v',
    '/v1.44/v1.44',
    '/v1.9999999999999999',
    '//',
    '/V1.44',
    '/v-1.4',
  ),
)

const target = fc
  .tuple(fc.constantFrom(...specs), fc.oneof(fc.constant('victim'), awkward), version, query)
  .map(([spec, name, prefix, text]) => ({
    spec,
    path: `${prefix}${spec.path.replaceAll(/\{[^}]*\}/g, () => name)}${text === '' ? '' : `?${text}`}`,
  }))

const method = fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'PATCH', 'OPTIONS', 'TRACE', 'FOO', 'get', '')

const headers = fc.array(
  fc.oneof(
    fc.constantFrom(
      ...[
        'X-Registry-Auth: !!!',
        'X-Registry-Config: e30',
        'Content-Type: text/plain',
        'Content-Type: \u00ff',
        'Expect: 100-continue',
      ],
      ...[
        'Accept-Encoding: gzip',
        'Host: \u0000',
        'Cookie: ;;;;',
        'Content-Encoding: gzip',
        'Connection: upgrade',
        ': x',
        'no colon',
        ' folded',
      ],
      ...['Upgrade: tcp', 'Upgrade: websocket', 'Sec-WebSocket-Key: x', 'Sec-WebSocket-Version: -1', 'Range: bytes=0-'],
    ),
    fc.integer({ min: 1, max: 1_200_000 }).map((n) => `X-Long: ${'a'.repeat(n)}`),
    fc.integer({ min: 1, max: 3000 }).map((n) => 'X-Many: 1\r\n'.repeat(n).trimEnd()),
  ),
  { maxLength: 3 },
)

type Framing = 'length' | 'chunked' | 'none' | 'short' | 'long' | 'both' | 'negative' | 'huge' | 'badChunk' | 'twice'
const framing = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom<Framing>('length', 'chunked') },
  fc.constantFrom<Framing>('none', 'short', 'long', 'both', 'negative', 'huge', 'badChunk', 'twice'),
)

function framed(content: Buffer, kind: Framing): { head: string[]; content: Buffer } {
  const chunk = (size: string) => Buffer.concat([Buffer.from(`${size}\r\n`), content, Buffer.from('\r\n0\r\n\r\n')])
  const length = (size: number | string) => `Content-Length: ${size}`
  const chunked = 'Transfer-Encoding: chunked'
  switch (kind) {
    case 'length':
      return { head: [length(content.length)], content }
    case 'chunked':
      return {
        head: [chunked],
        content: content.length === 0 ? Buffer.from('0\r\n\r\n') : chunk(content.length.toString(16)),
      }
    case 'none':
      return { head: [], content }
    case 'short':
      return { head: [length(Math.max(0, content.length - 3))], content }
    case 'long':
      return { head: [length(content.length + 100)], content }
    case 'both':
      return { head: [length(content.length), chunked], content: chunk(content.length.toString(16)) }
    case 'negative':
      return { head: [length(-5)], content }
    case 'huge':
      return { head: [length('99999999999999999999')], content }
    case 'badChunk':
      return { head: [chunked], content: chunk('zz;') }
    case 'twice':
      return { head: [length(content.length), length(content.length + 1)], content }
  }
}

const fromTable = fc
  .record({ target, method: fc.option(method, { freq: 4, nil: undefined }), headers, body, framing })
  .map(({ target: { spec, path }, method: other, headers: extra, body: content, framing: kind }) => {
    const { head, content: sent } = framed(content, kind)
    const type = extra.some((line) => line.startsWith('Content-Type')) ? [] : ['Content-Type: application/json']
    const start = `${other ?? spec.method} ${path} HTTP/1.1`
    const text = [start, 'Host: docker', ...type, ...head, ...extra, '', ''].join('\r\n')
    return Buffer.concat([Buffer.from(text), sent])
  })

const takeover = fc
  .tuple(
    fc.constantFrom(
      ...['/containers/victim/attach?stream=1&stdout=1', '/containers/victim/attach/ws?stream=1', '/exec/x/start'],
      ...['/session', '/grpc', '/v1.44/containers/victim/attach?stdin=1&stream=1', '/containers/victim/logs?follow=x'],
    ),
    fc.constantFrom('GET', 'POST'),
    fc.constantFrom('tcp', 'websocket', 'h2c', ''),
    fc.uint8Array({ maxLength: 300 }),
  )
  .map(([path, verb, protocol, junk]) => {
    const upgrade = [
      'Host: docker',
      'Connection: Upgrade',
      `Upgrade: ${protocol}`,
      'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
      'Sec-WebSocket-Version: 13',
    ]
    return Buffer.concat([
      Buffer.from([`${verb} ${path} HTTP/1.1`, ...upgrade, '', ''].join('\r\n')),
      Buffer.from(junk),
    ])
  })

const notHttp = fc.oneof(
  fc.uint8Array({ minLength: 1, maxLength: 2000 }).map((bytes) => Buffer.from(bytes)),
  fc
    .constantFrom(
      'GET',
      'GET /',
      'GET / HTTP/9.9\r\n\r\n',
      'GET / HTTP/1.1\n\n',
      '\r\n\r\n\r\n',
      '\x16\x03\x01\x02\x00',
      'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
      'GET /_ping HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n',
    )
    .map((text) => Buffer.from(text)),
)

const truncated = fc
  .tuple(fromTable, fc.double({ min: 0, max: 1, noNaN: true }))
  .map(([bytes, share]) => bytes.subarray(0, Math.floor(bytes.length * share)))

export const hostileRequest: fc.Arbitrary<HostileRequest> = fc.record({
  bytes: fc.oneof(
    { weight: 6, arbitrary: fromTable },
    { weight: 2, arbitrary: takeover },
    { weight: 1, arbitrary: notHttp },
    { weight: 1, arbitrary: truncated },
  ),
  cuts: fc
    .array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 2 })
    .map((cuts) => cuts.sort((a, b) => a - b)),
  ending: fc.oneof(
    { weight: 6, arbitrary: fc.constant('end' as const) },
    { weight: 2, arbitrary: fc.constant('cut' as const) },
    { weight: 1, arbitrary: fc.constant('hold' as const) },
  ),
})
