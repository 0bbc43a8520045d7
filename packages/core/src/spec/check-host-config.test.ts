import type { ContainerConfig, HostConfig } from '@dockerd-ts/api'
import t from 'tap'
import { isEngineError } from '../errors/engine-error.ts'
import { checkHostConfig, checkRestartPolicy } from './check-host-config.ts'
import { checkResources } from './check-resources.ts'
import recorded from './fixtures/dockerd-26-create.json' with { type: 'json' }
import { cgroupV1, recordedHost } from './testing-host.ts'

const statusOf: Record<string, number> = { invalidArgument: 400, internal: 500 }

/** Belongs to newer engines than the recorded one, or is refused here (an address that dockerd cannot read and ignores). */
const newer = new Set(['writable-cgroups=true'])
const refusedHere = (hostConfig: HostConfig) => hostConfig.PortBindings?.['80/tcp']?.[0]?.HostIp === 'x'

for (const entry of recorded.cases) {
  const hostConfig = entry.hostConfig as HostConfig
  if (hostConfig.SecurityOpt?.some((option) => newer.has(option)) || refusedHere(hostConfig)) continue
  t.test(`answers as dockerd did: ${JSON.stringify(hostConfig)} ${JSON.stringify(entry.config)}`, async (t) => {
    let checked: ReturnType<typeof checkHostConfig>
    try {
      checked = checkHostConfig({ NetworkMode: 'bridge', ...hostConfig }, entry.config as ContainerConfig, recordedHost)
    } catch (error) {
      if (!isEngineError(error)) throw error
      t.strictSame(
        { status: statusOf[error.kind], message: error.message },
        { status: entry.status, message: entry.message },
      )
      return
    }
    t.equal(201, entry.status, String(entry.message))
    t.strictSame(checked.warnings, entry.warnings)
    for (const [field, value] of Object.entries({ ...recorded.defaults, ...entry.stored })) {
      t.strictSame(checked.hostConfig[field as keyof HostConfig] ?? emptyOf(value), value, field)
    }
  })
}

const emptyOf = (value: unknown) => (value === null ? null : 0)

t.test('limits that the host cannot enforce are discarded with a warning each', async (t) => {
  const bare = Object.fromEntries(Object.keys(cgroupV1).map((key) => [key, false])) as unknown as typeof cgroupV1
  const host = { ...recordedHost, cgroup: { ...bare, version: '2' as const, driver: 'cgroupfs' as const } }
  const { resources, warnings } = checkResources(
    {
      Memory: 64 * 2 ** 20,
      MemoryReservation: 32 * 2 ** 20,
      MemorySwappiness: 10,
      OomKillDisable: true,
      PidsLimit: 5,
      CpuShares: 512,
      CpuPeriod: 1000,
      CpusetCpus: '0',
      BlkioDeviceReadBps: [{ Path: '/dev/x', Rate: 1 }],
      BlkioDeviceWriteIOps: [{ Path: '/dev/x', Rate: 1 }],
    },
    host,
  )
  t.equal(warnings.length, 10)
  t.match(resources, { Memory: 0, MemorySwap: -1, MemoryReservation: 0, MemorySwappiness: null, OomKillDisable: null })
  t.match(resources, { PidsLimit: null, CpuShares: 0, CpuPeriod: 0, CpusetCpus: '', BlkioDeviceReadBps: [] })
})

t.test('on cgroup v2 the cgroup namespace is private unless told otherwise', async (t) => {
  const host = { ...recordedHost, cgroup: { ...cgroupV1, version: '2' as const, oomKillDisable: false } }
  t.equal(checkHostConfig({}, {}, host).hostConfig.CgroupnsMode, 'private')
  t.equal(checkHostConfig({ CgroupnsMode: 'host' }, {}, host).hostConfig.CgroupnsMode, 'host')
  t.equal(checkHostConfig({}, {}, host).hostConfig.OomKillDisable, null)
})

t.test('annotations that would steer the runtime are refused', async (t) => {
  t.throws(() => checkHostConfig({ Annotations: { 'run.oci.seccomp_bpf_data': 'AAAA' } }, {}, recordedHost), {
    kind: 'invalidArgument',
    message: 'invalid Annotations: "run.oci.seccomp_bpf_data" is reserved for the engine',
  })
})

t.test('the systemd driver takes only slices as parents', async (t) => {
  const host = { ...recordedHost, cgroup: { ...cgroupV1, driver: 'systemd' as const } }
  t.throws(() => checkHostConfig({ CgroupParent: '/foo' }, {}, host), { message: /should be a valid slice/ })
  t.doesNotThrow(() => checkHostConfig({ CgroupParent: 'foo.slice' }, {}, host))
})

t.test('a daemon that may not raise limits says what it lowers', async (t) => {
  const host = { ...recordedHost, withoutSysResource: { oomScoreAdj: 0, hardLimits: { RLIMIT_NOFILE: 20_000 } } }
  const hostConfig: HostConfig = { OomScoreAdj: -998, Ulimits: [{ Name: 'nofile', Soft: 1, Hard: -1 }] }
  t.strictSame(checkHostConfig(hostConfig, {}, host).warnings, [
    'The daemon lacks CAP_SYS_RESOURCE: OomScoreAdj -998 is raised to 0.',
    'The daemon lacks CAP_SYS_RESOURCE: the hard limit of ulimit nofile is lowered to 20000.',
  ])
})

t.test('masked and read-only paths are stored as they will be used', async (t) => {
  t.ok(checkHostConfig({}, {}, recordedHost).hostConfig.MaskedPaths?.includes('/proc/kcore'))
  t.strictSame(checkHostConfig({ MaskedPaths: [] }, {}, recordedHost).hostConfig.MaskedPaths, [])
  t.strictSame(checkHostConfig({ Privileged: true }, {}, recordedHost).hostConfig.ReadonlyPaths, null)
})

t.test('restart policies of update are checked by the same rules', async (t) => {
  t.throws(() => checkRestartPolicy({ Name: 'sometimes' }), { message: /unknown policy 'sometimes'/ })
  t.doesNotThrow(() => checkRestartPolicy({ Name: 'on-failure', MaximumRetryCount: 5 }))
})

t.test('what would be lost without a word is refused', async (t) => {
  t.throws(() => checkHostConfig({ StorageOpt: { size: '1G' } }, {}, recordedHost), {
    message: /^--storage-opt is supported only/,
  })
  t.throws(() => checkHostConfig({ UsernsMode: 'private' }, {}, recordedHost), {
    message: 'invalid user namespace mode: private',
  })
  t.throws(() => checkHostConfig({ PortBindings: { '80/tcp': [{ HostIp: 'name' }] } }, {}, recordedHost), {
    message: 'invalid IP address: name',
  })
  t.doesNotThrow(() => checkHostConfig({ UsernsMode: 'host', StorageOpt: {} }, {}, recordedHost))
})
