import type { ContainerConfig, HostConfig } from '@dockerd-ts/api'
import t from 'tap'
import { buildOciSpec, type SpecInput } from './build-spec.ts'
import recorded from './fixtures/dockerd-26-specs.json' with { type: 'json' }
import type { OciMount, OciSpec } from './oci-types.ts'
import { resolveUser } from './resolve-user.ts'
import { defaultMaskedPaths, thermalThrottlePaths } from './security-options.ts'
import type { PlannedMount } from './spec-mounts.ts'
import { noDevices } from './spec-resources.ts'
import { recordedHost } from './testing-host.ts'

const files = {
  passwdText: 'root:x:0:0:root:/root:/bin/sh\nalice:x:1000:1000::/home/alice:/bin/sh\nbob:x:1001:100::/home:/bin/sh\n',
  groupText: 'root:x:0:\nusers:x:100:alice,bob\nwheel:x:10:root,alice\nalice:x:1000:\n',
}

const file = (name: string, owner = '<id>'): PlannedMount => ({
  kind: 'file',
  source: `/data/containers/${owner}/${name}`,
  destination: `/etc/${name}`,
  writable: true,
})

function baseInput(): SpecInput {
  return {
    containerId: '<id>',
    config: { Cmd: ['true'] },
    hostConfig: {},
    host: recordedHost,
    rootfsPath: '/rootfs',
    user: resolveUser(files, ''),
    hostname: '<id12>',
    namespacePaths: { network: '/run/netns/x' },
    mounts: [],
    devices: noDevices,
    cgroupsPath: '/docker/<id>',
  }
}

type Recorded = (typeof recorded.cases)[number]

/** The mounts as dockerd shows them in inspect, as the planner would give them. */
function plannedMounts(entry: Recorded): PlannedMount[] {
  const shown = ('mounts' in entry ? entry.mounts : undefined) ?? []
  const wanted = (entry.hostConfig as HostConfig).Mounts ?? []
  const planned = shown
    .filter((mount) => mount.Type !== 'tmpfs')
    .map(
      (mount): PlannedMount => ({
        kind: mount.Type === 'volume' ? 'volume' : 'bind',
        source: mount.Source,
        destination: mount.Destination,
        writable: mount.RW,
        propagation: mount.Propagation,
        nonRecursive: wanted.some(
          (item) => item.Target === mount.Destination && item.BindOptions?.NonRecursive === true,
        ),
      }),
    )
  const owner = entry.name === 'xnetcontainerbase' ? '<other>' : '<id>'
  return [...planned, ...['resolv.conf', 'hostname', 'hosts'].map((name) => file(name, owner))]
}

function devicesFor(entry: Recorded): SpecInput['devices'] {
  const { Devices: asked, Privileged: privileged } = entry.hostConfig as HostConfig
  const nodes = ('linux.devices' in entry.changes ? entry.changes['linux.devices'] : undefined) ?? []
  const devices = nodes.map((node) => ({
    ...node,
    type: node.type as 'c' | 'b',
    access: privileged ? 'rwm' : (asked?.find((item) => item.PathInContainer === node.path)?.CgroupPermissions ?? ''),
  }))
  return { devices, blockDevices: new Map() }
}

function inputFor(entry: Recorded): SpecInput {
  const config = entry.config as ContainerConfig
  const hostConfig = { ...recorded.defaults.hostConfig, ...entry.hostConfig } as HostConfig
  const shared = entry.name === 'xipccontainerbase' ? '<other>' : '<id>'
  const needsShm = hostConfig.IpcMode === 'shareable' || hostConfig.IpcMode?.startsWith('container:')
  return {
    ...baseInput(),
    config,
    hostConfig,
    user: resolveUser(files, config.User ?? '', hostConfig.GroupAdd ?? []),
    hostname: config.Hostname ?? '',
    namespacePaths: { network: '/proc/<pid>/ns/net', pid: '/proc/<pid>/ns/pid', ipc: '/proc/<pid>/ns/ipc' },
    mounts: plannedMounts(entry),
    devices: devicesFor(entry),
    cgroupsPath: `${hostConfig.CgroupParent ?? '/docker'}/<id>`,
    ...(needsShm && { shmPath: `/data/containers/${shared}/mounts/shm` }),
  }
}

function flatten(spec: OciSpec): Record<string, unknown> {
  const { process, linux, mounts, ...rest } = spec
  const { capabilities, ...processRest } = process
  const { resources, seccomp: _seccomp, namespaces, ...linuxRest } = linux
  const prefixed = (prefix: string, object: object) =>
    Object.fromEntries(Object.entries(object).map(([key, value]) => [`${prefix}.${key}`, value]))
  return {
    ...rest,
    mounts: sorted(mounts),
    ...prefixed('process', processRest),
    'process.capabilities': capabilities?.bounding,
    ...prefixed('linux', linuxRest),
    'linux.namespaces': namespaces,
    ...prefixed('linux.resources', resources),
  }
}

const sorted = (mounts: OciMount[]) => [...mounts].sort((a, b) => (a.destination < b.destination ? -1 : 1))

/** dockerd writes `rro` for the name files too; nothing lies below a file, and crun 1.8 takes it for directories only. */
const plainForFiles = (mount: OciMount): OciMount =>
  nameFiles.has(mount.destination)
    ? { ...mount, options: (mount.options ?? []).map((option) => (option === 'rro' ? 'ro' : option)) }
    : mount
const nameFiles = new Set(['/etc/resolv.conf', '/etc/hostname', '/etc/hosts'])

/** What brings no submounts along is private, slave or shared by itself. */
function plainPropagation(mount: OciMount): OciMount {
  if (!mount.options?.includes('bind')) return mount
  return { ...mount, options: mount.options.map((option) => option.replace(/^r(?=private|slave|shared)/, '')) }
}

/** dockerd's document, changed where ours differs on purpose. */
function expectedFor(entry: Recorded): Record<string, unknown> {
  const merged: Record<string, unknown> = { ...recorded.defaults.spec, ...entry.changes }
  const hostConfig = entry.hostConfig as HostConfig
  merged.ociVersion = '1.0.2'
  merged.mounts = sorted(merged.mounts as OciMount[])
    .map(plainForFiles)
    .map(plainPropagation)
  // Newer engines mask more than the recorded one.
  if (merged['linux.maskedPaths'] !== null) {
    merged['linux.maskedPaths'] = [...defaultMaskedPaths, ...thermalThrottlePaths(2)]
  }
  // The network namespace exists before the runtime runs.
  if (hostConfig.NetworkMode !== 'host') {
    merged['linux.namespaces'] = (merged['linux.namespaces'] as { type: string }[]).map((namespace) =>
      namespace.type === 'network' ? { type: 'network', path: '/proc/<pid>/ns/net' } : namespace,
    )
  }
  // dockerd writes its default rules also before the one that allows all.
  if (hostConfig.Privileged) merged['linux.resources.devices'] = [{ allow: true, access: 'rwm' }]
  // dockerd writes -1 where a rule stands for all numbers; leaving it out means the same to every runtime.
  merged['linux.resources.devices'] = (merged['linux.resources.devices'] as Record<string, unknown>[]).map((rule) =>
    Object.fromEntries(Object.entries(rule).filter(([, value]) => value !== -1)),
  )
  // Empty sections and a false that is the kernel's default say nothing.
  delete merged['linux.resources.blockIO']
  const { disableOOMKiller, ...memory } = merged['linux.resources.memory'] as Record<string, unknown>
  const kept = { ...memory, ...(disableOOMKiller === true && { disableOOMKiller }) }
  merged['linux.resources.memory'] = Object.keys(kept).length > 0 ? kept : null
  return Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== null))
}

for (const entry of recorded.cases) {
  t.test(`writes what dockerd writes for: ${entry.name}`, async (t) => {
    t.strictSame(flatten(buildOciSpec(inputFor(entry))), expectedFor(entry))
  })
}

t.test('mounts are ordered by depth, whatever order they were asked in', async (t) => {
  const at = (destination: string): PlannedMount => ({ kind: 'bind', source: '/s', destination, writable: true })
  const { mounts } = buildOciSpec({ ...baseInput(), mounts: ['/a/b/c', '/a', '/x', '/a/b'].map(at) })
  const asked = mounts.map((mount) => mount.destination).filter((path) => /^\/[ax]/.test(path))
  t.strictSame(asked, ['/a', '/x', '/a/b', '/a/b/c'])
})

t.test("a user's mount replaces the engine's at the same place", async (t) => {
  const mounts: PlannedMount[] = [
    { kind: 'bind', source: '/my/hosts', destination: '/etc/hosts', writable: false },
    { kind: 'bind', source: '/dev', destination: '/dev', writable: true },
    file('hosts'),
  ]
  const spec = buildOciSpec({ ...baseInput(), mounts })
  const sources = (destination: string) =>
    spec.mounts.filter((mount) => mount.destination === destination).map((mount) => mount.source)
  t.strictSame(sources('/etc/hosts'), ['/my/hosts'])
  t.strictSame(sources('/dev'), ['/dev'])
  t.strictSame(sources('/dev/shm'), [], 'nothing is mounted over what the user mounted')
})

t.test('--init puts docker-init in front, but only in a pid namespace of its own', async (t) => {
  const spec = buildOciSpec({ ...baseInput(), hostConfig: { Init: true } })
  t.strictSame(spec.process.args, ['/sbin/docker-init', '--', 'true'])
  t.strictSame(spec.mounts.at(-1), {
    destination: '/sbin/docker-init',
    type: 'bind',
    source: '/usr/bin/docker-init',
    options: ['bind', 'ro'],
  })
  t.strictSame(buildOciSpec({ ...baseInput(), hostConfig: { Init: true, PidMode: 'host' } }).process.args, ['true'])
  t.strictSame(buildOciSpec({ ...baseInput(), initByDefault: true }).process.args[0], '/sbin/docker-init')
})

t.test('--init without an init program on the host fails in dockerd’s words', async (t) => {
  const { initPath: _initPath, ...host } = recordedHost
  t.throws(() => buildOciSpec({ ...baseInput(), host, hostConfig: { Init: true } }), {
    message: 'exec: "docker-init": executable file not found in $PATH',
  })
})

t.test('propagation of a mount opens the root filesystem to it', async (t) => {
  const propagationOf = (...values: string[]) =>
    buildOciSpec({
      ...baseInput(),
      mounts: values.map((propagation, index) => ({
        kind: 'bind',
        source: '/s',
        destination: `/m${index}`,
        writable: true,
        propagation,
      })),
    }).linux.rootfsPropagation
  t.equal(propagationOf('rprivate'), undefined)
  t.equal(propagationOf('rslave'), 'rslave')
  t.equal(propagationOf('rslave', 'rshared'), 'shared')
})

t.test('a host where limits cannot be raised starts containers with what is allowed', async (t) => {
  const host = { ...recordedHost, withoutSysResource: { oomScoreAdj: 0, hardLimits: { RLIMIT_NOFILE: 20_000 } } }
  const hostConfig: HostConfig = { OomScoreAdj: -998, Ulimits: [{ Name: 'nofile', Soft: 30_000, Hard: 1_000_000 }] }
  const { process } = buildOciSpec({ ...baseInput(), host, hostConfig })
  t.equal(process.oomScoreAdj, 0)
  t.strictSame(process.rlimits, [{ type: 'RLIMIT_NOFILE', hard: 20_000, soft: 20_000 }])
})

t.test('unlimited is written with all 64 bits', async (t) => {
  const hostConfig: HostConfig = { Ulimits: [{ Name: 'core', Soft: -1, Hard: -1 }] }
  const text = JSON.stringify(buildOciSpec({ ...baseInput(), hostConfig }).process.rlimits)
  t.equal(text, '[{"type":"RLIMIT_CORE","hard":18446744073709551615,"soft":18446744073709551615}]')
})

t.test('seccomp: builtin by default, none when unconfined, privileged, unavailable or empty', async (t) => {
  const seccompFor = (hostConfig: HostConfig, seccompAvailable = true) =>
    buildOciSpec({ ...baseInput(), hostConfig, host: { ...recordedHost, seccompAvailable } }).linux.seccomp
  t.equal(seccompFor({})?.defaultAction, 'SCMP_ACT_ERRNO')
  t.strictSame(seccompFor({ SecurityOpt: ['seccomp=builtin'] }), seccompFor({}))
  t.equal(seccompFor({ SecurityOpt: ['seccomp=unconfined'] }), undefined)
  t.equal(seccompFor({ SecurityOpt: ['seccomp={}'] }), undefined)
  t.equal(seccompFor({ Privileged: true }), undefined)
  t.equal(seccompFor({}, false), undefined)
  const custom = JSON.stringify({
    defaultAction: 'SCMP_ACT_ALLOW',
    syscalls: [{ name: 'mkdir', action: 'SCMP_ACT_KILL' }],
  })
  t.strictSame(seccompFor({ SecurityOpt: [`seccomp=${custom}`] }), {
    defaultAction: 'SCMP_ACT_ALLOW',
    syscalls: [{ names: ['mkdir'], action: 'SCMP_ACT_KILL' }],
  })
})

t.test('apparmor: the default where it is loaded, the one asked for, none when privileged', async (t) => {
  const profileFor = (hostConfig: HostConfig, apparmorDefaultProfile?: string) =>
    buildOciSpec({
      ...baseInput(),
      hostConfig,
      host: { ...recordedHost, apparmorAvailable: true, ...(apparmorDefaultProfile && { apparmorDefaultProfile }) },
    }).process.apparmorProfile
  t.equal(profileFor({}), undefined)
  t.equal(profileFor({}, 'docker-default'), 'docker-default')
  t.equal(profileFor({ SecurityOpt: ['apparmor=mine'] }, 'docker-default'), 'mine')
  t.equal(profileFor({ Privileged: true }, 'docker-default'), 'unconfined')
  t.equal(
    buildOciSpec({ ...baseInput(), hostConfig: { SecurityOpt: ['apparmor=mine'] } }).process.apparmorProfile,
    undefined,
  )
})

t.test('annotations are passed on', async (t) => {
  const { annotations } = buildOciSpec({ ...baseInput(), hostConfig: { Annotations: { mine: 'x' } } })
  t.strictSame(annotations, { mine: 'x' })
})

t.test('what dockerd refuses only at the start is refused by the builder', async (t) => {
  const refused: [HostConfig, string][] = [
    [{ DeviceCgroupRules: ['x'] }, "invalid device cgroup rule format: 'x'"],
    [{ Tmpfs: { '/a': 'foo=x' } }, 'invalid tmpfs option "foo"'],
    [{ Ulimits: [{ Name: 'foo', Soft: 1, Hard: 1 }] }, 'wrong rlimit value: RLIMIT_FOO'],
    [{ CpuShares: -1 }, 'shares: invalid argument'],
    [
      { DeviceRequests: [{ Driver: 'nvidia', Count: -1, Capabilities: [['gpu']] }] },
      'could not select device driver "nvidia" with capabilities: [[gpu]]',
    ],
  ]
  for (const [hostConfig, message] of refused) {
    t.throws(() => buildOciSpec({ ...baseInput(), hostConfig }), { kind: 'internal', message })
  }
  t.throws(() => buildOciSpec({ ...baseInput(), hostConfig: { SecurityOpt: ['seccomp=x'] } }), {
    message: /^Decoding seccomp profile failed: /,
  })
})

t.test('a single file is bound plainly read-only, a directory with all below it', async (t) => {
  const options = (singleFile: boolean) => {
    const mount: PlannedMount = {
      kind: 'bind',
      source: '/s',
      destination: '/d',
      writable: false,
      ...(singleFile && { singleFile }),
    }
    return buildOciSpec({ ...baseInput(), mounts: [mount] }).mounts.find(({ destination }) => destination === '/d')
      ?.options
  }
  t.same(options(true), ['rbind', 'ro', 'rprivate'])
  t.same(options(false), ['rbind', 'rro', 'rprivate'])
})
