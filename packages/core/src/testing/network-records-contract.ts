/** What every implementation of NetworkRecords promises; run on the fake and on the database. */
import type { EndpointRow, NetworkRecords, NetworkRow } from '../ports/networks.ts'
import type { ContractTest } from './image-records-contract.ts'

const network: NetworkRow = {
  id: 'a'.repeat(64),
  name: 'backend',
  driver: 'bridge',
  scope: 'local',
  createdAtNs: '1800000000123456789',
  internal: false,
  attachable: true,
  ingress: false,
  enableIPv4: true,
  enableIPv6: true,
  ipam: { driver: 'default', options: {}, config: [{ subnet: '10.1.0.0/24', auxiliaryAddresses: { x: '10.1.0.9' } }] },
  options: { 'com.docker.network.bridge.name': 'br0' },
  labels: { ä: '🐳' },
}
const endpoint: EndpointRow = {
  endpointId: 'e'.repeat(64),
  networkId: network.id,
  containerId: 'c'.repeat(64),
  namespacePath: '/run/netns/c',
  hostInterface: 'veth1',
  containerInterface: 'eth0',
  mac: '02:42:0a:01:00:02',
  ipv4: '10.1.0.2',
  ipv4PrefixLength: 24,
  gateway: '10.1.0.1',
  aliases: ['db'],
  dnsNames: ['one', 'db'],
  ports: [{ protocol: 'tcp', containerPort: 80, hostIp: '::', hostPort: 8080 }],
}

/** `make` answers an empty store each time. */
export function networkRecordsContract(test: ContractTest, make: () => NetworkRecords): void {
  test('a network comes back as it was put; a second put replaces it', async (t) => {
    const records = make()
    records.putNetwork(network)
    t.same(records.listNetworks(), [network])
    records.putNetwork({ ...network, labels: {} })
    t.same(records.listNetworks(), [{ ...network, labels: {} }])
    records.deleteNetwork(network.id)
    records.deleteNetwork(network.id)
    t.same(records.listNetworks(), [])
  })
  test('endpoints come back as they were put', async (t) => {
    const records = make()
    records.putEndpoint(endpoint)
    const { ipv4: _ipv4, ...withoutAddress } = endpoint
    records.putEndpoint({ ...withoutAddress, endpointId: 'f'.repeat(64) })
    t.same(records.listEndpoints(), [endpoint, { ...withoutAddress, endpointId: 'f'.repeat(64) }])
    records.deleteEndpoint(endpoint.endpointId)
    records.deleteEndpoint(endpoint.endpointId)
    t.equal(records.listEndpoints().length, 1)
  })
  test('every optional field is kept', async (t) => {
    const records = make()
    const config = { subnet: 'fd00:1::/64', gateway: 'fd00:1::1', ipRange: 'fd00:1::/80', automatic: true }
    const full = { ...network, ipam: { ...network.ipam, config: [...network.ipam.config, config] } }
    records.putNetwork(full)
    t.same(records.listNetworks(), [full])
    const ipv6 = { ipv6: 'fd00:1::2', ipv6PrefixLength: 64, gateway6: 'fd00:1::1', gwPriority: -3 }
    records.putEndpoint({ ...endpoint, ...ipv6 })
    t.same(records.listEndpoints(), [{ ...endpoint, ...ipv6 }])
  })
  test('a row does not change with the object it came from, and a second put replaces it', async (t) => {
    const records = make()
    const row = structuredClone(endpoint)
    records.putEndpoint(row)
    row.ports.length = 0
    t.same(records.listEndpoints(), [endpoint])
    records.putEndpoint(row)
    t.same(records.listEndpoints(), [row])
  })
}
