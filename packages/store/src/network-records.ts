/** Networks, and the endpoints that are up. */
import type { EndpointRow, NetworkRecords, NetworkRow } from '@dockerd-ts/core'
import type { Connection } from './database.ts'
import { jsonTable } from './json-table.ts'

export function networkRecords(connection: Connection): Omit<NetworkRecords, 'transaction'> {
  const networks = jsonTable<NetworkRow>(connection, 'networks', 'id')
  const endpoints = jsonTable<EndpointRow>(connection, 'endpoints', 'endpoint_id')
  return {
    putNetwork: (network) => networks.put(network.id, network),
    listNetworks: () => networks.list(),
    deleteNetwork: (id) => networks.delete(id),
    putEndpoint: (endpoint) => endpoints.put(endpoint.endpointId, endpoint),
    listEndpoints: () => endpoints.list(),
    deleteEndpoint: (endpointId) => endpoints.delete(endpointId),
  }
}
