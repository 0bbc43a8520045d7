import fc from 'fast-check'
import t from 'tap'
import { defineEndpoint } from '../endpoints/define-endpoint.ts'
import { ContainerCreateRequest, NetworkCreateRequest } from '../schemas/index.ts'
import { parseJsonBody } from './body.ts'
import { checkJsonContentType } from './content-type.ts'
import { formatFilters, parseFilters } from './filters.ts'
import { InvalidRequest } from './invalid-request.ts'
import { parseQuery, splitQuery } from './query.ts'
import { decodeRegistryAuth, encodeRegistryAuth } from './registry-auth.ts'
import { parseBoolean, parseInteger, parsePlatform, parseTimestampNs, parseUint32 } from './scalars.ts'

t.test('booleans', (t) => {
  for (const text of ['', '0', 'no', 'NO', 'false', 'False', 'none', ' 0 ']) t.equal(parseBoolean(text), false, text)
  for (const text of ['1', 'true', 'yes', 'x', '2', 'nope']) t.equal(parseBoolean(text), true, text)
  t.end()
})

t.test('numbers', (t) => {
  t.equal(parseInteger('-1'), -1)
  t.equal(parseUint32('4294967295'), 4_294_967_295)
  for (const text of ['', 'x', '1.5', '1e3', ' 1', '0x1']) t.throws(() => parseInteger(text), InvalidRequest, text)
  for (const text of ['-1', '4294967296']) t.throws(() => parseUint32(text), { message: /value out of range/ })
  t.end()
})

t.test('timestamps in seconds with a fraction', (t) => {
  t.equal(parseTimestampNs('1136073600'), 1_136_073_600_000_000_000n)
  t.equal(parseTimestampNs('1136073600.000000001'), 1_136_073_600_000_000_001n)
  t.equal(parseTimestampNs('1.5'), 1_500_000_000n)
  t.equal(parseTimestampNs('1.1234567899'), 1_123_456_789n)
  t.equal(parseTimestampNs('-2.5'), -2_500_000_000n)
  for (const text of ['x', '1.', '2006-01-02', '1.5.5']) t.throws(() => parseTimestampNs(text), InvalidRequest, text)
  t.end()
})

t.test('platforms in both forms', (t) => {
  t.equal(parsePlatform('linux/arm64/v8'), 'linux/arm64/v8')
  t.equal(parsePlatform('{"os":"linux","architecture":"arm","variant":"v7"}'), 'linux/arm/v7')
  t.equal(parsePlatform('{"os":"linux","architecture":"amd64"}'), 'linux/amd64')
  for (const text of ['{', '{}', '{"os":1,"architecture":"a"}']) t.throws(() => parsePlatform(text), InvalidRequest)
  t.end()
})

t.test('filters in both forms', (t) => {
  const allowed = ['label', 'status']
  t.strictSame(parseFilters('{"label":{"a=b":true,"c":true}}', allowed), { label: ['a=b', 'c'] })
  t.strictSame(parseFilters('{"label":["a=b","a=b"],"status":null}', allowed), { label: ['a=b'], status: [] })
  for (const text of ['', 'null', '{}']) t.strictSame(parseFilters(text, allowed), {})
  t.throws(() => parseFilters('{"x":["a"]}', allowed), { message: "invalid filter 'x'" })
  for (const text of ['bad', '[]', '1', '{"label":"a"}', '{"label":[1]}', '{"label":{"a":1}}']) {
    t.throws(() => parseFilters(text, allowed), { message: 'invalid filter' }, text)
  }
  fc.assert(
    fc.property(fc.uniqueArray(fc.string(), { minLength: 1 }), (values) => {
      t.strictSame(parseFilters(formatFilters({ label: values }) ?? '', allowed).label?.toSorted(), values.toSorted())
    }),
    { numRuns: 50 },
  )
  t.equal(formatFilters({ label: [] }), undefined)
  t.end()
})

t.test('queries', (t) => {
  t.strictSame(
    [...splitQuery('a=1&a=2&b&c=%2F+x&&=v')],
    [
      ['a', ['1', '2']],
      ['b', ['']],
      ['c', ['/ x']],
      ['', ['v']],
    ],
  )
  t.throws(() => splitQuery('a=%zz'), { message: 'invalid URL escape "%zz"' })
  t.throws(() => splitQuery('a=%4'), InvalidRequest)
  t.strictSame(splitQuery('a=%ff').get('a'), ['\ufffd'])
  const endpoint = defineEndpoint({
    operation: 'X',
    method: 'GET',
    path: '/x',
    transport: 'json',
    query: {
      s: 'string',
      l: 'strings',
      b: 'boolean',
      d: 'booleanTrue',
      i: 'integer',
      t: 'timestamp',
      e: 'eventTime',
      p: 'platforms',
    },
  })
  const absent = { s: undefined, l: [], b: false, d: true, i: undefined, t: undefined, e: undefined, p: [] }
  t.strictSame(parseQuery(endpoint, ''), absent)
  t.strictSame(parseQuery(endpoint, 's=&l=&b=&d=&i=&t=0&e=-1&p=&other=1'), { ...absent, l: [''], d: false })
  t.strictSame(parseQuery(endpoint, 's=x&s=y&l=1&l=2&b=1&d=0&i=3&t=1&e=0&p=a/b'), {
    s: 'x',
    l: ['1', '2'],
    b: true,
    d: false,
    i: 3,
    t: 1_000_000_000n,
    e: 0n,
    p: ['a/b'],
  })
  t.end()
})

t.test('bodies are read as Go reads them', (t) => {
  const read = (text: string) => parseJsonBody(ContainerCreateRequest, text)
  t.strictSame(read('{"image":"a","ENTRYPOINT":"sh","Cmd":["a",null],"Tty":null}'), {
    Image: 'a',
    Entrypoint: ['sh'],
    Cmd: ['a', ''],
  })
  t.strictSame(read('{"Labels":{"Key":null},"Volumes":{"/v":null},"ExposedPorts":{"80/tcp":{"x":1}}}'), {
    Labels: { Key: '' },
    Volumes: { '/v': {} },
    ExposedPorts: { '80/tcp': {} },
  })
  t.strictSame(read('{"HostConfig":{"PortBindings":{"80/tcp":null,"81/tcp":[null]},"capadd":"SYS_TIME"}}'), {
    HostConfig: { PortBindings: { '80/tcp': null, '81/tcp': [{}] }, CapAdd: ['SYS_TIME'] },
  })
  t.strictSame(read('{"NetworkingConfig":{"EndpointsConfig":{"Net":null}}}'), {
    NetworkingConfig: { EndpointsConfig: { Net: null } },
  })
  t.strictSame(read('{"HostConfig":{"Memory":9223372036854771712}}'), {
    HostConfig: { Memory: 2 ** 63 - 4096 },
  })
  for (const text of ['', 'null', '{}', '{"__proto__":{"x":1}}', '{"constructor":1}'])
    t.strictSame(read(text), {}, text)
  t.throws(() => read('{"Labels":[]}'), { message: /^invalid JSON: Labels: expected record/ })
  t.throws(() => read('{} {}'), { message: 'unexpected content after JSON' })
  t.strictSame(read('{} }'), {}, 'as Go reads it')
  t.throws(() => read('{"Labels":1} {}'), { message: /^invalid JSON: Labels/ }, 'the value is judged first')
  t.throws(() => read(' '), { message: 'invalid JSON: got EOF while reading request body' })
  t.throws(() => read('{"HostConfig":{"BlkioWeight":70000}}'), InvalidRequest)
  t.throws(() => parseJsonBody(NetworkCreateRequest, '{"EnableIPv6":"x"}'), InvalidRequest)
  fc.assert(
    fc.property(fc.json({ maxDepth: 5 }), (text) => {
      try {
        read(text)
      } catch (error) {
        if (!(error instanceof InvalidRequest)) throw error
      }
    }),
    { numRuns: 300 },
  )
  t.end()
})

t.test('content types of JSON bodies', (t) => {
  for (const type of [
    'application/json',
    'APPLICATION/JSON',
    'application/json; charset="utf-8"',
    'application/json;',
  ]) {
    t.doesNotThrow(() => checkJsonContentType(type, true), type)
  }
  t.doesNotThrow(() => checkJsonContentType(undefined, false))
  t.throws(() => checkJsonContentType(undefined, true), {
    message: 'malformed Content-Type header (): mime: no media type',
  })
  t.throws(() => checkJsonContentType('text/plain', false), {
    message: /unsupported Content-Type header \(text\/plain\)/,
  })
  t.throws(() => checkJsonContentType('a;;b', true), { message: /invalid media parameter/ })
  t.end()
})

t.test('registry credentials in both alphabets; what is invalid is ignored', (t) => {
  const auth = { username: 'ü>>>???', password: 'p~~~' }
  const encoded = encodeRegistryAuth(auth)
  t.match(encoded, /^[\w=-]+$/)
  t.strictSame(decodeRegistryAuth(encoded), auth)
  t.strictSame(decodeRegistryAuth(Buffer.from(JSON.stringify(auth)).toString('base64')), auth)
  t.strictSame(decodeRegistryAuth(encoded.replaceAll('=', '')), auth)
  for (const header of [undefined, '', 'e30=', '!!!', 'bnVsbA==', 'eyJ1c2VybmFtZSI6MX0='])
    t.equal(decodeRegistryAuth(header), undefined)
  t.end()
})
