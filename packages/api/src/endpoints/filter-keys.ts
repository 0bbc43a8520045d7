/** The keys that each endpoint's `filters` parameter takes; any other is refused. */

export const containerFilters = [
  'ancestor',
  'before',
  'exited',
  'expose',
  'health',
  'id',
  'is-task',
  'isolation',
  'label',
  'name',
  'network',
  'publish',
  'since',
  'status',
  'volume',
] as const
export const imageFilters = ['dangling', 'label', 'label!', 'before', 'since', 'reference', 'until'] as const
export const networkFilters = ['dangling', 'driver', 'id', 'label', 'name', 'scope', 'type'] as const
export const volumeFilters = ['dangling', 'driver', 'label', 'name'] as const
export const pruneFilters = ['label', 'label!', 'until'] as const
export const imagePruneFilters = ['dangling', 'label', 'label!', 'until'] as const
export const volumePruneFilters = ['all', 'label', 'label!'] as const
export const searchFilters = ['is-automated', 'is-official', 'stars'] as const
export const pluginFilters = ['capability', 'enabled'] as const
export const buildPruneFilters = [
  'description',
  'id',
  'inuse',
  'parent',
  'private',
  'shared',
  'type',
  'unused-for',
  'until',
] as const
export const eventFilters = [
  'config',
  'container',
  'daemon',
  'event',
  'image',
  'label',
  'network',
  'node',
  'plugin',
  'scope',
  'secret',
  'service',
  'type',
  'volume',
] as const
