/** NetworkRecords in memory, for tests of what stands above the store. */
import type { EndpointRow, NetworkRecords, NetworkRow } from '../ports/networks.ts'

export function memoryNetworkRecords(): NetworkRecords {
  const networks = new Map<string, NetworkRow>()
  const endpoints = new Map<string, EndpointRow>()
  // Copies, as a database would: nobody changes a row by holding on to it.
  return {
    putNetwork: (network) => void networks.set(network.id, structuredClone(network)),
    listNetworks: () => structuredClone([...networks.values()]),
    deleteNetwork: (id) => void networks.delete(id),
    putEndpoint: (endpoint) => void endpoints.set(endpoint.endpointId, structuredClone(endpoint)),
    listEndpoints: () => structuredClone([...endpoints.values()]),
    deleteEndpoint: (endpointId) => void endpoints.delete(endpointId),
  }
}
