import t from 'tap'
import { AddressPool } from './address-pool.ts'
import { chooseSubnet, dockerPools } from './default-pools.ts'
import { formatAddress, formatSubnet, parseAddress, parseCidr, type Subnet } from './inet.ts'

const subnet = (text: string): Subnet => {
  const parsed = parseCidr(text)
  if (parsed === undefined) throw new Error(text)
  return parsed.subnet
}
const address = (text: string) => {
  const parsed = parseAddress(text)
  if (parsed === undefined) throw new Error(text)
  return parsed
}
const allocate = (pool: AddressPool) => formatAddress(pool.allocate())

t.test('the lowest free address is given out, never the network or the broadcast address', async (t) => {
  const pool = new AddressPool({ subnet: subnet('10.0.0.0/29'), interfaceExists: () => false })
  pool.take(address('10.0.0.1'))
  t.same([allocate(pool), allocate(pool), allocate(pool)], ['10.0.0.2', '10.0.0.3', '10.0.0.4'])
  pool.release(address('10.0.0.3'))
  t.same([allocate(pool), allocate(pool), allocate(pool)], ['10.0.0.3', '10.0.0.5', '10.0.0.6'])
  t.throws(() => pool.allocate(), { kind: 'unavailable', message: /./ })
  t.throws(() => pool.take(address('10.0.0.3')), { kind: 'forbidden', message: 'Address already in use' })
})

t.test('an address is held while its last interface lives, unless nothing else is left', async (t) => {
  const alive = new Set(['veth1'])
  const pool = new AddressPool({ subnet: subnet('10.0.0.0/29'), interfaceExists: (name) => alive.has(name) })
  pool.take(address('10.0.0.1'))
  pool.take(address('10.0.0.2'))
  pool.release(address('10.0.0.2'), 'veth1')
  t.equal(allocate(pool), '10.0.0.3')
  alive.clear()
  t.equal(allocate(pool), '10.0.0.2')
  alive.add('veth2')
  pool.release(address('10.0.0.2'), 'veth2')
  t.same(
    [allocate(pool), allocate(pool), allocate(pool), allocate(pool)],
    ['10.0.0.4', '10.0.0.5', '10.0.0.6', '10.0.0.2'],
  )
})

t.test('addresses are chosen inside the range, asked ones may lie outside it', async (t) => {
  const range = subnet('10.0.0.128/30')
  const pool = new AddressPool({ subnet: subnet('10.0.0.0/24'), range, interfaceExists: () => false })
  pool.take(address('10.0.0.5'))
  t.same([allocate(pool), allocate(pool)], ['10.0.0.128', '10.0.0.129'])
  pool.release(address('10.0.0.5'))
  t.same([allocate(pool), allocate(pool)], ['10.0.0.130', '10.0.0.131'])
  t.throws(() => pool.allocate(), { kind: 'unavailable', message: /./ })
})

t.test('IPv6 pools begin after the subnet-router address', async (t) => {
  const pool = new AddressPool({ subnet: subnet('fd00:1::/64'), interfaceExists: () => false })
  t.equal(allocate(pool), 'fd00:1::1')
})

t.test('subnets of the default pools skip what overlaps the host and other networks', async (t) => {
  const choose = (...used: string[]) =>
    formatSubnet(chooseSubnet({ pools: dockerPools, family: 4, used: used.map(subnet) }))
  t.equal(choose(), '172.17.0.0/16')
  t.equal(choose('172.17.0.0/16', '172.18.3.0/24'), '172.19.0.0/16')
  t.equal(choose('172.16.0.0/12'), '192.168.0.0/20')
  t.equal(choose('172.16.0.0/12', '192.168.0.0/19'), '192.168.32.0/20')
  t.throws(() => choose('172.16.0.0/12', '192.168.0.0/16'), {
    kind: 'notFound',
    message:
      'could not find an available, non-overlapping IPv4 address pool among the defaults to assign to the network',
  })
  const ula = { pools: [{ base: 'fd12:3456:789a::/48', size: 64 }], family: 6 as const }
  t.equal(formatSubnet(chooseSubnet({ ...ula, used: [subnet('fd12:3456:789a::/64')] })), 'fd12:3456:789a:1::/64')
  t.throws(() => chooseSubnet({ ...ula, used: [subnet('fd00::/8')] }), { kind: 'notFound', message: /./ })
})
