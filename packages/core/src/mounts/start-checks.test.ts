import t from 'tap'
import { planMounts } from './plan-mounts.ts'
import { bindPropagation, checkReadOnlyOptions, wantsPropagation } from './start-checks.ts'

const dataRoot = '/var/lib/engine'

function planOf(hostConfig: Parameters<typeof planMounts>[0]['hostConfig']) {
  const [plan] = planMounts({ hostConfig, dataRoot, mountsOf: () => [] })
  if (!plan) throw new Error('nothing was planned')
  return plan
}

const privately = { mountPoint: '/', shared: false, slave: false }
const shared = { mountPoint: '/', shared: true, slave: false }
const slave = { mountPoint: '/', shared: false, slave: true }

t.test('shared and slave mounts need a source that propagates', async (t) => {
  const check = (bind: string, mount: typeof shared) => bindPropagation(planOf({ Binds: [bind] }), mount, dataRoot)
  t.equal(check('/srv:/x:rshared', shared), 'rshared')
  t.equal(check('/srv:/x:slave', shared), 'slave')
  t.equal(check('/srv:/x:slave', slave), 'slave')
  const notShared = { kind: 'internal', message: 'path /srv is mounted on / but it is not a shared mount' }
  t.throws(() => check('/srv:/x:rshared', privately), notShared)
  t.throws(() => check('/srv:/x:shared', slave), notShared)
  t.throws(() => check('/srv:/x:rslave', privately), {
    message: 'path /srv is mounted on / but it is not a shared or slave mount',
  })
})

t.test('the precaution for the data root gives way where nothing propagates, a wish does not', async (t) => {
  const implicit = planOf({ Binds: ['/:/x'] })
  t.equal(wantsPropagation(implicit), true)
  t.equal(bindPropagation(implicit, privately, dataRoot), 'rprivate')
  t.equal(bindPropagation(implicit, shared, dataRoot), 'rslave')
  t.throws(
    () => bindPropagation(planOf({ Binds: ['/:/x:rslave'] }), privately, dataRoot),
    /not a shared or slave mount/,
  )
  const BindOptions = { Propagation: 'rslave' }
  const spec = planOf({ Mounts: [{ Type: 'bind', Source: '/', Target: '/x', BindOptions }] })
  t.throws(() => bindPropagation(spec, privately, dataRoot), /not a shared or slave mount/)
  t.equal(wantsPropagation(planOf({ Binds: ['/srv:/x'] })), false)
})

t.test('contradicting read-only options are refused', async (t) => {
  const plan = (ReadOnly: boolean, BindOptions: object) =>
    planOf({ Mounts: [{ Type: 'bind', Source: '/etc', Target: '/a', ReadOnly, BindOptions }] })
  checkReadOnlyOptions(plan(true, { ReadOnlyForceRecursive: true }))
  checkReadOnlyOptions(plan(false, {}))
  t.throws(() => checkReadOnlyOptions(plan(false, { ReadOnlyNonRecursive: true })), {
    kind: 'internal',
    message: 'mount options conflict: !ReadOnly && BindOptions.ReadOnlyNonRecursive',
  })
  t.throws(() => checkReadOnlyOptions(plan(false, { ReadOnlyForceRecursive: true })), {
    message: 'mount options conflict: !ReadOnly && BindOptions.ReadOnlyForceRecursive',
  })
  t.throws(() => checkReadOnlyOptions(plan(true, { ReadOnlyForceRecursive: true, ReadOnlyNonRecursive: true })), {
    message: 'mount options conflict: ReadOnlyNonRecursive && BindOptions.ReadOnlyForceRecursive',
  })
})
