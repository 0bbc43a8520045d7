import { endpoints, newestApiVersion, servedEndpoints, unservedOperations } from '@dockerd-ts/api'
import { EngineError, type ErrorKind } from '@dockerd-ts/core'
import t from 'tap'
import { fakeEngine, testServer } from './fake-engine.ts'
import { allRoutes } from './routes/index.ts'
import { exchangeOnce, listeningServer, RawClient } from './testing.ts'

const json = { 'content-type': 'application/json' }

t.test('every endpoint and every refused operation of the table has one route', async (t) => {
  const routed = allRoutes(fakeEngine(), { serverVersion: '1' }).map(({ endpoint }) => endpoint.operation)
  const expected = [...servedEndpoints, ...unservedOperations].map(({ operation }) => operation)
  t.strictSame(routed.sort(), expected.sort())
})

t.test('the negotiation headers are on every reply', async (t) => {
  const { app } = testServer()
  for (const url of ['/_ping', '/version', '/nope', '/v1.99/version', '/services']) {
    const { headers } = await app.inject(url)
    t.match(headers, {
      'api-version': newestApiVersion,
      'docker-experimental': 'false',
      ostype: 'linux',
      server: 'Docker/1.0.0 (linux)',
    })
  }
})

t.test('each request is counted from its beginning to the end of its answer', async (t) => {
  const counts = { began: 0, over: 0 }
  const onRequest = () => {
    counts.began += 1
    return () => {
      counts.over += 1
    }
  }
  const stopping = Promise.withResolvers<void>()
  const asked = Promise.withResolvers<void>()
  const stop = () => {
    asked.resolve()
    return stopping.promise
  }
  const { app } = testServer({ containers: { stop } } as never, { onRequest })
  const answer = app.inject({ method: 'POST', url: '/containers/c/stop' }).then(({ statusCode }) => statusCode)
  await asked.promise
  t.same(counts, { began: 1, over: 0 })
  stopping.reject(new Error('failed'))
  t.equal(await answer, 500)
  t.same(counts, { began: 1, over: 1 })
})

t.test('ping', async (t) => {
  const { app } = testServer({}, { builderVersion: '2' })
  const get = await app.inject('/_ping')
  t.equal(get.body, 'OK')
  const head = await app.inject({ method: 'HEAD', url: '/v1.24/_ping' })
  t.equal(head.body, '')
  for (const { statusCode, headers } of [get, head]) {
    t.equal(statusCode, 200)
    t.match(headers, {
      'builder-version': '2',
      swarm: 'inactive',
      'cache-control': 'no-cache, no-store, must-revalidate',
      pragma: 'no-cache',
      'content-type': 'text/plain; charset=utf-8',
    })
  }
  t.equal(head.headers['content-length'], '0')
})

t.test('unknown paths and wrong methods are 404 page not found', async (t) => {
  const { app } = testServer()
  const requests = [
    ['GET', '/nope'],
    ['POST', '/_ping'],
    ['GET', '/v1.44'],
    ['GET', '/'],
    ['GET', '/info/'],
    ['GET', '/v9.9/nope'],
    ['GET', '/V1.44/_ping'],
    ['PATCH', '/info'],
    ['PROPFIND', '/info'],
    ['GET', '/ContainerList'],
  ] as const
  for (const [method, url] of requests) {
    const reply = await app.inject({ method: method as 'GET', url })
    t.equal(reply.statusCode, 404, `${method} ${url}`)
    t.equal(reply.headers['content-type'], 'application/json')
    t.equal(reply.body, '{"message":"page not found"}\n')
  }
})

t.test('OPTIONS is 200 and empty; unclean paths are redirected; broken escapes are 400', async (t) => {
  const { app } = testServer()
  t.match(await app.inject({ method: 'OPTIONS', url: '/v1.44/any/thing' }), { statusCode: 200, body: '' })
  t.match(await app.inject('/containers//json?all=1'), {
    statusCode: 301,
    headers: { location: '/containers/json?all=1' },
  })
  t.match(await app.inject('/%zz'), { statusCode: 400, body: '400 Bad Request' })
})

t.test('versions out of range, and endpoints newer than the version', async (t) => {
  const { app } = testServer()
  const message = async (url: string) => {
    const reply = await app.inject({ method: 'POST', url })
    return [reply.statusCode, (reply.json() as { message: string }).message]
  }
  t.strictSame(await message('/v1.23/containers/create'), [
    400,
    'client version 1.23 is too old. Minimum supported API version is 1.24, please upgrade your client to a newer version',
  ])
  t.strictSame(await message('/v1.56/containers/create'), [
    400,
    `client version 1.56 is too new. Maximum supported API version is ${newestApiVersion}`,
  ])
  t.strictSame(await message('/v1.24/containers/prune'), [404, 'page not found'])
  t.strictSame(await message('/v1/containers/create'), [
    400,
    'client version 1 is too old. Minimum supported API version is 1.24, please upgrade your client to a newer version',
  ])
})

t.test("the engine's errors", async (t) => {
  const statuses: Record<ErrorKind, number> = {
    invalidArgument: 400,
    unauthorized: 401,
    forbidden: 403,
    notFound: 404,
    conflict: 409,
    notModified: 304,
    notImplemented: 501,
    unavailable: 503,
    internal: 500,
  }
  for (const [kind, status] of Object.entries(statuses)) {
    const message = 'no <html> & "escapes"'
    const start = async () => Promise.reject(new EngineError(kind as ErrorKind, message))
    const { app, faults } = testServer({ containers: { start } })
    const reply = await app.inject({ method: 'POST', url: '/containers/c/start' })
    t.equal(reply.statusCode, status, kind)
    t.equal(faults.length, 0, 'thrown on purpose: no fault')
    if (status === 304) t.equal(reply.body, '')
    else {
      t.equal(reply.body, '{"message":"no <html> & \\"escapes\\""}\n')
      t.equal(reply.headers['content-type'], 'application/json', 'exactly: the Go client compares it')
    }
  }
})

t.test('an unexpected error is 500 and logged with its stack', async (t) => {
  const server = testServer()
  const reply = await server.app.inject('/info')
  t.match(reply, { statusCode: 500, body: '{"message":"system.info failed"}\n' })
  t.match(server.faults, [{ stack: /system.info failed/ }])
})

t.test('names may hold slashes, escaped or not', async (t) => {
  const names: string[] = []
  const { app } = testServer({
    images: {
      history: async (name) => {
        names.push(name)
        return []
      },
    },
  })
  await app.inject('/images/docker.io/library/x:3/history')
  await app.inject('/v1.44/images/registry:5000%2Fa%2Fb@sha256:abc/history')
  await app.inject('/images/a/history/history')
  t.strictSame(names, ['docker.io/library/x:3', 'registry:5000/a/b@sha256:abc', 'a/history'])
})

t.test('JSON bodies', async (t) => {
  const bodies: unknown[] = []
  const { app } = testServer({
    containers: {
      create: async ({ body }) => {
        bodies.push(body)
        return { Id: 'x', Warnings: [] }
      },
    },
  })
  const post = (payload: string, headers: Record<string, string> = json) =>
    app.inject({ method: 'POST', url: '/containers/create?name=n', payload, headers })
  t.match(
    await post('{"iMaGe":"i","CMD":"one","hostconfig":{"MEMORY":5,"Binds":null},"Labels":{"MixedCase":"v"},"x":1}'),
    {
      statusCode: 201,
      body: '{"Id":"x","Warnings":[]}\n',
    },
  )
  t.strictSame(bodies, [{ Image: 'i', Cmd: ['one'], HostConfig: { Memory: 5 }, Labels: { MixedCase: 'v' } }])
  const refused: [string, string, Record<string, string>?][] = [
    ['', 'invalid JSON: got EOF while reading request body'],
    ['{}', 'config cannot be empty in order to create a container'],
    ['null', 'config cannot be empty in order to create a container'],
    ['{"HostConfig":{}}', 'config cannot be empty in order to create a container'],
    ['{"Image":"x"} {}', 'unexpected content after JSON'],
    ['{"Image":5}', 'invalid JSON: Image: expected string, received number'],
    ['{"HostConfig":{"Memory":1.5}}', 'invalid JSON: HostConfig.Memory: expected an integer'],
    ['{', 'invalid JSON: unexpected EOF'],
    ['{a}', "invalid JSON: invalid character 'a' looking for beginning of object key string"],
    ['[]', 'invalid JSON: expected object, received array'],
    [
      '{"Image":"x"}',
      "unsupported Content-Type header (text/plain): must be 'application/json'",
      { 'content-type': 'text/plain' },
    ],
    [
      '{"Image":"x"}',
      'malformed Content-Type header (bad;;;x): mime: invalid media parameter',
      { 'content-type': 'bad;;;x' },
    ],
    ['{"Image":"x","MacAddress":"02:42:ac:11:00:02"}', 'container-wide MAC address no longer supported'],
  ]
  for (const [payload, message, headers] of refused) {
    const reply = await post(payload, headers)
    t.equal(reply.statusCode, 400, payload)
    t.ok((reply.json() as { message: string }).message.startsWith(message), `${payload}: ${reply.body}`)
  }
  t.match(await post('{"Image":"x"}', { 'content-type': 'Application/JSON; charset=utf-8' }), { statusCode: 201 })
  t.match(await post(JSON.stringify({ Image: 'x'.repeat(9 * 1024 * 1024) })), { statusCode: 400 })
})

t.test('query parameters reach the engine in its types', async (t) => {
  const calls: unknown[] = []
  const { app } = testServer({
    containers: {
      list: async (query) => {
        calls.push(query)
        return []
      },
      stop: async (reference, options) => void calls.push([reference, options]),
      remove: async (reference, options) => void calls.push([reference, options]),
    },
  })
  const filters = encodeURIComponent('{"label":{"a=b":true,"c":true},"status":["exited"]}')
  await app.inject(`/containers/json?all=TRUE&limit=3&size=no&filters=${filters}`)
  await app.inject('/containers/json')
  await app.inject({ method: 'POST', url: '/containers/c/stop?t=-1&signal=HUP' })
  await app.inject({ method: 'DELETE', url: '/containers/c?v=1&force=&link=none' })
  t.strictSame(calls, [
    { all: true, limit: 3, size: false, removed: false, filters: { label: ['a=b', 'c'], status: ['exited'] } },
    { all: false, size: false, removed: false, filters: {} },
    ['c', { timeoutSeconds: -1, signal: 'HUP' }],
    ['c', { volumes: true, force: false, link: false }],
  ])
  t.match(await app.inject('/containers/json?filters={"x":["a"]}'), {
    statusCode: 400,
    body: `{"message":"invalid filter 'x'"}\n`,
  })
  t.match(await app.inject('/containers/json?limit=abc'), { statusCode: 400 })
})

t.test('answers are adapted to the version in the path', async (t) => {
  const summary = {
    Containers: 3,
    Created: 1,
    Id: 'i',
    Labels: null,
    ParentId: '',
    RepoDigests: [],
    RepoTags: [],
    SharedSize: -1,
    Size: 7,
  }
  const { app } = testServer({ images: { list: async () => [summary] } })
  t.strictSame((await app.inject('/images/json')).json(), [summary])
  t.strictSame((await app.inject('/v1.24/images/json')).json(), [
    { ...summary, Containers: -1, VirtualSize: 7, RepoTags: ['<none>:<none>'], RepoDigests: ['<none>@<none>'] },
  ])
})

t.test('refused operations', async (t) => {
  const { app } = testServer()
  t.match(await app.inject('/v1.44/services'), { statusCode: 503, body: /not a swarm manager/ })
  t.match(await app.inject({ method: 'POST', url: '/swarm/leave' }), { statusCode: 503, body: /not part of a swarm/ })
  t.match(await app.inject('/plugins/vieux/sshfs/json'), {
    statusCode: 404,
    body: '{"message":"plugin \\"vieux/sshfs\\" not found"}\n',
  })
  t.match(await app.inject({ method: 'POST', url: '/build' }), {
    statusCode: 501,
    body: /building images is not supported/,
  })
  t.match(await app.inject('/plugins'), { statusCode: 200, body: '[]\n' })
})

t.test('/openapi.json describes what is served', async (t) => {
  const document = (await testServer().app.inject('/openapi.json')).json()
  t.match(document.paths['/containers/{id}/json'].get, { operationId: endpoints.containers.inspect.operation })
  t.equal(document.components.schemas.HostConfig.type, 'object')
})

t.test('several sockets; a closed server has given them up', async (t) => {
  const server = await listeningServer({ system: { info: () => new Promise(() => {}) } })
  const { port } = (await server.listen({ host: '127.0.0.1', port: 0 })) as { port: number }
  t.equal((await fetch(`http://127.0.0.1:${port}/_ping`)).status, 200)
  t.match(await exchangeOnce(server.socketPath, 'GET /_ping HTTP/1.1\r\n\r\n'), /OK$/)
  const waiting = new RawClient(server.socketPath)
  waiting.send('GET /info HTTP/1.1\r\nHost: d\r\n\r\n')
  await waiting.until('').then(() => exchangeOnce(server.socketPath, 'GET /_ping HTTP/1.1\r\n\r\n'))
  await server.stop()
  await waiting.untilEnd()
  t.equal(waiting.received, '', 'a request that never ends is cut off')
  await t.rejects(fetch(`http://127.0.0.1:${port}/_ping`))
  await t.rejects(testServer().listen({ path: '/nonexistent/directory/x.sock' }), { code: /^E(ACCES|NOENT)$/ })
})

t.test('a path that climbs is redirected to where it stays', async (t) => {
  const server = await listeningServer()
  t.teardown(server.stop)
  const answer = await exchangeOnce(server.socketPath, 'GET /a/../../version?x=1 HTTP/1.1\r\n\r\n')
  t.match(answer, /^HTTP\/1.1 301 Moved Permanently\r\n.*Location: \/version\?x=1\r\n/s)
})

t.test('what is not HTTP is 400', async (t) => {
  const server = await listeningServer()
  t.teardown(server.stop)
  const client = new RawClient(server.socketPath)
  client.send('GARBAGE\r\n\r\n')
  t.match(await client.untilEnd(), /^HTTP\/1.1 400 Bad Request\r\nContent-Type: text\/plain/)
})

t.test('an empty Host header is accepted', async (t) => {
  const server = await listeningServer()
  t.teardown(server.stop)
  const client = new RawClient(server.socketPath)
  client.send('GET /_ping HTTP/1.1\r\nHost:\r\n\r\n')
  t.match(await client.until('OK'), /^HTTP\/1.1 200/)
  client.socket.destroy()
})

t.test('attestations are asked for by one platform and by types, from API 1.55 on', async (t) => {
  const asked: unknown[] = []
  const { app } = testServer({
    images: {
      attestations: async (name: string, query: object) => {
        asked.push([name, query])
        return []
      },
    },
  })
  const platform = (architecture: string) =>
    `platform=${encodeURIComponent(JSON.stringify({ os: 'linux', architecture }))}`
  const path = '/images/team/app:1/attestations'
  t.equal((await app.inject(path)).body.trim(), '[]')
  t.equal((await app.inject(`${path}?${platform('arm64')}&type=a&type=b&statement=1`)).statusCode, 200)
  t.strictSame(asked, [
    ['team/app:1', { types: [], statement: false }],
    ['team/app:1', { types: ['a', 'b'], statement: true, platform: 'linux/arm64' }],
  ])
  const two = await app.inject(`${path}?${platform('arm64')}&${platform('amd64')}`)
  t.same([two.statusCode, two.json()], [400, { message: 'only one platform can be specified' }])
  t.equal((await app.inject(`/v1.54${path}`)).statusCode, 404)
})
