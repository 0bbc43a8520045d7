import t from 'tap'
import { endpointPlan } from './endpoint-plan.ts'

const container = { id: 'abcdef0123456789', name: 'web', hostname: 'host' }

t.test('everything that is asked of an endpoint reaches the plan', async (t) => {
  const settings = {
    IPAMConfig: { IPv4Address: '10.0.0.9', IPv6Address: 'fd00::9', LinkLocalIPs: ['169.254.7.7', ''] },
    Aliases: ['al', 'web'],
    MacAddress: '0242.0A00.0077',
    GwPriority: 3,
    DriverOpts: { 'com.docker.network.endpoint.sysctls': 'net.ipv4.conf.IFNAME.log_martians=1' },
  }
  t.strictSame(endpointPlan(container, 'net', settings), {
    network: 'net',
    ipv4Address: '10.0.0.9',
    ipv6Address: 'fd00::9',
    linkLocalAddresses: ['169.254.7.7'],
    mac: '02:42:0a:00:00:77',
    aliases: ['web', 'al', 'abcdef012345', 'host'],
    gwPriority: 3,
    sysctls: { 'net.ipv4.conf.IFNAME.log_martians': '1' },
  })
})

t.test('links that are none are told when the endpoint comes up', async (t) => {
  t.strictSame(endpointPlan(container, 'net', { Links: ['db:d'] }).network, 'net')
  for (const link of ['a:b:c', ':b', 'a:']) {
    t.throws(() => endpointPlan(container, 'net', { Links: [link] }), { message: `bad format for links: ${link}` })
  }
})

t.test('a setting of an interface names it by IFNAME and nothing else', async (t) => {
  for (const text of [
    'net.ipv4.ip_forward=1',
    'kernel.x.y.IFNAME.z=1',
    'net.ipv4.conf.eth0.x=1',
    'net.ipv4.conf.IFNAME.x',
  ]) {
    const DriverOpts = { 'com.docker.network.endpoint.sysctls': text }
    t.throws(() => endpointPlan(container, 'net', { DriverOpts }), { message: /^invalid endpoint sysctl setting: / })
  }
})
