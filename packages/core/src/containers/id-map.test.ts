import t from 'tap'
import { testEngine } from '../testing/index.ts'

const idMap = { text: '0 500000 65536/0 600000 65536', root: { uid: 500_000, gid: 600_000 } }
const engine = () => testEngine({ idMap })

t.test('a container is given a user namespace, and is not given what every group would be in', async (t) => {
  const test = engine()
  const id = await test.create({})
  await test.engine.containers.start(id, {})
  const spec = await test.files.readSpec(id)
  t.equal(spec?.linux.namespaces.filter(({ type }) => type === 'user').length, 1)
  t.notOk('net.ipv4.ping_group_range' in (spec?.linux.sysctl ?? {}))
  const own = await test.create({ HostConfig: { UsernsMode: 'host' } })
  await test.engine.containers.start(own, {})
  const hosts = await test.files.readSpec(own)
  t.same(
    hosts?.linux.namespaces.filter(({ type }) => type === 'user'),
    [],
  )
  t.ok('net.ipv4.ping_group_range' in (hosts?.linux.sysctl ?? {}))
})

t.test('who joins namespaces of another container joins its user namespace', async (t) => {
  const test = engine()
  const { containers } = test.engine
  await containers.start(await test.create({ HostConfig: { IpcMode: 'shareable' } }, 'owner'), {})
  const pid = (await containers.inspect('owner', { size: false })).State?.Pid
  for (const mode of ['NetworkMode', 'IpcMode', 'PidMode']) {
    const id = await test.create({ HostConfig: { [mode]: 'container:owner' } })
    await containers.start(id, {})
    const spec = await test.files.readSpec(id)
    const user = spec?.linux.namespaces.find(({ type }) => type === 'user')
    t.equal(user?.path, `/proc/${pid}/ns/user`, mode)
  }
})

t.test("namespaces of the host are refused, except with the host's user namespace", async (t) => {
  const test = engine()
  for (const [mode, message] of [
    [{ Privileged: true }, /^privileged mode is incompatible with user namespaces\. {2}You must run/],
    [{ NetworkMode: 'host' }, /^cannot share the host's network namespace when user namespaces are enabled$/],
    [{ PidMode: 'host' }, /^cannot share the host PID namespace when user namespaces are enabled$/],
  ] as const) {
    await t.rejects(test.create({ HostConfig: mode }), { kind: 'invalidArgument', message })
    await t.resolves(test.create({ HostConfig: { ...mode, UsernsMode: 'host' } }))
  }
  t.ok((await test.engine.system.info()).SecurityOptions?.includes('name=userns'))
})
