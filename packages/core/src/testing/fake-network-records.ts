/** NetworkRecords in memory; rows are copied in and out, and listed by id. */
import type { EndpointRow, NetworkRecords, NetworkRow } from '../ports/networks.ts'

export function fakeNetworkRecords(): NetworkRecords {
  const networks = new Map<string, NetworkRow>()
  const endpoints = new Map<string, EndpointRow>()
  const list = <T>(rows: Map<string, T>): T[] =>
    structuredClone([...rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row))
  return {
    putNetwork: (network) => void networks.set(network.id, structuredClone(network)),
    listNetworks: () => list(networks),
    deleteNetwork: (id) => void networks.delete(id),
    putEndpoint: (endpoint) => void endpoints.set(endpoint.endpointId, structuredClone(endpoint)),
    listEndpoints: () => list(endpoints),
    deleteEndpoint: (endpointId) => void endpoints.delete(endpointId),
    transaction: (work) => work(),
  }
}
