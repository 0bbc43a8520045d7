import t from 'tap'
import type { MountPlan } from '../containers/container-record.ts'
import { notFound } from '../errors/engine-error.ts'
import { mountPoints, volumesOf } from './mount-points.ts'
import { type PlanMountsInput, planMounts } from './plan-mounts.ts'

const dataRoot = '/var/lib/engine'

function plan(hostConfig: PlanMountsInput['hostConfig'], rest: Partial<PlanMountsInput> = {}): MountPlan[] {
  return planMounts({
    hostConfig,
    dataRoot,
    mountsOf: (name) => {
      throw notFound(`No such container: ${name}`)
    },
    ...rest,
  })
}

const shown = (mounts: MountPlan[]) => mountPoints(mounts, ({ name }) => `/volumes/${name}/_data`)

const refusals: [what: string, hostConfig: PlanMountsInput['hostConfig'], message: string][] = [
  ['words without a source', { Binds: ['/foo:rw'] }, "invalid volume specification: '/foo:rw'"],
  ['four parts', { Binds: ['a:b:c:d'] }, "invalid volume specification: 'a:b:c:d'"],
  ['an empty bind', { Binds: [''] }, "invalid volume specification: ''"],
  ['an empty source', { Binds: [':/x'] }, "invalid volume specification: ':/x'"],
  ['an empty target', { Binds: ['/x:'] }, "invalid volume specification: '/x:'"],
  [
    'the root as target',
    { Binds: ['/tmp:/..'] },
    `invalid volume specification: '/tmp:/..': invalid mount config for type "bind": invalid specification: destination can't be '/'`,
  ],
  [
    'a relative target',
    { Binds: ['/tmp:d'] },
    `invalid volume specification: '/tmp:d': invalid mount config for type "bind": invalid mount path: 'd' mount path must be absolute`,
  ],
  ['an unknown word', { Binds: ['vv:/d:bad'] }, 'invalid mode: bad'],
  ['two words of one group', { Binds: ['vv:/d:ro,rw'] }, 'invalid mode: ro,rw'],
  ['`default` consistency', { Binds: ['vv:/d:default'] }, 'invalid mode: default'],
  [
    'propagation of a volume',
    { Binds: ['vv:/d:shared'] },
    `invalid volume specification: 'vv:/d:shared': invalid mount config for type "volume": field BindOptions must not be specified`,
  ],
  [
    'nocopy of a bind',
    { Binds: ['/tmp:/d:nocopy'] },
    `invalid volume specification: '/tmp:/d:nocopy': invalid mount config for type "bind": field VolumeOptions must not be specified`,
  ],
  ['two binds at one place', { Binds: ['vv:/d', 'ww:/d/'] }, 'Duplicate mount point: /d'],
  ['a bind where a tmpfs is', { Binds: ['vv:/d'], Tmpfs: { '/d': '' } }, 'Duplicate mount point: /d'],
  [
    'a mount where a bind is, with the path as written',
    { Binds: ['vv:/d'], Mounts: [{ Type: 'tmpfs', Target: '/d/' }] },
    'Duplicate mount point: /d/',
  ],
  ['a relative tmpfs', { Tmpfs: { d: '' } }, "invalid mount path: 'd' mount path must be absolute"],
  ['a tmpfs on the root', { Tmpfs: { '/d/..': '' } }, "invalid specification: destination can't be '/'"],
  ['an empty volumes-from', { VolumesFrom: [''] }, 'volumes-from specification cannot be an empty string'],
  ['volumes-from of nobody', { VolumesFrom: ['nope'] }, 'No such container: nope'],
  ['volumes-from with propagation', { VolumesFrom: ['x:rshared'] }, 'invalid mode: rshared'],
  ['volumes-from with nocopy', { VolumesFrom: ['x:nocopy'] }, 'invalid mode: nocopy'],
]

t.test('what Docker refuses is refused in its words', async (t) => {
  for (const [what, hostConfig, message] of refusals) {
    t.throws(() => plan(hostConfig), { kind: 'invalidArgument', message }, what)
  }
})

const mountRefusals: [mount: NonNullable<PlanMountsInput['hostConfig']['Mounts']>[number], problem: string][] = [
  [{ Type: 'bind', Source: '/tmp' }, 'field Target must not be empty'],
  [{ Type: 'bind', Target: '/d' }, 'field Source must not be empty'],
  [{ Type: 'bind', Source: 'tmp', Target: '/d' }, "invalid mount path: 'tmp' mount path must be absolute"],
  [{ Type: 'bind', Source: '/tmp', Target: 'd' }, "invalid mount path: 'd' mount path must be absolute"],
  [{ Type: 'bind', Source: '/tmp', Target: '/' }, "invalid specification: destination can't be '/'"],
  [{ Type: 'bind', Source: '/tmp', Target: '/d', BindOptions: { Propagation: 'x' } }, 'invalid propagation mode: x'],
  [{ Type: 'volume', Target: '/d', ReadOnly: true }, 'must not set ReadOnly mode when using anonymous volumes'],
  [
    { Type: 'volume', Target: '/d', VolumeOptions: { Subpath: 'x' } },
    'must not set Subpath when using anonymous volumes',
  ],
  [
    { Type: 'volume', Source: 'vv', Target: '/d', VolumeOptions: { Subpath: 'a/../../x' } },
    'subpath must be a relative path within the volume',
  ],
  [{ Type: 'tmpfs', Target: '/d', Source: 'x' }, 'field Source must not be specified'],
  [{ Type: 'npipe', Source: 'x', Target: '/d' }, 'mount type unknown'],
  [{ Type: 'cluster', Source: 'x', Target: '/d' }, 'mount type unknown'],
  [{ Source: 'x', Target: '/d' }, 'mount type unknown'],
]

t.test('a wrong entry of Mounts is refused in Docker’s words', async (t) => {
  for (const [mount, problem] of mountRefusals) {
    const message = `invalid mount config for type "${mount.Type ?? ''}": ${problem}`
    t.throws(() => plan({ Mounts: [mount] }), { kind: 'invalidArgument', message }, message)
  }
  const wrongOptions = { Type: 'bind', Source: '/tmp', Target: '/d', VolumeOptions: {} }
  t.throws(() => plan({ Mounts: [wrongOptions] }), {
    message: 'VolumeOptions must not be specified on mount type "bind"',
  })
})

t.test('inspect shows binds and volumes as Docker does', async (t) => {
  const mounts = plan({
    Binds: ['/tmp/../srv/:/d/../e/', '/etc:/f:rslave,ro', 'vv:/v', 'vv:/w:ro,z', 'vv:/x:nocopy', '/anon'],
    Mounts: [
      { Type: 'volume', Source: 'named', Target: '/n' },
      { Type: 'tmpfs', Target: '/t', TmpfsOptions: { SizeBytes: 65536, Mode: 0o1777 } },
    ],
    Tmpfs: { '/hidden': 'size=1m' },
  })
  const volume = (Name: string, rest: object) => ({
    Type: 'volume',
    Name,
    Source: `/volumes/${Name}/_data`,
    Driver: 'local',
    Mode: 'z',
    RW: true,
    Propagation: '',
    ...rest,
  })
  t.strictSame(shown(mounts), [
    { Type: 'bind', Source: '/srv', Destination: '/e', Mode: '', RW: true, Propagation: 'rprivate' },
    { Type: 'bind', Source: '/etc', Destination: '/f', Mode: 'rslave,ro', RW: false, Propagation: 'rslave' },
    volume('vv', { Destination: '/v' }),
    volume('vv', { Destination: '/w', Mode: 'ro,z', RW: false }),
    volume('vv', { Destination: '/x', Mode: 'nocopy' }),
    volume('', { Destination: '/anon' }),
    volume('named', { Destination: '/n' }),
    { Type: 'tmpfs', Source: '', Destination: '/t', Mode: '', RW: true, Propagation: '' },
  ])
  t.strictSame(volumesOf(mounts), ['vv', 'named'])
  t.strictSame(
    mounts.map((mount) => mount.copyUp),
    [false, false, true, true, false, true, true, false],
  )
})

t.test('a missing source of a bind is made, that of a mount only where asked', async (t) => {
  const mounts = plan({
    Binds: ['/a:/a'],
    Mounts: [
      { Type: 'bind', Source: '/b', Target: '/b' },
      { Type: 'bind', Source: '/c', Target: '/c', BindOptions: { CreateMountpoint: true } },
    ],
  })
  t.strictSame(
    mounts.map((mount) => mount.createSource),
    [true, false, true],
  )
})

t.test('anonymous volumes give way to everything else', async (t) => {
  const mounts = plan(
    { Binds: ['vv:/d'], Mounts: [{ Type: 'tmpfs', Target: '/m' }], Tmpfs: { '/t': '' } },
    { volumes: { '/d': {}, '/m/': {}, '/t': {}, '/free': {} } },
  )
  t.strictSame(
    mounts.map((mount) => [mount.destination, mount.anonymous]),
    [
      ['/d', false],
      ['/m', false],
      ['/free', true],
    ],
  )
  t.equal(mounts.at(-1)?.mode, '', 'and carry no SELinux mark')
  t.throws(() => plan({}, { volumes: { '/': {} } }), { message: "invalid specification: destination can't be '/'" })
})

t.test('a tmpfs may lie where a mount is: Docker mounts both', async (t) => {
  t.equal(plan({ Mounts: [{ Type: 'volume', Source: 'vv', Target: '/d' }], Tmpfs: { '/d': '' } }).length, 1)
})

t.test('volumes-from takes the mounts of a container, less writable and never copied', async (t) => {
  const Mounts = [{ Type: 'tmpfs', Target: '/own' }]
  const source = plan({ Binds: ['vv:/d:ro', '/srv:/t:rshared', '/etc:/e:Z'], Mounts }, { volumes: { '/anon': {} } })
  const inherited = plan({ VolumesFrom: ['source:ro'], Binds: ['ww:/d'] }, { mountsOf: () => source })
  t.strictSame(
    inherited.map((mount) => [
      mount.destination,
      mount.name ?? mount.source,
      mount.readWrite,
      mount.mode,
      mount.copyUp,
    ]),
    [
      ['/t', '/srv', false, '', false],
      ['/e', '/etc', false, '', false],
      ['/anon', '', false, '', false],
      ['/d', 'ww', true, 'z', true],
    ],
  )
})

t.test('read-only binds of older clients leave submounts writable', async (t) => {
  const hostConfig: PlanMountsInput['hostConfig'] = {
    Binds: ['/srv:/ro:ro', '/srv:/rw', 'named:/v:ro'],
    Mounts: [{ Type: 'bind', Source: '/etc', Target: '/m', ReadOnly: true }],
  }
  const nonRecursive = (byDefault: boolean) =>
    plan(hostConfig, { readOnlyNonRecursive: byDefault })
      .filter((mount) => mount.readOnlyNonRecursive)
      .map(({ destination }) => destination)
  t.strictSame(nonRecursive(true), ['/ro', '/m'])
  t.strictSame(nonRecursive(false), [])
})

t.test('a bind around the data root does not keep the mounts of other containers', async (t) => {
  t.equal(plan({ Binds: ['/:/x:ro'] })[0]?.propagation, 'rslave')
  t.equal(plan({ Binds: [`${dataRoot}/volumes:/x`] })[0]?.propagation, 'rslave')
  t.equal(plan({ Binds: ['/var/lib:/x:rshared'] })[0]?.propagation, 'rshared')
  t.equal(plan({ Binds: ['/var/lib/engine2:/x'] })[0]?.propagation, 'rprivate', 'a neighbour is not inside')
  t.throws(() => plan({ Binds: ['/var:/x:private'] }), {
    message:
      'invalid mount config: must use either propagation mode "rslave" or "rshared" when mount source is within the ' +
      'daemon root, daemon root: "/var/lib/engine", bind mount source: "/var", propagation: "private"',
  })
})

t.test('HostConfig.VolumeDriver is the driver of binds and anonymous volumes only', async (t) => {
  const mounts = plan(
    { VolumeDriver: 'other', Binds: ['vv:/d'], Mounts: [{ Type: 'volume', Source: 'mm', Target: '/m' }] },
    { volumes: { '/anon': {} } },
  )
  t.strictSame(
    mounts.map((mount) => mount.driver),
    ['other', '', 'other'],
  )
})
