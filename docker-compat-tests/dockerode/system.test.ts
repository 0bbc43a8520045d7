/** The engine itself by dockerode: version, info, events, disk usage, volumes, networks. */
import t from 'tap'
import { dockerode, image, leavesNothing, refusal, startWithImage } from '../support/sdk.ts'

const daemon = await startWithImage()
const docker = dockerode(daemon)

interface Event {
  Type: string
  Action: string
  Actor: { ID: string; Attributes: Record<string, string> }
  time: number
  timeNano: number
}

/** Events until one satisfies `last`. */
async function eventsUntil(stream: NodeJS.ReadableStream, last: (event: Event) => boolean): Promise<Event[]> {
  const events: Event[] = []
  let rest = ''
  for await (const chunk of stream) {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) events.push(JSON.parse(line) as Event)
    if (events.some(last)) return events
  }
  return events
}

t.test('ping, version, info', async (t) => {
  t.equal((await docker.ping()).toString(), 'OK')
  const version = await docker.version()
  t.match(version, {
    Os: 'linux',
    ApiVersion: /^1\.\d\d$/,
    MinAPIVersion: '1.24',
    KernelVersion: /^\d/,
    Components: Array,
  })
  const info = (await docker.info()) as Record<string, unknown>
  t.match(info, {
    ID: /./,
    Containers: 0,
    Images: 1,
    Driver: 'overlay2',
    OSType: 'linux',
    NCPU: Number,
    MemTotal: Number,
    Swarm: { LocalNodeState: 'inactive' },
    ServerVersion: version.Version,
    KernelVersion: version.KernelVersion,
    LoggingDriver: 'json-file',
  })
})

t.test('an API version in the path: answered in its range, refused outside of it', async (t) => {
  for (const version of ['v1.24', 'v1.41', 'v1.44']) t.ok(await dockerode(daemon, version).version(), version)
  t.equal((await refusal(dockerode(daemon, 'v1.23').version()))[0], 400)
  const [status, message] = await refusal(dockerode(daemon, 'v1.99').version())
  t.equal(status, 400)
  t.match(message, /^client version 1\.99 is too new\. Maximum supported API version is 1\.\d\d$/)
})

t.test('events: live with filters, then again from the past, bounded by until', async (t) => {
  const since = Math.floor(Date.now() / 1000) - 1
  const live = await docker.getEvents({ filters: { type: ['container'], label: ['watched=yes'] } })
  const seen = eventsUntil(live, ({ Action }) => Action === 'destroy')
  const container = await docker.createContainer({
    name: 'watched',
    Image: image,
    Cmd: ['sh', '-c', 'exit 4'],
    Labels: { watched: 'yes' },
  })
  const other = await docker.createContainer({ Image: image })
  await other.remove()
  await container.start()
  await container.wait()
  await container.remove()
  const events = await seen
  const wanted = ['create', 'start', 'die', 'destroy']
  t.same(
    events.map(({ Action }) => Action),
    wanted,
  )
  t.match(events[2], {
    Type: 'container',
    Actor: { ID: container.id, Attributes: { image, name: 'watched', exitCode: '4', watched: 'yes' } },
    time: Number,
    timeNano: Number,
  })
  const until = Math.floor(Date.now() / 1000) + 1
  const past = await docker.getEvents({ since, until, filters: { container: ['watched'], event: ['die', 'start'] } })
  t.same(
    (await eventsUntil(past, () => false)).map(({ Action }) => Action),
    ['start', 'die'],
  )
})

t.test('volumes: create, list, inspect, in use, remove, prune', async (t) => {
  const volume = await docker.createVolume({ Name: 'data', Labels: { a: 'b' } })
  t.match(await docker.getVolume('data').inspect(), {
    Name: 'data',
    Driver: 'local',
    Scope: 'local',
    Labels: { a: 'b' },
    Mountpoint: /data\/_data$/,
    CreatedAt: /^\d{4}-/,
  })
  t.match((await docker.listVolumes({ filters: { label: ['a=b'] } })).Volumes, [{ Name: 'data' }])
  t.match((await docker.listVolumes({ filters: { name: ['none'] } })).Volumes, [])
  const container = await docker.createContainer({ Image: image, HostConfig: { Binds: ['data:/d'] } })
  const id = container.id
  t.same(await refusal(docker.getVolume('data').remove()), [409, `remove data: volume is in use - [${id}]`])
  await container.remove()
  await docker.getVolume('data').remove()
  t.same(await refusal(docker.getVolume('data').inspect()), [404, 'get data: no such volume'])
  t.ok(volume)
  const anonymous = await docker.createVolume()
  const { Name } = (await docker.listVolumes()).Volumes[0] ?? { Name: '' }
  t.match(Name, /^[0-9a-f]{64}$/)
  t.ok(anonymous)
  t.match(await docker.pruneVolumes(), { VolumesDeleted: [Name], SpaceReclaimed: 0 })
})

t.test('networks: the predefined ones, create, connect, disconnect, remove', async (t) => {
  const names = (await docker.listNetworks()).map(({ Name }) => Name).sort()
  t.same(names, ['bridge', 'host', 'none'])
  const network = await docker.createNetwork({
    Name: 'own',
    Labels: { n: '1' },
    IPAM: { Driver: 'default', Config: [{ Subnet: '10.214.77.0/24' }] },
  })
  const { Id } = (await network.inspect()) as { Id: string }
  t.match(await network.inspect(), {
    Name: 'own',
    Driver: 'bridge',
    Scope: 'local',
    Internal: false,
    Labels: { n: '1' },
    Containers: {},
    IPAM: { Config: [{ Subnet: '10.214.77.0/24' }] },
  })
  const container = await docker.createContainer({ Image: image, Cmd: ['sleep', '1000'], name: 'joined' })
  await container.start()
  await network.connect({ Container: 'joined', EndpointConfig: { IPAMConfig: { IPv4Address: '10.214.77.9' } } })
  const { Networks } = (await container.inspect()).NetworkSettings
  t.match(Networks.own, { NetworkID: Id, IPAddress: '10.214.77.9', IPPrefixLen: 24, Gateway: '10.214.77.1' })
  t.match(((await network.inspect()) as { Containers: object }).Containers, {
    [container.id]: { Name: 'joined', IPv4Address: '10.214.77.9/24' },
  })
  const [status, message] = await refusal(network.remove())
  t.equal(status, 403)
  t.match(message, /network own .*has active endpoints|has active endpoints/)
  await network.disconnect({ Container: 'joined' })
  t.notOk((await container.inspect()).NetworkSettings.Networks.own)
  await container.remove({ force: true })
  await network.remove()
  t.same(await refusal(network.inspect()), [404, `network ${Id} not found`])
  t.equal((await refusal(docker.getNetwork('bridge').remove()))[0], 403)
  t.match(await docker.pruneNetworks(), { NetworksDeleted: null })
})

t.test('published ports are listed', async (t) => {
  const container = await docker.createContainer({
    Image: image,
    Cmd: ['sleep', '1000'],
    ExposedPorts: { '80/tcp': {}, '53/udp': {} },
    HostConfig: { PortBindings: { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '' }] } },
  })
  await container.start()
  const { Ports } = (await container.inspect()).NetworkSettings
  t.match(Ports, { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: /^\d+$/ }], '53/udp': null })
  const [summary] = await docker.listContainers()
  t.match(
    summary?.Ports.find(({ PrivatePort }) => PrivatePort === 80),
    {
      IP: '127.0.0.1',
      PublicPort: Number(Ports['80/tcp']?.[0]?.HostPort),
      Type: 'tcp',
    },
  )
  await container.remove({ force: true })
})

t.test('disk usage', async (t) => {
  const container = await docker.createContainer({ Image: image })
  await docker.createVolume({ Name: 'used' })
  t.match(await docker.df(), {
    LayersSize: Number,
    Images: [{ RepoTags: [image], Containers: 1, SharedSize: Number }],
    Containers: [{ Id: container.id, SizeRootFs: Number }],
    Volumes: [{ Name: 'used', UsageData: { RefCount: 0, Size: 0 } }],
    BuildCache: [],
  })
  await docker.getVolume('used').remove()
  await container.remove()
})

t.test('what the engine is not: no swarm, no plugins', async (t) => {
  t.equal((await refusal(docker.listServices()))[0], 503)
  t.equal((await refusal(docker.swarmInspect()))[0], 503)
  t.same(await docker.listPlugins(), [])
})

leavesNothing(t, daemon)
