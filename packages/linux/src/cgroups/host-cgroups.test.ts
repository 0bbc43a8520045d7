import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { readCgroupLayout } from './cgroup-layout.ts'
import { expandSlice } from './cgroup-paths.ts'
import { createCgroups } from './host-cgroups.ts'
import { normalLimits, sharesToWeight, systemdProperties, v1Writes } from './live-limits.ts'
import { parseBlkio } from './v1-statistics.ts'

const id = 'a'.repeat(64)
const gib = 2 ** 30

interface Group {
  [name: string]: string | Group
}

const v2Group: Group = {
  'cpu.stat': 'usage_usec 5000\nuser_usec 3000\nsystem_usec 2000\nnr_periods 7\nnr_throttled 2\nthrottled_usec 9\n',
  'memory.current': '1048576\n',
  'memory.max': 'max\n',
  'memory.stat': 'anon 10\nfile 20\ninactive_file 5\nsec_pagetables 3\n',
  'memory.events': 'low 0\noom 3\noom_kill 1\n',
  'pids.current': '4\n',
  'pids.max': '50\n',
  'io.stat': '8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0\n8:16 \n',
  'cgroup.procs': '30\n4\n',
  sub: { 'cgroup.procs': '0\n12\n', deeper: { 'cgroup.procs': '12\n99\n' } },
}

function v2Host(t: Pick<typeof import('tap').default, 'testdir'>, group: Group) {
  const root = t.testdir({ docker: { [id]: group } })
  const layout = { version: '2' as const, root, controllers: new Set(['memory', 'pids']) }
  const cgroups = createCgroups({ layout, driver: 'cgroupfs', hostMemoryBytes: gib })
  return { cgroups, file: (name: string) => readFileSync(join(root, 'docker', id, name), 'utf8') }
}

t.test('v2: statistics in Docker’s fields', async (t) => {
  t.strictSame(await v2Host(t, v2Group).cgroups.statistics(id), {
    cpu: { totalNs: 5e6, userNs: 3e6, systemNs: 2e6, periods: 7, throttledPeriods: 2, throttledNs: 9000 },
    memory: { usageBytes: 1048576, limitBytes: gib, failcnt: 3, stats: { anon: 10, file: 20, inactive_file: 5 } },
    pids: { current: 4, limit: 50 },
    blkio: {
      serviceBytes: [
        { major: 8, minor: 0, op: 'read', value: 1 },
        { major: 8, minor: 0, op: 'write', value: 2 },
      ],
      serviced: [],
    },
  })
})

t.test('v2: controllers that are off count nothing; a group that is gone is not found', async (t) => {
  const { cgroups } = v2Host(t, {})
  t.match(await cgroups.statistics(id), { cpu: { totalNs: 0 }, memory: { usageBytes: 0, limitBytes: gib } })
  await t.rejects(cgroups.statistics('b'.repeat(64)), { kind: 'notFound', message: /does not exist/ })
})

t.test('v2: processes of nested groups are counted once, foreign namespaces’ not at all', async (t) => {
  const { cgroups } = v2Host(t, v2Group)
  t.strictSame(await cgroups.processIds(id), [4, 12, 30, 99])
  t.strictSame(await cgroups.processIds('b'.repeat(64)), [])
})

t.test('v2: live limits, with what they are counted from', async (t) => {
  const names = ['memory.max', 'memory.swap.max', 'memory.low', 'cpu.weight', 'cpuset.cpus', 'pids.max', 'io.weight']
  const empty = Object.fromEntries(names.map((name) => [name, '']))
  const { cgroups, file } = v2Host(t, { ...empty, 'cpu.max': 'max 50000' })
  await cgroups.update(id, {
    Memory: 100,
    MemorySwap: 150,
    MemoryReservation: 50,
    CpuShares: 1024,
    CpuQuota: 20000,
    CpusetCpus: '0-1',
    PidsLimit: 9,
    BlkioWeight: 505,
  })
  const written = Object.fromEntries([...names, 'cpu.max'].map((name) => [name, file(name)]))
  t.strictSame(written, {
    'memory.max': '100',
    'memory.swap.max': '50',
    'memory.low': '50',
    'cpu.weight': '39',
    'cpuset.cpus': '0-1',
    'pids.max': '9',
    'io.weight': 'default 5000',
    'cpu.max': '20000 50000',
  })
})

t.test('v2: what cannot be written names the file', async (t) => {
  const { cgroups } = v2Host(t, {})
  await t.rejects(cgroups.update(id, { Memory: 1 }), { kind: 'internal', message: /memory\.max: ENOENT$/ })
  await t.rejects(cgroups.update('b'.repeat(64), { Memory: 1 }), { kind: 'notFound', message: /does not exist/ })
})

t.test('removal takes nested groups and is done when all is gone', async (t) => {
  // A real cgroup directory is removable although it shows files; directories alone stand for it here.
  const root = t.testdir({})
  const layout = { version: '2' as const, root, controllers: new Set<string>() }
  const cgroups = createCgroups({ layout, driver: 'cgroupfs' })
  mkdirSync(join(root, 'docker', id, 'a/b'), { recursive: true })
  await cgroups.remove(id)
  t.notOk(existsSync(join(root, 'docker', id)))
  t.ok(existsSync(join(root, 'docker')), 'the parent of all containers stays')
  await t.resolves(cgroups.remove(id))
})

t.test('a missing id never names the parent group', async (t) => {
  const { cgroups } = v2Host(t, {})
  for (const wrong of ['', '.', '..', '/', 'a/b'])
    t.throws(() => cgroups.directories(wrong), { kind: 'internal', message: /no container id/ })
})

t.test('paths by driver', async (t) => {
  const layout = { version: '2' as const, root: '/sys/fs/cgroup', controllers: new Set<string>() }
  const cgroupfs = createCgroups({ layout, driver: 'cgroupfs' })
  t.equal(cgroupfs.specPath(id), `/docker/${id}`)
  t.equal(cgroupfs.specPath(id, 'pods/../../..'), `/${id}`, 'a parent does not lead out')
  t.strictSame(cgroupfs.directories(id, '/pods'), [`/sys/fs/cgroup/pods/${id}`])
  const systemd = createCgroups({ layout, driver: 'systemd' })
  t.equal(systemd.specPath(id), `system.slice:docker:${id}`)
  t.equal(systemd.specPath(id, 'my-pods.slice'), `my-pods.slice:docker:${id}`)
  t.strictSame(systemd.directories(id, 'my-pods.slice'), [
    `/sys/fs/cgroup/my.slice/my-pods.slice/docker-${id}.scope/container`,
    `/sys/fs/cgroup/my.slice/my-pods.slice/docker-${id}.scope`,
  ])
  t.equal(expandSlice('-.slice'), '/')
})

t.test('systemd on v2: limits are read and written where crun put them', async (t) => {
  const limited = { 'cgroup.procs': '7\n', 'memory.max': '', 'pids.max': '50\n' }
  const scope = { 'cgroup.procs': '', 'pids.max': '2362\n', container: limited }
  const root = t.testdir({ 'system.slice': { [`docker-${id}.scope`]: scope } })
  const cgroups = createCgroups({ layout: { version: '2', root, controllers: new Set() }, driver: 'systemd' })
  t.equal((await cgroups.statistics(id)).pids.limit, 50)
  t.strictSame(await cgroups.processIds(id), [7])
  await cgroups.update(id, { Memory: 100 })
  t.equal(readFileSync(join(root, `system.slice/docker-${id}.scope/container/memory.max`), 'utf8'), '100')
})

const mountInfo = {
  v1: `31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,xattr,name=systemd,release_agent=/x
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw,nsdelegate
`,
  v2: '30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot\n',
}

t.test('layouts: hybrid, v2, none', async (t) => {
  t.strictSame(
    readCgroupLayout(() => mountInfo.v1),
    {
      version: '1',
      hierarchies: new Map([
        ['cpu', '/sys/fs/cgroup/cpu,cpuacct'],
        ['cpuacct', '/sys/fs/cgroup/cpu,cpuacct'],
        ['memory', '/sys/fs/cgroup/memory'],
        ['name=systemd', '/sys/fs/cgroup/systemd'],
      ]),
      unified: '/sys/fs/cgroup/unified',
    },
  )
  const read = (path: string) => (path.endsWith('controllers') ? 'cpu memory pids\n' : mountInfo.v2)
  t.strictSame(readCgroupLayout(read), {
    version: '2',
    root: '/sys/fs/cgroup',
    controllers: new Set(['cpu', 'memory', 'pids']),
  })
  t.throws(() => readCgroupLayout(() => ''), { message: /no cgroup file system/ })
  const layout = readCgroupLayout(() => mountInfo.v1)
  t.strictSame(createCgroups({ layout, driver: 'cgroupfs' }).directories('x'), [
    '/sys/fs/cgroup/cpu,cpuacct/docker/x',
    '/sys/fs/cgroup/memory/docker/x',
    '/sys/fs/cgroup/systemd/docker/x',
    '/sys/fs/cgroup/unified/docker/x',
  ])
})

t.test('v1: the outer memory limit grows first and shrinks last', async (t) => {
  const order = (limits: Record<string, number>, memorySwap: number) =>
    v1Writes(normalLimits(limits), { memorySwap }).map(({ file, value }) => `${file}=${value}`)
  t.strictSame(order({ Memory: 200, MemorySwap: 400 }, 100), [
    'memory.memsw.limit_in_bytes=400',
    'memory.limit_in_bytes=200',
  ])
  t.strictSame(order({ Memory: 50, MemorySwap: 60 }, 100), [
    'memory.limit_in_bytes=50',
    'memory.memsw.limit_in_bytes=60',
  ])
  t.strictSame(order({ Memory: 200, MemorySwap: -1 }, 100)[0], 'memory.memsw.limit_in_bytes=-1')
  t.strictSame(order({ MemorySwap: -2 }, 100), ['memory.memsw.limit_in_bytes=-1'])
  t.strictSame(order({ PidsLimit: 0 }, 100), ['pids.max=max'], 'no limit')
})

t.test('conversions', async (t) => {
  t.strictSame([2, 1024, 262_144, 1, 1e9].map(sharesToWeight), [1, 39, 10_000, 1, 10_000])
  t.strictSame(normalLimits({ NanoCpus: 1.5e9, CpuQuota: undefined }), { cpuPeriod: 100_000, cpuQuota: 150_000 })
  t.strictSame(systemdProperties(normalLimits({ Memory: 100, MemorySwap: 300, NanoCpus: 5e8, PidsLimit: -1 }), '2'), [
    'MemoryMax=100',
    'MemorySwapMax=200',
    'CPUQuota=50%',
    'TasksMax=infinity',
  ])
  t.strictSame(systemdProperties(normalLimits({ PidsLimit: 0 }), '2'), ['TasksMax=infinity'])
})

t.test('v1: block counters are per device; the sum is left out', async (t) => {
  t.strictSame(parseBlkio('254:0 Read 512\n254:0 Write 1024\nTotal 1536\n'), [
    { major: 254, minor: 0, op: 'read', value: 512 },
    { major: 254, minor: 0, op: 'write', value: 1024 },
  ])
})
