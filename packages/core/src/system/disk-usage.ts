/** `GET /system/df`: what containers, images and volumes take on disk. */

import type * as wire from '@dockerd-ts/api'
import type { Container } from '../containers/container.ts'
import type { ContainerContext } from '../containers/container-context.ts'
import { imagesOf } from '../containers/container-images.ts'
import { isRunning } from '../containers/container-state.ts'
import { volumeMounts } from '../containers/container-volumes.ts'
import { sizes } from '../containers/inspect-container.ts'
import { summaryView } from '../containers/list-containers.ts'
import type { SystemService } from '../engine.ts'
import type { SystemParts } from './system-parts.ts'

type Query = Parameters<SystemService['diskUsage']>[0]

/** No types asked for are all types. */
export async function diskUsage(parts: SystemParts, { types }: Query): Promise<wire.SystemDataUsage> {
  const wants = (type: Query['types'][number]) => types.length === 0 || types.includes(type)
  const [containers, images, volumes] = await Promise.all([
    wants('container') ? containersUsage(parts.context) : undefined,
    wants('image') ? imagesUsage(parts) : undefined,
    wants('volume') ? volumesUsage(parts) : undefined,
  ])
  return {
    ...(containers !== undefined && { ContainerUsage: containers }),
    ...(images !== undefined && { ImageUsage: images }),
    ...(volumes !== undefined && { VolumeUsage: volumes }),
    ...(wants('build-cache') && {
      BuildCacheUsage: { ActiveCount: 0, TotalCount: 0, Reclaimable: 0, TotalSize: 0, Items: [] },
    }),
  }
}

async function containersUsage(context: ContainerContext): Promise<wire.ContainersDiskUsage> {
  const view = summaryView(context)
  const items = await Promise.all(
    context.registry.all().map(async (container) => ({
      container,
      summary: { ...view(container), ...(await sizes(context, container)) },
    })),
  )
  const active = ({ container }: { container: Container }) => isRunning(container.record.status)
  return {
    ActiveCount: items.filter(active).length,
    TotalCount: items.length,
    TotalSize: sum(items.map(({ summary }) => summary.SizeRw)),
    Reclaimable: sum(items.filter((item) => !active(item)).map(({ summary }) => summary.SizeRw)),
    Items: items.map(({ summary }) => summary),
  }
}

async function imagesUsage({ context, images }: SystemParts): Promise<wire.ImagesDiskUsage> {
  const items = await images.list({ all: false, filters: {}, sharedSize: true, digests: true, manifests: false })
  const used = new Set(context.registry.all().flatMap(({ record }) => imagesOf(record)))
  const { totalBytes, usedBytes } = context.images.layerUsage()
  return {
    ActiveCount: items.filter((image) => used.has(image.Id)).length,
    TotalCount: items.length,
    TotalSize: totalBytes,
    Reclaimable: totalBytes - usedBytes,
    Items: items,
  }
}

async function volumesUsage({ context, volumes }: SystemParts): Promise<wire.VolumesDiskUsage> {
  const { Volumes: list } = await volumes.list({})
  const references = new Map<string, number>()
  for (const { record } of context.registry.all()) {
    for (const name of new Set(volumeMounts(record.mounts).map((mount) => mount.name))) {
      references.set(name, (references.get(name) ?? 0) + 1)
    }
  }
  const items = await Promise.all(
    list.map(async (volume) => ({
      ...volume,
      UsageData: { RefCount: references.get(volume.Name) ?? 0, Size: await context.volumes.sizeBytes(volume.Name) },
    })),
  )
  const unused = items.filter(({ UsageData: usage }) => usage.RefCount === 0)
  return {
    ActiveCount: items.length - unused.length,
    TotalCount: items.length,
    TotalSize: sum(items.map(({ UsageData: usage }) => usage.Size)),
    Reclaimable: sum(unused.map(({ UsageData: usage }) => usage.Size)),
    Items: items,
  }
}

const sum = (values: readonly (number | undefined)[]): number =>
  values.reduce<number>((total, value) => total + (value ?? 0), 0)
