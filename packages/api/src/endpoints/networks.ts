/** The endpoints of networks. */
import { defineEndpoint } from './define-endpoint.ts'
import { networkFilters, pruneFilters } from './filter-keys.ts'

export const networkEndpoints = {
  list: defineEndpoint({
    operation: 'NetworkList',
    method: 'GET',
    path: '/networks',
    transport: 'json',
    query: { filters: { filters: networkFilters } },
    response: 'NetworkSummary[]',
  }),
  inspect: defineEndpoint({
    operation: 'NetworkInspect',
    method: 'GET',
    path: '/networks/{id}',
    transport: 'json',
    query: { verbose: 'boolean', scope: 'string' },
    response: 'NetworkInspect',
  }),
  create: defineEndpoint({
    operation: 'NetworkCreate',
    method: 'POST',
    path: '/networks/create',
    transport: 'json',
    body: 'NetworkCreateRequest',
    response: 'NetworkCreateResponse',
    status: 201,
  }),
  connect: defineEndpoint({
    operation: 'NetworkConnect',
    method: 'POST',
    path: '/networks/{id}/connect',
    transport: 'json',
    body: 'NetworkConnectRequest',
  }),
  disconnect: defineEndpoint({
    operation: 'NetworkDisconnect',
    method: 'POST',
    path: '/networks/{id}/disconnect',
    transport: 'json',
    body: 'NetworkDisconnectRequest',
  }),
  delete: defineEndpoint({
    operation: 'NetworkDelete',
    method: 'DELETE',
    path: '/networks/{id}',
    transport: 'json',
    status: 204,
  }),
  prune: defineEndpoint({
    operation: 'NetworkPrune',
    method: 'POST',
    path: '/networks/prune',
    transport: 'json',
    query: { filters: { filters: pruneFilters } },
    response: 'NetworkPruneResponse',
    since: '1.25',
  }),
} as const
