/** What clients can ask about volumes. */
import type * as wire from '@dockerd-ts/api'
import type { Filters, VolumeService } from '../engine.ts'
import type { ContainerUsers } from '../engine-dependencies.ts'
import { conflict, isEngineError } from '../errors/engine-error.ts'
import type { EventPublisher } from '../ports/events.ts'
import type { VolumeRow, Volumes } from '../ports/storage.ts'
import { rfc3339Nano } from '../support/go-time.ts'
import { listFilter, pruneFilter } from './volume-filters.ts'

export interface VolumeServiceDependencies {
  volumes: Volumes
  events: EventPublisher
  /** Containers, running or not: what they mount is in use. */
  users: Pick<ContainerUsers, 'list'>
}

export function createVolumeService(dependencies: VolumeServiceDependencies): VolumeService {
  const { volumes } = dependencies
  return {
    list: async (filters) => listVolumes(dependencies, filters),
    create: (body) => createVolume(dependencies, body),
    inspect: async (name) => wireVolume(volumes, volumes.get(name)),
    remove: (name, options) => removeVolume(dependencies, name, options),
    prune: (filters) => pruneVolumes(dependencies, filters),
  }
}

/** The volume as the API shows it; times to the second, as Docker gives them. */
export function wireVolume(volumes: Volumes, volume: VolumeRow): wire.Volume {
  const createdAtNs = BigInt(volume.createdAtNs)
  return {
    CreatedAt: rfc3339Nano(createdAtNs - (createdAtNs % 1_000_000_000n)),
    Driver: volume.driver,
    Labels: nullWhenEmpty(volume.labels),
    Mountpoint: volumes.mountpoint(volume.name),
    Name: volume.name,
    Options: nullWhenEmpty(volume.options),
    Scope: 'local',
  }
}

const nullWhenEmpty = (map: Record<string, string>) => (Object.keys(map).length === 0 ? null : map)

function listVolumes({ volumes, users }: VolumeServiceDependencies, filters: Filters): wire.VolumeListResponse {
  const wanted = listFilter(filters)
  const used = usersByVolume(users)
  const found = volumes.list().filter((volume) => wanted({ volume, inUse: used.has(volume.name) }))
  return { Volumes: found.map((volume) => wireVolume(volumes, volume)), Warnings: null }
}

async function createVolume(
  { volumes, events }: VolumeServiceDependencies,
  body: wire.VolumeCreateRequest,
): Promise<wire.Volume> {
  const existed = body.Name ? find(volumes, body.Name, { force: true }) !== undefined : false
  const volume = await volumes.create({
    ...(body.Name && { name: body.Name }),
    ...(body.Driver && { driver: body.Driver }),
    labels: body.Labels ?? {},
    options: body.DriverOpts ?? {},
  })
  if (!existed) publish(events, 'create', volume)
  return wireVolume(volumes, volume)
}

async function removeVolume(
  { volumes, events, users }: VolumeServiceDependencies,
  name: string,
  options: { force: boolean },
): Promise<void> {
  const volume = find(volumes, name, options)
  if (!volume) return
  const usedBy = usersByVolume(users).get(name)
  if (usedBy) throw conflict(`remove ${name}: volume is in use - [${usedBy.join(', ')}]`)
  await volumes.remove(name)
  publish(events, 'destroy', volume)
}

/** undefined instead of an error when `force` is given: removing what does not exist is then no error. */
function find(volumes: Volumes, name: string, { force }: { force: boolean }): VolumeRow | undefined {
  try {
    return volumes.get(name)
  } catch (error) {
    if (force && isEngineError(error, 'notFound')) return undefined
    throw error
  }
}

async function pruneVolumes(
  { volumes, events, users }: VolumeServiceDependencies,
  filters: Filters,
): Promise<wire.VolumePruneResponse> {
  const wanted = pruneFilter(filters)
  const removed: string[] = []
  let reclaimedBytes = 0
  for (const volume of volumes.list()) {
    // Asked anew for each: a container may have taken it while others were removed.
    if (!wanted({ volume, inUse: usersByVolume(users).has(volume.name) })) continue
    const sizeBytes = await volumes.sizeBytes(volume.name)
    if (usersByVolume(users).has(volume.name)) continue
    await volumes.remove(volume.name)
    publish(events, 'destroy', volume)
    removed.push(volume.name)
    reclaimedBytes += Math.max(sizeBytes, 0)
  }
  events.publish({
    type: 'volume',
    action: 'prune',
    actorId: '',
    attributes: { reclaimed: String(reclaimedBytes) },
  })
  return { VolumesDeleted: removed, SpaceReclaimed: reclaimedBytes }
}

function usersByVolume(users: Pick<ContainerUsers, 'list'>): Map<string, string[]> {
  const found = new Map<string, string[]>()
  for (const container of users.list()) {
    for (const name of new Set(container.volumeNames)) {
      const ids = found.get(name)
      if (ids) ids.push(container.id)
      else found.set(name, [container.id])
    }
  }
  return found
}

const publish = (events: EventPublisher, action: 'create' | 'destroy', volume: VolumeRow) =>
  events.publish({ type: 'volume', action, actorId: volume.name, attributes: { driver: volume.driver } })
