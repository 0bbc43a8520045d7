import { formatSubnet } from '@dockerd-ts/core'
import t from 'tap'
import { parseIpv4Routes, parseIpv6Routes } from './host-routes.ts'

const own = new Set(['docker0'])

t.test('IPv4 destinations, without default routes and our own bridges', async (t) => {
  const text = `Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0
eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
tun0\t0000110A\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
`
  t.same(parseIpv4Routes(text, own).map(formatSubnet), ['192.0.2.0/24', '10.17.0.0/16'])
})

t.test('IPv6 destinations that a network could clash with', async (t) => {
  const zero = '0'.repeat(32)
  const line = (destination: string, length: string, name: string) =>
    `${destination} ${length} ${zero} 00 ${zero} 00000100 00000001 00000000 00000001     ${name}`
  const text = [
    line('20010db8000000000000000000000000', '40', 'eth0'),
    line('fe800000000000000000000000000000', '40', 'eth0'),
    line('ff000000000000000000000000000000', '08', 'eth0'),
    line('fd000000000000000000000000000000', '40', 'docker0'),
    line(zero, '00', 'eth0'),
    line('00000000000000000000000000000001', '80', 'lo'),
  ].join('\n')
  t.same(parseIpv6Routes(text, own).map(formatSubnet), ['2001:db8::/64'])
})
