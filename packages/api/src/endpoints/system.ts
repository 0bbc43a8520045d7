/** The endpoints of the engine itself. */
import { defineEndpoint } from './define-endpoint.ts'
import { buildPruneFilters, eventFilters, pluginFilters } from './filter-keys.ts'

export const systemEndpoints = {
  ping: defineEndpoint({
    operation: 'SystemPing',
    method: 'GET',
    path: '/_ping',
    transport: 'json',
    response: 'text/plain',
  }),
  pingHead: defineEndpoint({ operation: 'SystemPingHead', method: 'HEAD', path: '/_ping', transport: 'json' }),
  version: defineEndpoint({
    operation: 'SystemVersion',
    method: 'GET',
    path: '/version',
    transport: 'json',
    response: 'SystemVersion',
  }),
  info: defineEndpoint({
    operation: 'SystemInfo',
    method: 'GET',
    path: '/info',
    transport: 'json',
    response: 'SystemInfo',
  }),
  events: defineEndpoint({
    operation: 'SystemEvents',
    method: 'GET',
    path: '/events',
    transport: 'stream',
    query: { since: 'eventTime', until: 'eventTime', filters: { filters: eventFilters } },
    response: 'EventMessage',
  }),
  dataUsage: defineEndpoint({
    operation: 'SystemDataUsage',
    method: 'GET',
    path: '/system/df',
    transport: 'json',
    query: { type: 'strings', verbose: 'string' },
    response: 'SystemDataUsage',
    since: '1.25',
  }),
  /** Our own: the disk ledger against the disk. */
  diskCheck: defineEndpoint({
    operation: 'SystemDiskCheck',
    method: 'GET',
    path: '/system/fsck',
    transport: 'json',
    query: { verify: 'boolean' },
    response: 'DiskCheck',
  }),
  diskRepair: defineEndpoint({
    operation: 'SystemDiskRepair',
    method: 'POST',
    path: '/system/fsck',
    transport: 'json',
    query: { verify: 'boolean' },
    response: 'DiskCheck',
  }),
  auth: defineEndpoint({
    operation: 'SystemAuth',
    method: 'POST',
    path: '/auth',
    transport: 'json',
    body: 'AuthConfig',
    response: 'AuthResponse',
  }),
  /** There are no plugins: an empty list, which clients ask for on any engine. */
  pluginList: defineEndpoint({
    operation: 'PluginList',
    method: 'GET',
    path: '/plugins',
    transport: 'json',
    query: { filters: { filters: pluginFilters } },
    response: 'application/json',
    since: '1.25',
  }),
  buildPrune: defineEndpoint({
    operation: 'BuildPrune',
    method: 'POST',
    path: '/build/prune',
    transport: 'json',
    query: {
      all: 'boolean',
      filters: { filters: buildPruneFilters },
      'reserved-space': 'integer',
      'max-used-space': 'integer',
      'min-free-space': 'integer',
      'keep-storage': 'integer',
    },
    response: 'BuildPruneResponse',
    since: '1.31',
  }),
  openApi: defineEndpoint({
    operation: 'OpenApi',
    method: 'GET',
    path: '/openapi.json',
    transport: 'json',
    response: 'application/json',
  }),
} as const
