import t from 'tap'
import { settled, type TestEngine, testEngine } from '../testing/index.ts'
import { selectProcesses } from './container-top.ts'

const names = async (test: TestEngine, filters: Record<string, string[]>, all = true) =>
  (await test.engine.containers.list({ all, size: false, filters })).map(({ Names: [name = ''] }) => name.slice(1))

t.test('list: newest first, running ones unless asked otherwise', async (t) => {
  const test = testEngine()
  const one = await test.create({ Cmd: ['sh', '-c', 'a b'] }, 'one')
  await test.create({}, 'two')
  await test.engine.containers.start(one, {})
  t.strictSame(await names(test, {}), ['two', 'one'])
  t.strictSame(await names(test, {}, false), ['one'])
  const { list } = test.engine.containers
  const last = await list({ all: false, limit: 1, size: false, filters: {} })
  t.equal(last[0]?.Names[0], '/two', 'a limit counts those that do not run, too')
  const [summary] = await list({ all: false, size: true, filters: {} })
  t.match(summary, {
    Id: one,
    Image: 'busybox',
    Command: "sh -c 'a b'",
    State: 'running',
    Status: 'Up Less than a second',
    SizeRw: 100,
    SizeRootFs: 1100,
    HostConfig: { NetworkMode: 'bridge' },
    NetworkSettings: { Networks: { bridge: { IPAddress: '172.17.0.2', IPPrefixLen: 16 } } },
    Mounts: [],
    Labels: { from: 'image' },
  })
  const { images } = test.images
  const busybox = images.get('busybox')
  if (busybox !== undefined) images.set('busybox', { ...busybox, id: `sha256:${'d'.repeat(64)}` })
  const [moved] = await list({ all: true, size: false, filters: { name: ['one'] } })
  t.equal(moved?.Image, busybox?.id, 'the id once the tag means another image')
})

t.test('filters of list', async (t) => {
  const test = testEngine()
  const web = await test.create(
    {
      Labels: { tier: 'front', x: '1' },
      ExposedPorts: { '80/tcp': {} },
      HostConfig: { PortBindings: { '80/tcp': [{ HostPort: '8080' }] } },
    },
    'web-1',
  )
  const db = await test.create(
    { Labels: { tier: 'back' }, HostConfig: { Binds: ['data:/var/data'], NetworkMode: 'none' } },
    'db',
  )
  await test.engine.containers.start(web, {})
  await test.engine.containers.start(db, {})
  test.process().exit(3)
  await settled()
  await test.create({}, 'new')
  const cases: [Record<string, string[]>, string[]][] = [
    [{ name: ['web'] }, ['web-1']],
    [{ name: ['^/web-1$'] }, ['web-1']],
    [{ name: ['^web-\\d$'] }, ['web-1']],
    [{ name: ['['] }, []],
    [{ id: [db.slice(0, 8)] }, ['db']],
    [{ label: ['tier'] }, ['db', 'web-1']],
    [{ label: ['tier=front', 'x'] }, ['web-1']],
    [{ status: ['created', 'exited'] }, ['new', 'db']],
    [{ exited: ['3'] }, ['db']],
    [{ exited: ['0'] }, []],
    [{ volume: ['data'] }, ['db']],
    [{ volume: ['/var/data'] }, ['db']],
    [{ network: ['none'] }, ['db']],
    [{ publish: ['8080'] }, ['web-1']],
    [{ publish: ['8079-8081/tcp'] }, ['web-1']],
    [{ publish: ['80'] }, []],
    [{ expose: ['80'] }, ['web-1']],
    [{ expose: ['80'], publish: ['1'] }, ['web-1']],
    [{ expose: ['80/udp'] }, []],
    [{ before: ['db'] }, ['web-1']],
    [{ since: [web] }, ['new', 'db']],
    [{ ancestor: ['busybox'] }, ['new', 'db', 'web-1']],
    [{ ancestor: ['nope'] }, []],
    [{ health: ['none'] }, ['new', 'db', 'web-1']],
    [{ 'is-task': ['true'] }, []],
    [{ name: ['db', 'new'], status: ['exited'] }, ['db']],
  ]
  for (const [filters, expected] of cases) t.strictSame(await names(test, filters), expected, JSON.stringify(filters))
  t.strictSame(await names(test, { status: ['exited'] }, false), ['db'], 'a status implies all')
  const refused: [Record<string, string[]>, string, string][] = [
    [{ foo: ['x'] }, 'invalidArgument', "invalid filter 'foo'"],
    [{ status: ['x'] }, 'invalidArgument', "invalid filter 'status=x'"],
    [{ exited: ['x'] }, 'invalidArgument', 'invalid filter \'exited=x\': strconv.Atoi: parsing "x": invalid syntax'],
    [{ before: ['x'] }, 'notFound', 'No such container: x'],
    [{ health: ['x'] }, 'invalidArgument', 'unrecognized filter value for health: x'],
    [{ expose: [''] }, 'internal', 'error while looking up for expose : Empty string specified for ports.'],
    [
      { expose: ['9-1'] },
      'internal',
      'error while looking up for expose 9-1: Invalid range specified for the Port: 9-1',
    ],
    [{ publish: ['1:2'] }, 'internal', "filter for 'publish' should not contain ':': 1:2"],
    [{ 'is-task': ['x'] }, 'invalidArgument', "invalid filter 'is-task=[x]'"],
  ]
  const tooLarge = 'strconv.ParseUint: parsing "65536": value out of range'
  refused.push([{ publish: ['65536'] }, 'internal', `error while looking up for publish 65536: ${tooLarge}`])
  for (const [filters, kind, message] of refused) await t.rejects(names(test, filters), { kind, message })
})

t.test('inspect: ports, networks, mounts, paths', async (t) => {
  const test = testEngine()
  const id = await test.create(
    {
      ExposedPorts: { '80/tcp': {}, '53/udp': {} },
      HostConfig: { PortBindings: { '80/tcp': [{ HostPort: '8080' }] }, Binds: ['/tmp:/t:ro', 'v1:/v'] },
    },
    'web',
  )
  const inspect = () => test.engine.containers.inspect('web', { size: false })
  t.match(await inspect(), {
    Id: id,
    Name: '/web',
    Path: 'sh',
    Args: [],
    ResolvConfPath: '',
    ExecIDs: null,
    State: { Status: 'created', StartedAt: '0001-01-01T00:00:00Z', FinishedAt: '0001-01-01T00:00:00Z' },
    NetworkSettings: { Ports: {}, Networks: { bridge: { IPAddress: '', EndpointID: '' } } },
    Mounts: [
      { Type: 'bind', Source: '/tmp', Destination: '/t', Mode: 'ro', RW: false, Propagation: 'rprivate' },
      { Type: 'volume', Name: 'v1', Destination: '/v', Driver: 'local', Mode: 'z', RW: true },
    ],
  })
  await test.engine.containers.start(id, {})
  t.match(await inspect(), {
    ResolvConfPath: `/data/containers/${id}/resolv.conf`,
    HostsPath: `/data/containers/${id}/hosts`,
    LogPath: `/data/containers/${id}/${id}-json.log`,
    NetworkSettings: {
      Ports: { '80/tcp': [{ HostIp: '0.0.0.0', HostPort: '8080' }], '53/udp': null },
      Networks: { bridge: { Gateway: '172.17.0.1', MacAddress: '02:42:ac:11:00:02' } },
    },
  })
  const [summary] = await test.engine.containers.list({ all: false, size: false, filters: {} })
  t.same(summary?.Ports, [
    { IP: '0.0.0.0', PrivatePort: 80, PublicPort: 8080, Type: 'tcp' },
    { PrivatePort: 53, Type: 'udp' },
  ])
  const events = test.eventLog()
  t.ok(events.indexOf('volume mount') < events.indexOf('container start web'))
})

t.test('lookup: id, name, unique prefix', async (t) => {
  const test = testEngine()
  const id = await test.create({}, 'web')
  const find = (reference: string) => test.engine.containers.inspect(reference, { size: false })
  for (const reference of [id, 'web', '/web', id.slice(0, 12), id.slice(0, 3)])
    t.match(await find(reference), { Id: id })
  let count = 0
  while (count++ < 40) await test.create()
  const ambiguous = id.slice(0, 1)
  const others = await test.engine.containers.list({ all: true, size: false, filters: { id: [`^${ambiguous}`] } })
  const message =
    others.length > 1 ? `multiple IDs found with provided prefix: ${ambiguous}` : `No such container: none-${ambiguous}`
  await t.rejects(find(others.length > 1 ? ambiguous : `none-${ambiguous}`), { message })
  await t.rejects(find('nope'), { kind: 'notFound', message: 'No such container: nope' })
})

t.test('top', async (t) => {
  const test = testEngine()
  const { containers } = test.engine
  const id = await test.create({}, 'web')
  await t.rejects(containers.top('web', '-ef'), { kind: 'conflict', message: `container ${id} is not running` })
  await containers.start(id, {})
  test.state.processIds = [10, 11]
  test.state.psOutput = 'USER  PID COMMAND\nroot   10 sh -c  x y\nroot   12 other\nbob    11 sleep 5\n'
  t.strictSame(await containers.top('web', ''), {
    Titles: ['USER', 'PID', 'COMMAND'],
    Processes: [
      ['root', '10', 'sh -c x y'],
      ['bob', '11', 'sleep 5'],
    ],
  })
  test.state.psOutput = 'CMD\nsh\n'
  await t.rejects(containers.top('web', '-o cmd'), { message: "Couldn't find PID field in ps output" })
  await t.rejects(containers.top('web', '-o pid=FOO'), { message: "Couldn't find PID field in ps output" })
  const message = 'specifying "user=PID,pid" is not allowed'
  await t.rejects(containers.top('web', '-o user=PID,pid'), { kind: 'internal', message })
  const threads = selectProcesses('PID LWP CMD\n10 - sh\n- 10 -\n12 - x\n- 12 -\n', new Set([10]))
  t.strictSame(threads.Processes, [
    ['10', '-', 'sh'],
    ['-', '10', '-'],
  ])
})

t.test('stats: a stream with the sample before, one shot, a container that does not run', async (t) => {
  const test = testEngine()
  const { containers } = test.engine
  const id = await test.create({}, 'web')
  const stop = new AbortController()
  const read = async (query: { stream: boolean; oneShot: boolean }) =>
    (await containers.stats(id, { ...query, signal: stop.signal }))[Symbol.asyncIterator]()
  const idle = await (await read({ stream: false, oneShot: false })).next()
  t.match(idle.value, { id, name: '/web', read: '0001-01-01T00:00:00Z', pids_stats: {}, memory_stats: {} })
  await containers.start(id, {})
  const shot = await (await read({ stream: false, oneShot: true })).next()
  t.match(shot.value, {
    preread: '0001-01-01T00:00:00Z',
    precpu_stats: { cpu_usage: { total_usage: 0 } },
    cpu_stats: { cpu_usage: { total_usage: 5_000_000 }, system_cpu_usage: 1_000_000_000, online_cpus: 2 },
    memory_stats: { usage: 4096, limit: 8192, stats: { inactive_file: 10 } },
    networks: { eth0: { rx_bytes: 1, tx_packets: 4 } },
    blkio_stats: { io_service_bytes_recursive: [{ major: 8, op: 'read', value: 7 }], sectors_recursive: null },
  })
  const two = (await read({ stream: false, oneShot: false })).next()
  await settled()
  await test.clock.advance(1000)
  t.match((await two).value, { precpu_stats: { cpu_usage: { total_usage: 5_000_000 } }, preread: /^2027-/ })
  const stream = await read({ stream: true, oneShot: false })
  await stream.next()
  const second = stream.next()
  await settled()
  await test.clock.advance(1000)
  t.match((await second).value, { preread: /^2027-/ })
  const third = stream.next()
  stop.abort()
  t.equal((await third).done, true, 'the stream ends with the client')
})

t.test('prune', async (t) => {
  const test = testEngine()
  const { containers } = test.engine
  const kept = await test.create({ Labels: { keep: '' } }, 'kept')
  const running = await test.create({}, 'running')
  await containers.start(running, {})
  const old = await test.create({}, 'old')
  await test.clock.advance(3_600_000)
  const fresh = await test.create({}, 'fresh')
  await t.rejects(containers.prune({ foo: ['x'] }), { kind: 'invalidArgument', message: "invalid filter 'foo'" })
  await t.rejects(containers.prune({ until: ['x'] }), {
    message: 'failed to parse value as time or duration: "x"',
  })
  t.strictSame(await containers.prune({ 'label!': ['keep'], until: ['30m'] }), {
    ContainersDeleted: [old],
    SpaceReclaimed: 100,
  })
  t.strictSame(await containers.prune({ label: ['keep'] }), { ContainersDeleted: [kept], SpaceReclaimed: 100 })
  t.strictSame(await containers.prune({}), { ContainersDeleted: [fresh], SpaceReclaimed: 100 })
  t.strictSame(await containers.prune({}), { ContainersDeleted: null, SpaceReclaimed: 0 })
  test.events.flush()
  t.match(test.records.readEvents({ limit: 999 }).at(-2)?.attributes, { reclaimed: '100' })
})

t.test('changes', async (t) => {
  const test = testEngine()
  const { containers } = test.engine
  await test.create({}, 'web')
  t.strictSame(await containers.changes('web'), [{ Path: '/new', Kind: 1 }])
  await t.rejects(containers.changes('nope'), { kind: 'notFound', message: 'No such container: nope' })
})

t.test('the neighbours’ view of containers', async (t) => {
  const test = testEngine()
  const id = await test.create({ HostConfig: { Binds: ['v1:/v'] } }, 'web')
  const imageId = test.images.resolve('busybox').id
  t.strictSame(test.images.usage?.containersOf(imageId), [{ id, name: 'web', running: false }])
  t.strictSame(test.images.usage?.containersOf('other'), [])
  t.match(test.users.find('web'), { id, name: 'web', running: false, networkMode: 'bridge', volumeNames: ['v1'] })
  test.users.setEndpoint(id, 'backend', { Aliases: ['x'] })
  t.match(test.records.listContainers()[0]?.endpoints, { bridge: {}, backend: { Aliases: ['x'] } })
  test.users.setEndpoint(id, 'backend', undefined)
  t.strictSame(Object.keys(test.records.listContainers()[0]?.endpoints ?? {}), ['bridge'])
})

t.test('the manifest of a container’s image is told while the image is there', async (t) => {
  const test = testEngine()
  const id = await test.create({}, 'one')
  const { list, inspect } = test.engine.containers
  const query = { all: true, size: false, filters: {} }
  const manifest = { mediaType: 'application/x', digest: `sha256:${'e'.repeat(64)}`, size: 7 }
  for (const descriptor of [undefined, manifest]) {
    test.images.manifest = descriptor
    t.same((await list(query))[0]?.ImageManifestDescriptor, descriptor)
    t.same((await inspect(id, { size: false })).ImageManifestDescriptor, descriptor)
  }
})
