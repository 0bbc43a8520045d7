/** What every implementation of NetworkRecords promises; run on the fake and on the database. */
import type { EndpointRow, NetworkRecords, NetworkRow } from '../ports/networks.ts'
import type { ContractTest } from './image-records-contract.ts'

const network: NetworkRow = {
  id: 'a'.repeat(64),
  name: 'front end',
  driver: 'bridge',
  scope: 'local',
  createdAtNs: '1700000000123456789',
  internal: false,
  attachable: true,
  ingress: false,
  enableIPv4: true,
  enableIPv6: true,
  ipam: {
    driver: 'default',
    options: { key: 'value' },
    config: [
      { subnet: '10.1.0.0/16', gateway: '10.1.0.1', ipRange: '10.1.5.0/24', auxiliaryAddresses: { router: '10.1.0.9' } },
      { subnet: 'fd00:1::/64', automatic: true },
    ],
  },
  options: { 'com.docker.network.bridge.name': 'br-front' },
  labels: { team: 'ä' },
}

const endpoint: EndpointRow = {
  endpointId: 'e'.repeat(64),
  networkId: network.id,
  containerId: 'c'.repeat(64),
  namespacePath: '/run/netns/c',
  hostInterface: 'veth01234567',
  containerInterface: 'eth0',
  mac: '02:42:0a:01:00:02',
  ipv4: '10.1.0.2',
  ipv4PrefixLength: 16,
  gateway: '10.1.0.1',
  ipv6: 'fd00:1::2',
  ipv6PrefixLength: 64,
  gateway6: 'fd00:1::1',
  aliases: ['web'],
  dnsNames: ['web', 'cccccccccccc'],
  gwPriority: -3,
  ports: [{ protocol: 'udp', containerPort: 53, hostIp: '::', hostPort: 5353 }],
}

/** `make` answers an empty store each time. */
export function networkRecordsContract(test: ContractTest, make: () => NetworkRecords): void {
  test('a network comes back as it was put, and a second put replaces it', async (t) => {
    const records = make()
    records.putNetwork(network)
    t.same(records.listNetworks(), [network])
    const changed = { ...network, labels: {}, ipam: { ...network.ipam, config: [] } }
    records.putNetwork(changed)
    t.same(records.listNetworks(), [changed])
    records.deleteNetwork(network.id)
    records.deleteNetwork(network.id)
    t.same(records.listNetworks(), [])
  })
  test('an endpoint comes back as it was put, with and without its optional fields', async (t) => {
    const records = make()
    records.putNetwork(network)
    records.putEndpoint(endpoint)
    t.same(records.listEndpoints(), [endpoint])
    const { ipv6: _6, ipv6PrefixLength: _length, gateway6: _gateway, gwPriority: _priority, ...plain } = endpoint
    records.putEndpoint({ ...plain, ports: [] })
    t.same(records.listEndpoints(), [{ ...plain, ports: [] }])
    records.deleteEndpoint(endpoint.endpointId)
    records.deleteEndpoint(endpoint.endpointId)
    t.same(records.listEndpoints(), [])
  })
  test('a row that was put does not change with the object it came from', async (t) => {
    const records = make()
    const row = structuredClone(endpoint)
    records.putNetwork(network)
    records.putEndpoint(row)
    row.ports.length = 0
    t.same(records.listEndpoints(), [endpoint])
  })
  test('a container may have an endpoint in several networks', async (t) => {
    const records = make()
    const second = { ...network, id: 'b'.repeat(64), name: 'back' }
    records.putNetwork(network)
    records.putNetwork(second)
    records.putEndpoint(endpoint)
    records.putEndpoint({ ...endpoint, endpointId: 'f'.repeat(64), networkId: second.id })
    t.equal(records.listEndpoints().length, 2)
  })
}
