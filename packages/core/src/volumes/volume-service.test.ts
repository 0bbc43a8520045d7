import t from 'tap'
import type { ContainerUser } from '../engine-dependencies.ts'
import type { EngineEvent } from '../ports/events.ts'
import { fakeVolumes } from '../testing/fake-volumes.ts'
import { createVolumeService } from './volume-service.ts'

function fixture() {
  const volumes = fakeVolumes()
  const published: EngineEvent[] = []
  const containers: { id: string; volumeNames: string[] }[] = []
  const service = createVolumeService({
    volumes,
    events: { publish: (event) => void published.push(event) },
    users: { list: () => containers as unknown as ContainerUser[] },
  })
  const events = () =>
    published.splice(0).map(({ action, actorId, attributes }) => `${action} ${actorId} ${JSON.stringify(attributes)}`)
  return { volumes, containers, service, events }
}

t.test('a volume is created once and shown as Docker shows it', async (t) => {
  const { service, events } = fixture()
  const volume = await service.create({ Name: 'data', Labels: { a: 'b' } })
  t.strictSame(volume, {
    CreatedAt: '2023-11-14T22:13:20Z',
    Driver: 'local',
    Labels: { a: 'b' },
    Mountpoint: '/volumes/data/_data',
    Name: 'data',
    Options: null,
    Scope: 'local',
  })
  t.strictSame(await service.create({ Name: 'data', Labels: { c: 'd' } }), volume, 'what exists is answered')
  t.strictSame(await service.inspect('data'), volume)
  t.strictSame(events(), ['create data {"driver":"local"}'])
})

t.test('a volume without a name is anonymous', async (t) => {
  const { service } = fixture()
  const volume = await service.create({ Labels: { x: 'y' } })
  t.match(volume.Name, /^[0-9a-f]{64}$/)
  t.strictSame(volume.Labels, { 'com.docker.volume.anonymous': '', x: 'y' })
})

t.test('wrong names, drivers and options are refused in Docker’s words', async (t) => {
  const { service } = fixture()
  const characters = (name: string) =>
    `create ${name}: "${name}" includes invalid characters for a local volume name, only ` +
    '"[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path'
  const cases = [
    [{ Name: 'a' }, 'create a: volume name is too short, names should be at least two alphanumeric characters'],
    [{ Name: 'a/b' }, characters('a/b')],
    [{ Name: '../x' }, characters('../x')],
    [{ Name: '_ab' }, characters('_ab')],
    [{ Name: 'ab\n' }, 'create ab\n: "ab\\n" includes invalid characters for a local volume name'],
    [{ Name: 'vo', DriverOpts: { foo: 'bar' } }, 'create vo: invalid option: "foo"'],
    [{ Name: 'vo', DriverOpts: { type: 'tmpfs' } }, 'create vo: missing required option: "device"'],
    [{ Name: 'vo', DriverOpts: { device: 'tmpfs' } }, 'create vo: missing required option: "type"'],
    [{ Name: 'vo', DriverOpts: { o: 'bind' } }, 'create vo: missing required option: "device"'],
    [{ Name: 'vo', DriverOpts: { size: '10m' } }, 'create vo: quota size requested but no quota support'],
    [{ Name: 'vo', DriverOpts: { size: 'x' } }, "create vo: invalid size: 'x'"],
  ] as const
  for (const [body, message] of cases) {
    const error = await service.create(body).catch((error) => error)
    t.equal(error.kind, 'invalidArgument')
    t.ok(error.message.startsWith(message), error.message)
  }
  await t.rejects(service.create({ Name: 'vo', Driver: 'nope' }), {
    kind: 'notFound',
    message: 'create vo: error looking up volume plugin nope: plugin "nope" not found',
  })
})

t.test('a volume in use is not removed, by force neither', async (t) => {
  const { service, containers, events, volumes } = fixture()
  await service.create({ Name: 'data' })
  containers.push({ id: 'c1', volumeNames: ['data', 'data'] }, { id: 'c2', volumeNames: ['data'] })
  for (const force of [false, true]) {
    await t.rejects(service.remove('data', { force }), {
      kind: 'conflict',
      message: 'remove data: volume is in use - [c1, c2]',
    })
  }
  containers.length = 0
  events()
  await service.remove('data', { force: false })
  t.strictSame(events(), ['destroy data {"driver":"local"}'])
  t.strictSame(volumes.list(), [])
  await t.rejects(service.remove('data', { force: false }), { kind: 'notFound', message: 'get data: no such volume' })
  await service.remove('data', { force: true })
  t.strictSame(events(), [])
})

t.test('list filters by use, name, driver and label', async (t) => {
  const { service, containers } = fixture()
  await service.create({ Name: 'used', Labels: { a: 'b' } })
  await service.create({ Name: 'free', Labels: { a: 'c', d: '' } })
  containers.push({ id: 'c1', volumeNames: ['used'] })
  const names = async (filters: Record<string, string[]>) =>
    (await service.list(filters)).Volumes.map((volume) => volume.Name)
  t.strictSame(await names({}), ['free', 'used'])
  t.strictSame(await names({ dangling: ['true'] }), ['free'])
  t.strictSame(await names({ dangling: ['0'] }), ['used'])
  t.strictSame(await names({ name: ['se'] }), ['used'])
  t.strictSame(await names({ name: ['^f', 'nothing'] }), ['free'])
  t.strictSame(await names({ name: ['(('] }), [])
  t.strictSame(await names({ driver: ['other'] }), [])
  t.strictSame(await names({ label: ['a'] }), ['free', 'used'])
  t.strictSame(await names({ label: ['a=c', 'd'] }), ['free'])
  await t.rejects(service.list({ bogus: ['x'] }), { kind: 'invalidArgument', message: "invalid filter 'bogus'" })
  await t.rejects(service.list({ dangling: ['x'] }), { message: "invalid filter 'dangling=[x]'" })
  await t.rejects(service.list({ dangling: ['1', '0'] }), { message: "invalid filter 'dangling=[1 0]'" })
})

t.test('prune removes unused anonymous volumes, with `all` named ones too, never those with options', async (t) => {
  const { service, containers, events, volumes } = fixture()
  const anonymous = (await service.create({})).Name
  const labelled = (await service.create({ Labels: { keep: '' } })).Name
  const used = (await service.create({})).Name
  await service.create({ Name: 'named' })
  await service.create({ Name: 'tmp', DriverOpts: { type: 'tmpfs', device: 'tmpfs' } })
  containers.push({ id: 'c1', volumeNames: [used] })
  volumes.sizes.set(anonymous, 5).set('named', 7)
  events()
  t.strictSame(await service.prune({ 'label!': ['keep'] }), { VolumesDeleted: [anonymous], SpaceReclaimed: 5 })
  t.strictSame(events(), [`destroy ${anonymous} {"driver":"local"}`, 'prune  {"reclaimed":"5"}'])
  const { VolumesDeleted } = await service.prune({ all: ['true'] })
  t.strictSame(VolumesDeleted?.sort(), [labelled, 'named'].sort())
  t.strictSame(
    volumes
      .list()
      .map((volume) => volume.name)
      .sort(),
    [used, 'tmp'].sort(),
  )
  t.strictSame(await service.prune({}), { VolumesDeleted: [], SpaceReclaimed: 0 })
  await t.rejects(service.prune({ dangling: ['true'] }), { message: "invalid filter 'dangling'" })
  await t.rejects(service.prune({ all: ['x'] }), {
    message: `invalid filter 'all': strconv.ParseBool: parsing "x": invalid syntax`,
  })
})
