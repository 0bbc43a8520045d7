import t from 'tap'
import {
  addressBytes,
  contains,
  formatAddress,
  formatSubnet,
  macOf,
  overlaps,
  parseAddress,
  parseCidr,
} from './inet.ts'

const address = (text: string) => parseAddress(text) ?? t.fail(`not an address: ${text}`)
const round = (text: string) => {
  const parsed = parseAddress(text)
  return parsed && formatAddress(parsed)
}
const subnet = (text: string) => {
  const parsed = parseCidr(text)
  if (parsed === undefined) throw new Error(text)
  return parsed.subnet
}

t.test('addresses are read as Go reads them and written in the shortest form', async (t) => {
  for (const text of ['0.0.0.0', '255.255.255.255', '::', '::1', 'fd00::', 'fe80::42:acff:fe13:2', '1:2:3:4:5:6:7:8']) {
    t.equal(round(text), text)
  }
  t.equal(round('2001:DB8:0:0:1:0:0:1'), '2001:db8::1:0:0:1')
  t.equal(round('1:0:2:3:4:5:6:7'), '1:0:2:3:4:5:6:7')
  t.equal(round('::ffff:1.2.3.4'), '::ffff:102:304')
  for (const text of [
    '',
    '1.2.3',
    '1.2.3.256',
    '01.2.3.4',
    '1.2.3.4.5',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    'g::',
    '::1%eth0',
    '1:2:3:4:5:6:7:8::',
  ]) {
    t.equal(parseAddress(text), undefined, text)
  }
})

t.test('bytes are in network order', async (t) => {
  const ipv4 = parseAddress('172.17.0.2')
  const ipv6 = parseAddress('fd00::2')
  if (!ipv4 || !ipv6) throw new Error('addresses are valid')
  t.same([...addressBytes(ipv4)], [172, 17, 0, 2])
  t.same([...addressBytes(ipv6)], [0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2])
  t.equal(macOf(ipv4), '02:42:ac:11:00:02')
  t.ok(address('172.17.0.2'))
})

t.test('subnets contain and overlap', async (t) => {
  const parsed = parseCidr('10.18.5.7/24')
  t.equal(parsed && formatSubnet(parsed.subnet), '10.18.5.0/24')
  t.equal(overlaps(subnet('172.16.0.0/12'), subnet('172.31.255.0/24')), true)
  t.equal(overlaps(subnet('172.17.0.0/16'), subnet('172.18.0.0/16')), false)
  t.equal(overlaps(subnet('::/0'), subnet('0.0.0.0/0')), false)
  t.equal(parsed && contains(parsed.subnet, { family: 4, value: 0x0a1206_00n }), false)
  for (const text of ['10.0.0.0', '10.0.0.0/33', '10.0.0/8', 'fd00::/129', '/8'])
    t.equal(parseCidr(text), undefined, text)
})
