import t from 'tap'
import { testEngine } from '../testing/index.ts'

t.test('version names the engine, its runtime and the API versions', async (t) => {
  const test = testEngine()
  t.match(await test.engine.system.version(), {
    Version: '1.0.0',
    ApiVersion: '1.51',
    MinAPIVersion: '1.24',
    Os: 'linux',
    Arch: 'amd64',
    KernelVersion: '6.1.0',
    Components: [
      { Name: 'Engine', Version: '1.0.0', Details: { ApiVersion: '1.51', GitCommit: 'abcdef' } },
      { Name: 'runc', Version: '1.2.3' },
      { Name: 'docker-init', Version: '1.0.0', Details: { GitCommit: 'abcdef' } },
    ],
  })
  const named = testEngine({ init: { binary: '/sbin/mine', version: 'N/A' } })
  const { Components } = await named.engine.system.version()
  t.strictSame(
    Components?.map(({ Name }) => Name),
    ['Engine', 'runc'],
  )
})

t.test('info counts, names the host, keeps its id over restarts', async (t) => {
  const test = testEngine({ labels: ['a=b'], noNewPrivileges: true })
  const running = await test.create()
  await test.create()
  const paused = await test.create()
  await test.engine.containers.start(running, {})
  await test.engine.containers.start(paused, {})
  await test.engine.containers.pause(paused)
  const info = await test.engine.system.info()
  t.match(info, {
    Containers: 3,
    ContainersRunning: 1,
    ContainersPaused: 1,
    ContainersStopped: 1,
    Driver: 'overlay2',
    DriverStatus: [['Backing Filesystem', 'extfs']],
    CgroupDriver: 'cgroupfs',
    CgroupVersion: '2',
    SecurityOptions: ['name=seccomp,profile=builtin', 'name=cgroupns', 'name=no-new-privileges'],
    Labels: ['a=b'],
    CDISpecDirs: ['/etc/cdi'],
    DiscoveredDevices: [
      { Source: 'cdi', ID: 'vendor.com/class=node' },
      { Source: 'cdi', ID: 'vendor.com/class=plain' },
    ],
    Warnings: ['CDI: something is wrong'],
    Name: 'host.example',
    Runtimes: { runc: { path: 'runc' } },
    DefaultRuntime: 'runc',
    Swarm: { LocalNodeState: 'inactive' },
  })
  const next = test.restartDaemon()
  await next.engine.recover()
  t.equal((await next.engine.system.info()).ID, info.ID)
})

t.test('info warns of how the API can be reached, after what the host lacks', async (t) => {
  const test = testEngine({ apiWarnings: ['everyone is root'], seccompProfileName: 'mine' })
  const { Warnings } = await test.engine.system.info()
  t.equal(Warnings?.at(-1), 'everyone is root')
  t.ok(Warnings?.some((text) => text.startsWith('WARNING: ')))
})

t.test('events: since after until is refused', async (t) => {
  const test = testEngine()
  const query = { filters: {}, signal: new AbortController().signal }
  t.throws(() => test.engine.system.events({ ...query, sinceNs: 5_000_000_000n, untilNs: 2_000_000_000n }), {
    kind: 'invalidArgument',
    message: '`since` time (5) cannot be after `until` time (2)',
  })
  t.throws(() => test.engine.system.events({ ...query, filters: { foo: ['x'] } }), { message: "invalid filter 'foo'" })
})

t.test('disk usage', async (t) => {
  const test = testEngine()
  const running = await test.create({ HostConfig: { Binds: ['used:/v'] } })
  await test.engine.containers.start(running, {})
  await test.create()
  await test.engine.volumes.create({ Name: 'free' })
  test.volumes.sizes.set('used', 10).set('free', 5)
  const usage = await test.engine.system.diskUsage({ types: [] })
  t.match(usage.ContainerUsage, { ActiveCount: 1, TotalCount: 2, TotalSize: 200, Reclaimable: 100 })
  t.match(usage.VolumeUsage, { ActiveCount: 1, TotalCount: 2, TotalSize: 15, Reclaimable: 5 })
  t.equal(usage.VolumeUsage?.Items?.find(({ Name: name }) => name === 'used')?.UsageData?.RefCount, 1)
  const some = await test.engine.system.diskUsage({ types: ['container'] })
  t.strictSame(Object.keys(some), ['ContainerUsage'])
})
