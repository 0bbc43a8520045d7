/** `GET /system/df` in its three shapes: before 1.52, from 1.52 on, and both at once when `verbose` was not said. */
import { parseBoolean } from '../parse/scalars.ts'
import type { SystemDataUsage } from '../schemas/system.ts'
import { isOlder } from './api-version.ts'

export interface DiskUsageRequest {
  version: string
  /** The parameter as sent; undefined when it was not. */
  verbose: string | undefined
}

export function shapeDiskUsage(usage: SystemDataUsage, { version, verbose }: DiskUsageRequest): SystemDataUsage {
  if (isOlder(version, '1.52')) return legacyUsage(usage) as SystemDataUsage
  if (verbose !== undefined && parseBoolean(verbose)) return usage
  const brief = Object.fromEntries(
    Object.entries(usage).map(([key, { Items: _items, ...counts } = {}]) => [key, counts]),
  ) as SystemDataUsage
  return verbose === undefined ? { ...(legacyUsage(usage) as SystemDataUsage), ...brief } : brief
}

/** Types that were not asked for are null, as Docker has them. */
function legacyUsage({ ImageUsage, ContainerUsage, VolumeUsage, BuildCacheUsage }: SystemDataUsage): object {
  return {
    LayersSize: ImageUsage?.TotalSize ?? 0,
    Images: ImageUsage?.Items ?? null,
    Containers: ContainerUsage?.Items ?? null,
    Volumes: VolumeUsage?.Items ?? null,
    BuildCache: BuildCacheUsage?.Items ?? null,
  }
}
