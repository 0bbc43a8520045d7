import t from 'tap'
import type { EndpointRow, NetworkRow } from '../ports/networks.ts'
import { gatewayEndpoint } from './gateway-endpoint.ts'

const endpoint = (networkId: string, more: Partial<EndpointRow> = {}) => ({ networkId, ...more }) as EndpointRow
const networks: Record<string, Partial<NetworkRow>> = {
  a: { name: 'alpha' },
  b: { name: 'beta' },
  i: { name: 'aaa', internal: true },
}
const networkOf = (id: string) => networks[id] as NetworkRow | undefined
const chosen = (...endpoints: EndpointRow[]) => gatewayEndpoint(endpoints, networkOf)?.networkId

t.test('priority, then IPv6, then the name; never an internal network', async (t) => {
  t.equal(chosen(endpoint('b'), endpoint('a')), 'a')
  t.equal(chosen(endpoint('a'), endpoint('b', { ipv6: 'fd00::2' })), 'b')
  t.equal(chosen(endpoint('a', { gwPriority: 1 }), endpoint('b', { ipv6: 'fd00::2' })), 'a')
  t.equal(chosen(endpoint('a', { gwPriority: -1 }), endpoint('b')), 'b')
  t.equal(chosen(endpoint('i', { gwPriority: 9 }), endpoint('b')), 'b')
  t.equal(chosen(endpoint('i')), undefined)
  t.equal(chosen(endpoint('gone')), undefined)
})
