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
      `MY_WEB_PORT=tcp://${address?.ipv4}:80`,
      `MY_WEB_PORT_80_TCP=tcp://${address?.ipv4}:80`,
      `MY_WEB_PORT_80_TCP_ADDR=${address?.ipv4}`,
      'MY_WEB_PORT_80_TCP_PORT=80',
      'MY_WEB_PORT_80_TCP_PROTO=tcp',
      `MY_WEB_PORT_53_UDP=udp://${address?.ipv4}:53`,
      `MY_WEB_PORT_53_UDP_ADDR=${address?.ipv4}`,
      'MY_WEB_PORT_53_UDP_PORT=53',
      'MY_WEB_PORT_53_UDP_PROTO=udp',
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
