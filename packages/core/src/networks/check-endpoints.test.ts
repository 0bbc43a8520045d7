import t from 'tap'
import { checkEndpoints } from './check-endpoints.ts'

const refuses = (network: string, settings: object) => {
  try {
    checkEndpoints({ [network]: settings }, () => undefined)
  } catch (error) {
    return (error as Error).message.replace('invalid endpoint settings:\n', '')
  }
  return ''
}

t.test('one reason stands alone, several are listed', async (t) => {
  t.equal(
    refuses('bridge', { Aliases: ['x'] }),
    'invalid config for network bridge: network-scoped alias is supported only for containers in user defined networks',
  )
  t.equal(
    refuses('bridge', { IPAMConfig: { IPv4Address: '1.2.3', IPv6Address: '1.2.3.4' } }),
    'invalid config for network bridge: * user specified IP address is supported on user defined networks only\n' +
      '* invalid IPv4 address: 1.2.3\n* invalid IPv6 address: 1.2.3.4',
  )
})

t.test("on a user's network addresses and aliases are free", async (t) => {
  t.equal(refuses('net', { Aliases: ['x'], IPAMConfig: { IPv4Address: '1.2.3.4', IPv6Address: '::1' } }), '')
  const linkLocal = (address: string) => refuses('net', { IPAMConfig: { LinkLocalIPs: [address] } })
  t.equal(linkLocal('x'), 'invalid config for network net: invalid link-local IP address: x')
  t.equal(linkLocal('169.254.1.1'), '')
})
