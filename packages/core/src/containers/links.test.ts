import t from 'tap'
import { testEngine } from '../testing/index.ts'

t.test('a link gives names, variables and its place in inspect', async (t) => {
  const test = testEngine()
  const { containers } = test.engine
  await containers.start(
    await test.create({ Env: ['A=1', 'PATH=/x', 'B'], ExposedPorts: { '53/udp': {}, '80/tcp': {} } }, 'web'),
    {},
  )
  const id = await test.create({ HostConfig: { Links: ['web:my-web'] } }, 'own')
  await containers.start(id, {})
  const [address] = test.networks.endpointsOf((await containers.inspect('web', { size: false })).Id)
  const spec = await test.files.readSpec(id)
  t.strictSame(
    spec?.process.env.filter((entry) => entry.startsWith('MY_WEB')),
    [
      `MY_WEB_PORT=udp://${address?.ipv4}:53`,
      `MY_WEB_PORT_53_UDP=udp://${address?.ipv4}:53`,
      `MY_WEB_PORT_53_UDP_ADDR=${address?.ipv4}`,
      'MY_WEB_PORT_53_UDP_PORT=53',
      'MY_WEB_PORT_53_UDP_PROTO=udp',
      `MY_WEB_PORT_80_TCP=tcp://${address?.ipv4}:80`,
      `MY_WEB_PORT_80_TCP_ADDR=${address?.ipv4}`,
      'MY_WEB_PORT_80_TCP_PORT=80',
      'MY_WEB_PORT_80_TCP_PROTO=tcp',
      'MY_WEB_NAME=/own/my-web',
      'MY_WEB_ENV_A=1',
    ],
  )
  t.strictSame((await containers.inspect(id, { size: false })).HostConfig?.Links, ['/web:/own/my-web'])
  await containers.rename('web', 'site')
  t.strictSame((await containers.inspect(id, { size: false })).HostConfig?.Links, ['/site:/own/my-web'])
  await containers.remove('site', { force: true, volumes: false, link: false })
  t.strictSame((await containers.inspect(id, { size: false })).HostConfig?.Links, [])
})

t.test('a link is a second name, until it is removed by that name', async (t) => {
  const test = testEngine()
  const { containers } = test.engine
  const web = await test.create({}, 'web')
  await test.create({ HostConfig: { Links: ['web:a', 'web'] } }, 'own')
  const names = async () => {
    const all = await containers.list({ all: true, size: false, filters: {} })
    return all.find(({ Id }) => Id === web)?.Names
  }
  t.strictSame(await names(), ['/web', '/own/a', '/own/web'])
  t.equal((await containers.inspect('/own/a', { size: false })).Id, web)
  const removeLink = (name: string) => containers.remove(name, { link: true, force: false, volumes: false })
  await removeLink('/own/a')
  t.strictSame(await names(), ['/web', '/own/web'])
  await t.rejects(removeLink('own/a'), { kind: 'notFound', message: 'No such container: own/a' })
  await t.rejects(removeLink('own'), {
    kind: 'internal',
    message: 'Conflict, cannot remove the default link name of the container',
  })
  await t.rejects(containers.start('own', {}), {
    kind: 'internal',
    message: 'Cannot link to a non running container: /web AS /own/web',
  })
})

t.test("namespaces of others are joined or refused in Docker's words", async (t) => {
  const test = testEngine()
  const { containers } = test.engine
  const owner = await test.create({ HostConfig: { IpcMode: 'private' } }, 'owner')
  const joining = (mode: object) => test.create({ HostConfig: mode })
  const [ipc, pid] = [await joining({ IpcMode: 'container:owner' }), await joining({ PidMode: 'container:owner' })]
  const starts = (id: string, kind: string, message: string) => t.rejects(containers.start(id, {}), { kind, message })
  await starts(ipc, 'conflict', `failed to join IPC namespace: container ${owner} is not running`)
  await starts(pid, 'internal', `failed to join PID namespace: container ${owner} is not running`)
  await containers.start('owner', {})
  await containers.start(pid, {})
  await starts(
    ipc,
    'invalidArgument',
    `failed to join IPC namespace: container ${owner}: non-shareable IPC (hint: use IpcMode:shareable for the donor container)`,
  )
  const shared = await test.create({ HostConfig: { IpcMode: 'shareable' } }, 'shared')
  await containers.start('shared', {})
  const first = await joining({ IpcMode: 'container:shared' })
  await containers.start(first, {})
  const second = await joining({ IpcMode: `container:${first}` })
  await containers.start(second, {})
  const memory = async (id: string) =>
    (await test.files.readSpec(id))?.mounts.find(({ destination }) => destination === '/dev/shm')?.source
  t.equal(await memory(second), await memory(shared), 'whoever joins one that joined has the same memory')
})
