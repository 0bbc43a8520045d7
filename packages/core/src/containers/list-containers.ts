/** Lists containers, newest first. Takes no lock and asks nothing of the host unless sizes are wanted. */
import type * as wire from '@dockerd-ts/api'
import type { Filters } from '../engine.ts'
import { mountPoints } from '../mounts/mount-points.ts'
import { commandOf } from '../spec/index.ts'
import { humanDuration } from '../support/go-time.ts'
import { Container } from './container.ts'
import type { ContainerContext } from './container-context.ts'
import { listFilter } from './container-filters.ts'
import type { MountPlan } from './container-record.ts'
import { isRunning, wireStatus } from './container-state.ts'
import { imageManifest, sizes } from './inspect-container.ts'
import { linkedNames } from './links.ts'
import { networksView, portMap, portSummaries, shownEndpoints } from './network-view.ts'
import { statusText } from './status-text.ts'

export interface ListQuery {
  all: boolean
  limit?: number
  size: boolean
  filters: Filters
  /** Beyond Docker: those that were removed and are kept, instead of those that are there. */
  removed?: boolean
}

export async function listContainers(context: ContainerContext, query: ListQuery): Promise<wire.ContainerSummary[]> {
  if (query.removed) return listRemoved(context, query)
  const { all, matches } = listFilter(context, query.filters)
  const limit = query.limit ?? 0
  const showAll = query.all || all || limit > 0
  let containers = context.registry
    .all()
    .filter((container) => (showAll || isRunning(container.record.status)) && matches(container))
    .sort((a, b) => (BigInt(a.record.createdAtNs) < BigInt(b.record.createdAtNs) ? 1 : -1))
  if (limit > 0) containers = containers.slice(0, limit)
  const view = manifestView(context)
  if (!query.size) return containers.map(view)
  return Promise.all(
    containers.map(async (container) => ({ ...view(container), ...withoutZeros(await sizes(context, container)) })),
  )
}

/** The disk usage, which has the same view, tells no manifests. */
function manifestView(context: ContainerContext): (container: Container) => wire.ContainerSummary {
  const view = summaryView(context)
  const known = new Map<string, ReturnType<typeof imageManifest>>()
  return (container) => {
    const { imageId } = container.record
    const manifest = known.get(imageId) ?? imageManifest(context, imageId)
    known.set(imageId, manifest)
    return { ...view(container), ...manifest }
  }
}

/** Last removed first; their sizes went with them. */
function listRemoved(context: ContainerContext, { filters, limit = 0 }: ListQuery): wire.ContainerSummary[] {
  const { matches } = listFilter(context, filters)
  const view = summaryView(context)
  const nowNs = context.clock.nowNs()
  const found = context.removed
    .list()
    .reverse()
    .map(({ record, removedAtNs }) => ({ container: new Container(record), removedAtNs: BigInt(removedAtNs) }))
    .filter(({ container }) => matches(container))
  return found.slice(0, limit > 0 ? limit : found.length).map(({ container, removedAtNs }) => {
    const summary = view(container)
    const Status = `${summary.Status}, removed ${humanDuration(nowNs - removedAtNs)} ago`
    return { ...summary, Status, RemovedAt: Number(removedAtNs / 1_000_000_000n) }
  })
}

/** In lists Docker leaves a size of 0 out. */
const withoutZeros = (numbers: Record<string, number>) =>
  Object.fromEntries(Object.entries(numbers).filter(([, number]) => number !== 0))

/** One view for a whole list: each image reference is resolved once. */
export function summaryView(context: ContainerContext): (container: Container) => wire.ContainerSummary {
  const nowNs = context.clock.nowNs()
  const linked = linkedNames(context)
  const imageIds = new Map<string, string | undefined>()
  return (container) => {
    const { record } = container
    const endpoints = shownEndpoints(context.networks, record)
    return {
      Id: record.id,
      Names: [`/${record.name}`, ...(linked.get(record.id) ?? [])],
      Image: shownImage(context, container, imageIds),
      ImageID: record.imageId,
      Command: commandText(record.config),
      Created: Number(BigInt(record.createdAtNs) / 1_000_000_000n),
      Ports: portSummaries(portMap(record, endpoints)),
      Labels: record.config.Labels ?? {},
      State: wireStatus(record),
      Status: statusText(record, nowNs),
      HostConfig: {
        NetworkMode: record.hostConfig.NetworkMode ?? '',
        ...(record.hostConfig.Annotations && { Annotations: record.hostConfig.Annotations }),
      },
      Health: { Status: record.state.health?.status ?? 'none', FailingStreak: record.state.health?.failingStreak ?? 0 },
      NetworkSettings: { Networks: networksView(context.networks, record, endpoints) },
      Mounts: mountPoints(record.mounts, (mount) => listedSource(context, mount)),
    }
  }
}

/** Where the volumes of an image's or a request's `Volumes` are is told by inspect only; only they have no mode. */
const listedSource = (context: ContainerContext, { mode, name = '' }: MountPlan): string =>
  mode === '' ? '' : context.volumes.mountpoint(name)

/** The reference as it was asked for, or the id once it means another image. */
function shownImage(
  context: ContainerContext,
  { record }: Container,
  imageIds: Map<string, string | undefined>,
): string {
  const reference = record.config.Image ?? ''
  if (!imageIds.has(reference)) imageIds.set(reference, currentImageId(context, reference))
  return imageIds.get(reference) === record.imageId ? reference : record.imageId
}

function currentImageId(context: ContainerContext, reference: string): string | undefined {
  try {
    return context.images.resolve(reference).id
  } catch {
    return undefined
  }
}

/** Arguments with blanks are shown in quotes. */
function commandText(config: wire.ContainerConfig): string {
  const [path = '', ...args] = commandOf(config)
  return [path, ...args.map((argument) => (argument.includes(' ') ? `'${argument}'` : argument))].join(' ')
}
