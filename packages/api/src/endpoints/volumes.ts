/** The endpoints of volumes. */
import { defineEndpoint } from './define-endpoint.ts'
import { volumeFilters, volumePruneFilters } from './filter-keys.ts'

export const volumeEndpoints = {
  list: defineEndpoint({
    operation: 'VolumeList',
    method: 'GET',
    path: '/volumes',
    transport: 'json',
    query: { filters: { filters: volumeFilters } },
    response: 'VolumeListResponse',
  }),
  create: defineEndpoint({
    operation: 'VolumeCreate',
    method: 'POST',
    path: '/volumes/create',
    transport: 'json',
    body: 'VolumeCreateRequest',
    response: 'Volume',
    status: 201,
  }),
  inspect: defineEndpoint({
    operation: 'VolumeInspect',
    method: 'GET',
    path: '/volumes/{name}',
    transport: 'json',
    response: 'Volume',
  }),
  delete: defineEndpoint({
    operation: 'VolumeDelete',
    method: 'DELETE',
    path: '/volumes/{name}',
    transport: 'json',
    query: { force: 'boolean' },
    status: 204,
  }),
  prune: defineEndpoint({
    operation: 'VolumePrune',
    method: 'POST',
    path: '/volumes/prune',
    transport: 'json',
    query: { filters: { filters: volumePruneFilters } },
    response: 'VolumePruneResponse',
    since: '1.25',
  }),
} as const
