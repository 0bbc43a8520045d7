import t from 'tap'
import { planMounts } from './plan-mounts.ts'
import { type ReadyMountsInput, readyMounts, type SourceMount } from './ready-mounts.ts'

type HostConfig = Parameters<typeof planMounts>[0]['hostConfig']

function ready(hostConfig: HostConfig, rest: Partial<ReadyMountsInput> & { sourceMount?: SourceMount } = {}) {
  const plans = planMounts({ hostConfig, dataRoot: '/var/lib/engine', mountsOf: () => [] })
  const mounts = plans.map((plan) => ({
    plan,
    hostPath: plan.type === 'volume' ? `/volumes/${plan.name}` : plan.source,
    ...(rest.sourceMount && { sourceMount: rest.sourceMount }),
  }))
  return readyMounts({
    mounts,
    tmpfs: hostConfig.Tmpfs ?? {},
    dataRoot: '/var/lib/engine',
    recursiveReadOnly: true,
    ...rest,
  })
}

const options = (hostConfig: HostConfig) => ready(hostConfig).mounts.map((mount) => mount.options.join())

t.test('options of binds are those Docker writes', async (t) => {
  const Source = '/etc'
  const Mounts = [
    { Type: 'bind', Source, Target: '/a', ReadOnly: true, BindOptions: { NonRecursive: true } },
    { Type: 'bind', Source, Target: '/b', ReadOnly: true, BindOptions: { ReadOnlyNonRecursive: true } },
    { Type: 'bind', Source, Target: '/c', ReadOnly: true, BindOptions: { ReadOnlyForceRecursive: true } },
    { Type: 'bind', Source, Target: '/d', BindOptions: { Propagation: 'private' } },
    { Type: 'volume', Source: 'vv', Target: '/e', ReadOnly: true },
    { Type: 'volume', Source: 'vv', Target: '/f' },
  ]
  t.strictSame(options({ Mounts }), [
    'bind,rro,rprivate',
    'rbind,ro,rprivate',
    'rbind,rro,rprivate',
    'rbind,private',
    'rbind,rro',
    'rbind',
  ])
})

t.test('without recursive read-only mounts a plain one serves, unless recursion was demanded', async (t) => {
  const readOnly = { Mounts: [{ Type: 'bind', Source: '/etc', Target: '/a', ReadOnly: true }] }
  t.strictSame(ready(readOnly, { recursiveReadOnly: false }).mounts[0]?.options, ['rbind', 'ro', 'rprivate'])
  const forced = (BindOptions: object, ReadOnly = true) => ({
    Mounts: [{ Type: 'bind', Source: '/etc', Target: '/a', ReadOnly, BindOptions }],
  })
  t.throws(() => ready(forced({ ReadOnlyForceRecursive: true }), { recursiveReadOnly: false }), /not supported/)
  t.throws(() => ready(forced({ ReadOnlyForceRecursive: true }, false)), {
    message: 'mount options conflict: !ReadOnly && BindOptions.ReadOnlyForceRecursive',
  })
  t.throws(() => ready(forced({ ReadOnlyForceRecursive: true, ReadOnlyNonRecursive: true })), {
    message: 'mount options conflict: ReadOnlyNonRecursive && BindOptions.ReadOnlyForceRecursive',
  })
})

t.test('tmpfs options are merged with the defaults, the last word wins', async (t) => {
  t.strictSame(options({ Tmpfs: { '/t': '' } }), ['noexec,nosuid,nodev,rprivate'])
  t.strictSame(options({ Tmpfs: { '/t': 'size=3m,exec,uid=3,rw,noatime,mode=755,size=4m' } }), [
    'nosuid,nodev,rprivate,exec,uid=3,rw,noatime,mode=755,size=4m',
  ])
  const TmpfsOptions = { SizeBytes: 3_221_225_472, Mode: 0o1750 }
  t.strictSame(options({ Mounts: [{ Type: 'tmpfs', Target: '/t', ReadOnly: true, TmpfsOptions }] }), [
    'noexec,nosuid,nodev,rprivate,ro,mode=1750,size=3g',
  ])
  t.throws(() => options({ Tmpfs: { '/t': 'bad' } }), { message: 'invalid tmpfs option "bad"' })
})

t.test('parents are mounted before their children', async (t) => {
  const { mounts } = ready({ Binds: ['/srv:/a/b/c', '/srv:/a', '/srv:/z/y'], Tmpfs: { '/a/b': '' } })
  t.strictSame(
    mounts.map((mount) => mount.destination),
    ['/a', '/z/y', '/a/b', '/a/b/c'],
  )
})

t.test('shared and slave mounts need a source that propagates', async (t) => {
  const privately = { mountPoint: '/', shared: false, slave: false }
  const shared = { mountPoint: '/', shared: true, slave: false }
  const slave = { mountPoint: '/', shared: false, slave: true }
  t.throws(() => ready({ Binds: ['/srv:/x:rshared'] }, { sourceMount: privately }), {
    message: 'path /srv is mounted on / but it is not a shared mount',
  })
  t.throws(() => ready({ Binds: ['/srv:/x:rshared'] }, { sourceMount: slave }), /not a shared mount/)
  t.throws(() => ready({ Binds: ['/srv:/x:slave'] }, { sourceMount: privately }), {
    message: 'path /srv is mounted on / but it is not a shared or slave mount',
  })
  t.equal(ready({ Binds: ['/srv:/x:slave'] }, { sourceMount: slave }).rootfsPropagation, 'rslave')
  const both = ready({ Binds: ['/srv:/y:rshared', '/srv:/x:slave'] }, { sourceMount: shared })
  t.equal(both.rootfsPropagation, 'shared')
  t.equal(ready({ Binds: ['/srv:/x'] }).rootfsPropagation, undefined)
})

t.test('the precaution for the data root gives way where nothing propagates', async (t) => {
  const privately = { mountPoint: '/', shared: false, slave: false }
  const implicit = ready({ Binds: ['/:/x'] }, { sourceMount: privately })
  t.strictSame(implicit.mounts[0]?.options, ['rbind', 'rprivate'])
  t.throws(() => ready({ Binds: ['/:/x:rslave'] }, { sourceMount: privately }), /not a shared or slave mount/)
})
