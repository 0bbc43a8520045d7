import t from 'tap'
import { InvalidRequest } from '../parse/invalid-request.ts'
import type { ImageInspect } from '../schemas/images.ts'
import { compareVersions, newestApiVersion, versionProblem } from './api-version.ts'
import { shapeDiskUsage } from './disk-usage.ts'
import { shapeImageInspect } from './image-inspect.ts'
import { adaptRequest, adaptResponse } from './index.ts'

type Any = Record<string, unknown>
const answer = (operation: string, version: string, value: Any) => adaptResponse(operation, version, value)
const request = (operation: string, version: string, { query = {}, body = {} }: { query?: Any; body?: Any }) => {
  const copy = structuredClone({ query, body })
  adaptRequest(operation, version, copy)
  return copy
}

t.test('order and range', (t) => {
  t.ok(compareVersions('1.9', '1.10') < 0)
  t.equal(compareVersions('1.44', '1.44.0'), 0)
  t.ok(compareVersions('2', '1.99') > 0)
  t.equal(versionProblem('1.24'), undefined)
  t.equal(versionProblem(newestApiVersion), undefined)
  t.match(versionProblem('1.23'), /too old/)
  t.match(versionProblem('1.99'), /too new/)
  t.end()
})

const inspected = Object.freeze({
  Id: 'abcdef0123456789',
  Driver: 'overlay2',
  ImageManifestDescriptor: {},
  HostConfig: { NetworkMode: 'default' },
  Config: { Hostname: 'host1' },
  NetworkSettings: {
    Ports: {},
    Networks: {
      bridge: {
        IPAddress: '172.17.0.2',
        Gateway: '172.17.0.1',
        IPPrefixLen: 16,
        MacAddress: '02:42:ac:11:00:02',
        Aliases: null,
        DNSNames: ['x'],
      },
      mine: { IPAddress: '172.18.0.2', Aliases: ['web'], DNSNames: ['web'] },
    },
  },
})

t.test('inspect', (t) => {
  const before = structuredClone(inspected)
  t.equal(answer('ContainerInspect', newestApiVersion, inspected), inspected, 'the newest passes untouched')
  t.match(answer('ContainerInspect', '1.51', inspected), {
    GraphDriver: { Name: 'overlay2' },
    Config: { Hostname: 'host1', OnBuild: null },
    NetworkSettings: {
      IPAddress: '172.17.0.2',
      Gateway: '172.17.0.1',
      IPPrefixLen: 16,
      Bridge: '',
      SecondaryIPAddresses: null,
    },
    ImageManifestDescriptor: {},
  })
  const v44 = answer('ContainerInspect', '1.44', inspected) as typeof inspected
  t.notOk('ImageManifestDescriptor' in v44)
  t.strictSame(v44.NetworkSettings.Networks.mine, {
    IPAddress: '172.18.0.2',
    Aliases: ['web', 'abcdef012345', 'host1'],
    DNSNames: ['web'],
  })
  t.equal(v44.NetworkSettings.Networks.bridge.Aliases, null, 'not on the default network')
  const v43 = answer('ContainerInspect', '1.43', inspected) as typeof inspected
  t.notOk('DNSNames' in v43.NetworkSettings.Networks.mine)
  t.strictSame(inspected, before, 'the answer given is not changed')
  t.end()
})

t.test('lists are adapted element by element', (t) => {
  const list = [
    { Id: 'a', Health: {}, HostConfig: { NetworkMode: 'x', Annotations: {} }, NetworkSettings: { Networks: {} } },
  ]
  t.strictSame(adaptResponse('ContainerList', '1.51', list), [
    { Id: 'a', HostConfig: { NetworkMode: 'x', Annotations: {} }, NetworkSettings: { Networks: {} } },
  ])
  t.strictSame(adaptResponse('ContainerList', '1.45', list), [
    { Id: 'a', HostConfig: { NetworkMode: 'x' }, NetworkSettings: { Networks: {} } },
  ])
  t.end()
})

t.test('images', (t) => {
  const image = { Id: 'i', Size: 5, Config: { Env: ['A=b'] }, Descriptor: {} }
  t.match(answer('ImageInspect', '1.51', image), {
    Parent: '',
    Author: '',
    Config: { Env: ['A=b'], Cmd: null, Labels: null },
  })
  t.notMatch(answer('ImageInspect', '1.50', image), { Config: { Hostname: '' } })
  t.match(answer('ImageInspect', '1.49', image), { Config: { Hostname: '', Tty: false, Env: ['A=b'] } })
  t.notOk('Descriptor' in answer('ImageInspect', '1.47', image))
  t.match(answer('ImageInspect', '1.44', image), { ContainerConfig: { Cmd: null } })
  const committed = { ...image, Container: 'c', ContainerConfig: { Cmd: ['sh'] } } as unknown as ImageInspect
  t.match(answer('ImageInspect', '1.44', { ...committed }), {
    Container: 'c',
    ContainerConfig: { Cmd: ['sh'], Hostname: '', Labels: null },
  })
  t.equal(shapeImageInspect(committed, '1.44'), committed)
  t.strictSame(shapeImageInspect(committed, '1.45'), image, 'newer clients are not told')
  t.match(answer('ImageInspect', '1.43', image), { VirtualSize: 5, Created: '0001-01-01T00:00:00Z' })
  t.end()
})

t.test('info', (t) => {
  const info = {
    ContainerdCommit: { ID: 'c' },
    RuncCommit: { ID: 'r' },
    InitCommit: { ID: '' },
    RegistryConfig: { Mirrors: [] },
    FirewallBackend: {},
    Containerd: {},
    DiscoveredDevices: [],
    Runtimes: { crun: { path: 'crun', status: {} } },
    SecurityOptions: ['name=seccomp,profile=builtin', 'name=cgroupns'],
    KernelVersion: '',
    OperatingSystem: 'Debian',
  }
  t.strictSame(answer('SystemInfo', '1.50', info), info)
  t.match(answer('SystemInfo', '1.49', info), {
    BridgeNfIptables: false,
    FirewallBackend: {},
    DiscoveredDevices: undefined,
  })
  t.match(answer('SystemInfo', '1.48', info), { RuncCommit: { ID: 'r', Expected: 'r' }, FirewallBackend: undefined })
  t.match(answer('SystemInfo', '1.47', info), { RegistryConfig: { AllowNondistributableArtifactsCIDRs: null } })
  t.match(answer('SystemInfo', '1.43', info), {
    Containerd: undefined,
    Runtimes: { crun: { path: 'crun', status: undefined } },
  })
  t.match(answer('SystemInfo', '1.24', info), { SecurityOptions: ['seccomp', 'cgroupns'], KernelVersion: '<unknown>' })
  t.end()
})

t.test('requests: parameters that a version does not know', (t) => {
  const known = { query: { signal: 'HUP', t: 3 } }
  t.strictSame(request('ContainerStop', '1.42', known).query, { signal: 'HUP', t: 3 })
  t.strictSame(request('ContainerStop', '1.41', known).query, { signal: undefined, t: 3 })
  t.strictSame(request('VolumePrune', '1.41', { query: { filters: { label: ['x'] } } }).query, {
    filters: { all: ['true'], label: ['x'] },
  })
  t.strictSame(request('VolumePrune', '1.42', { query: { filters: {} } }).query, { filters: {} })
  t.strictSame(
    request('ImageList', '1.40', { query: { filter: 'a', filters: {}, manifests: true, 'shared-size': true } }).query,
    {
      filter: 'a',
      filters: { reference: ['a'] },
      manifests: false,
      'shared-size': false,
    },
  )
  t.strictSame(request('ContainerUpdate', '1.54', { body: { BlkioDeviceReadBps: [], Memory: 1 } }).body, { Memory: 1 })
  t.strictSame(request('ContainerAttachWebsocket', '1.41', { query: { stdin: false } }).query, {
    stdin: true,
    stdout: true,
    stderr: true,
  })
  t.end()
})

t.test('create: the container-wide MAC address moves to the network of the mode', (t) => {
  const mac = '02:42:ac:11:00:02'
  const create = (HostConfig: Any | undefined, NetworkingConfig?: Any) =>
    request('ContainerCreate', '1.51', {
      body: { MacAddress: mac, ...(HostConfig && { HostConfig }), ...(NetworkingConfig && { NetworkingConfig }) },
    }).body
  t.strictSame(create(undefined).NetworkingConfig, { EndpointsConfig: { default: { MacAddress: mac } } })
  t.notOk('MacAddress' in create(undefined))
  const before44 = { NetworkingConfig: { EndpointsConfig: { n: { Aliases: ['a'], MacAddress: mac } } } }
  t.strictSame(
    request('ContainerCreate', '1.43', { body: before44 }).body.NetworkingConfig,
    { EndpointsConfig: { n: { Aliases: ['a'] } } },
    'before 1.44 networks had none of their own',
  )
  t.strictSame(create({ NetworkMode: 'n' }, { EndpointsConfig: { n: { Aliases: ['a'] } } }).NetworkingConfig, {
    EndpointsConfig: { n: { Aliases: ['a'], MacAddress: mac } },
  })
  t.throws(
    () => create({ NetworkMode: 'n' }, { EndpointsConfig: { n: { MacAddress: '02:00:00:00:00:01' } } }),
    InvalidRequest,
  )
  t.throws(() => create({ NetworkMode: 'container:x' }), {
    message: 'conflicting options: mac-address and the network mode',
  })
  t.notOk('NetworkingConfig' in create({ NetworkMode: 'host' }))
  t.strictSame(
    request('ContainerCreate', '1.52', { body: { MacAddress: mac } }).body,
    { MacAddress: mac },
    'from 1.52 on it is the route that refuses',
  )
  t.end()
})

t.test('save and load take several platforms from 1.52 on, one from 1.48 on', (t) => {
  const platform = ['linux/amd64', 'linux/arm64']
  const taken = (operation: string, version: string) => request(operation, version, { query: { platform } }).query
  for (const operation of ['ImageGet', 'ImageGetAll', 'ImageLoad']) {
    t.strictSame(taken(operation, '1.52'), { platform })
    t.strictSame(taken(operation, '1.51'), { platform: ['linux/amd64'] })
    t.strictSame(taken(operation, '1.47'), { platform: [] })
  }
  t.end()
})

t.test('create: what older versions meant', (t) => {
  const mounts = () => [
    { Type: 'bind', BindOptions: { CreateMountpoint: true, NonRecursive: true }, VolumeOptions: { NoCopy: true } },
    { Type: 'bind', ReadOnly: true, BindOptions: {} },
    { Type: 'tmpfs', TmpfsOptions: { SizeBytes: 1 } },
  ]
  const old = request('ContainerCreate', '1.39', {
    query: { platform: 'linux/arm' },
    body: {
      Healthcheck: { Test: ['NONE'], StartInterval: 1 },
      HostConfig: { Mounts: mounts(), ConsoleSize: [1, 2], Annotations: {} },
    },
  })
  t.strictSame(old, {
    query: { platform: undefined },
    body: {
      Healthcheck: { Test: ['NONE'] },
      HostConfig: {
        Mounts: [
          { Type: 'bind', BindOptions: {} },
          { Type: 'bind', ReadOnly: true, BindOptions: { ReadOnlyNonRecursive: true } },
          { Type: 'tmpfs', TmpfsOptions: { SizeBytes: 1 } },
        ],
        CgroupnsMode: 'host',
        IpcMode: 'shareable',
      },
    },
  })
  const body = (HostConfig: Any, rest: Any = {}) => ({ body: { HostConfig, ...rest } })
  t.throws(() => request('ContainerCreate', '1.47', body({ Mounts: [{ Type: 'image' }] })), /1\.48/)
  t.throws(
    () => request('ContainerCreate', '1.44', body({ Mounts: [{ Type: 'volume', VolumeOptions: { Subpath: 'x' } }] })),
    /1\.45/,
  )
  t.throws(
    () =>
      request(
        'ContainerCreate',
        '1.43',
        body({ Mounts: [{ Type: 'bind', BindOptions: { ReadOnlyForceRecursive: true } }] }),
      ),
    /1\.44/,
  )
  t.throws(
    () => request('ContainerCreate', '1.43', body({}, { NetworkingConfig: { EndpointsConfig: { a: {}, b: {} } } })),
    {
      message: 'Container cannot be created with multiple network endpoints: a, b',
    },
  )
  t.end()
})

t.test('disk usage in its shapes', (t) => {
  const usage = { ImageUsage: { TotalSize: 9, Items: [] }, VolumeUsage: { TotalSize: 1, Items: [] } }
  const legacy = { LayersSize: 9, Images: [], Containers: null, Volumes: [], BuildCache: null }
  const brief = { ImageUsage: { TotalSize: 9 }, VolumeUsage: { TotalSize: 1 } }
  t.strictSame(shapeDiskUsage(usage, { version: '1.51', verbose: '1' }), legacy)
  t.strictSame(shapeDiskUsage(usage, { version: '1.52', verbose: undefined }), { ...legacy, ...brief })
  t.strictSame(shapeDiskUsage(usage, { version: '1.52', verbose: '0' }), brief)
  t.strictSame(shapeDiskUsage(usage, { version: '1.52', verbose: '1' }), usage)
  const listed = {
    Containers: [{ Health: {}, ImageManifestDescriptor: {}, NetworkSettings: { Networks: { n: { GwPriority: 0 } } } }],
    Images: [{ Size: 3, Descriptor: {} }],
  }
  t.strictSame(answer('SystemDataUsage', '1.43', { ...legacy, ...listed }), {
    ...legacy,
    Containers: [{ NetworkSettings: { Networks: { n: {} } } }],
    Images: [{ Size: 3, VirtualSize: 3 }],
  })
  t.end()
})
