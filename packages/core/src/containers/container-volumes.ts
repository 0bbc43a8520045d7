/** The volumes of a container: made and filled at create, mounted at start, let go at the end. */
import { isEngineError } from '../errors/engine-error.ts'
import { anonymousLabel } from '../volumes/volume-rules.ts'
import type { ContainerContext } from './container-context.ts'
import type { ContainerRecord, MountPlan } from './container-record.ts'
import { mountIdsOf } from './id-map.ts'

type VolumeMount = MountPlan & { name: string }

export const volumeMounts = (mounts: readonly MountPlan[]): VolumeMount[] =>
  mounts.filter((mount): mount is VolumeMount => mount.type === 'volume' && mount.name !== undefined)

/** Makes the volumes that do not exist and copies the image's content into those that are empty. */
export async function createVolumes(context: ContainerContext, record: ContainerRecord): Promise<void> {
  const mounts = volumeMounts(record.mounts)
  for (const mount of mounts) await createVolume(context, mount)
  const toFill = mounts.filter((mount) => mount.copyUp)
  if (toFill.length === 0) return
  const rootFilesystem = await context.rootFilesystems.mount(record.id, mountIdsOf(context, record.hostConfig))
  try {
    for (const { name, destination, subpath } of toFill) {
      await context.volumes.copyUp(name, { rootFilesystem, destination, ...(subpath !== undefined && { subpath }) })
    }
  } finally {
    await context.rootFilesystems.unmount(record.id)
  }
}

async function createVolume(context: ContainerContext, mount: VolumeMount): Promise<void> {
  const options = mount.spec?.VolumeOptions
  const existed = exists(context, mount.name)
  const volume = await context.volumes.create({
    name: mount.name,
    ...(mount.driver && { driver: mount.driver }),
    labels: mount.anonymous ? { [anonymousLabel]: '' } : (options?.Labels ?? {}),
    options: options?.DriverConfig?.Options ?? {},
  })
  mount.driver = volume.driver
  if (existed) return
  context.events.publish({
    type: 'volume',
    action: 'create',
    actorId: mount.name,
    attributes: { driver: volume.driver },
  })
}

function exists(context: ContainerContext, name: string): boolean {
  try {
    context.volumes.get(name)
    return true
  } catch (error) {
    if (isEngineError(error, 'notFound')) return false
    throw error
  }
}

/** Undo of a failed create: only what nobody else can have begun to use. */
export async function removeCreatedVolumes(context: ContainerContext, mounts: readonly MountPlan[]): Promise<void> {
  await removeAnonymousVolumes(context, '', mounts)
}

/** Anonymous volumes that no other container uses. Already gone counts as done. */
export async function removeAnonymousVolumes(
  context: ContainerContext,
  containerId: string,
  mounts: readonly MountPlan[],
): Promise<void> {
  for (const { name, anonymous, driver } of volumeMounts(mounts)) {
    if (!anonymous || isUsedByOthers(context, containerId, name) || !exists(context, name)) continue
    await context.volumes.remove(name)
    context.events.publish({
      type: 'volume',
      action: 'destroy',
      actorId: name,
      attributes: { driver: driver || 'local' },
    })
  }
}

const isUsedByOthers = (context: ContainerContext, containerId: string, name: string): boolean =>
  context.registry
    .all()
    .some((other) => other.id !== containerId && volumeMounts(other.record.mounts).some((mount) => mount.name === name))

/**
 * Answers the host path of each volume's mount point, by destination. `user` lets go of them later: the container's run,
 * or something that lasts shorter.
 */
export async function mountVolumes(
  context: ContainerContext,
  record: ContainerRecord,
  user: string = record.id,
): Promise<Map<string, string>> {
  const mounted = volumeMounts(record.mounts).map(
    async ({ name, destination, subpath }): Promise<[string, string]> => [
      destination,
      await context.volumes.mount(name, user, subpath),
    ],
  )
  return new Map(await Promise.all(mounted))
}

export async function unmountVolumes(
  context: ContainerContext,
  record: ContainerRecord,
  user: string = record.id,
): Promise<void> {
  const names = new Set(volumeMounts(record.mounts).map((mount) => mount.name))
  await Promise.all([...names].map((name) => context.volumes.unmount(name, user)))
}

/** `mount` and `unmount` events, one for each volume's mount point. */
export function publishVolumeEvents(
  context: ContainerContext,
  record: ContainerRecord,
  action: 'mount' | 'unmount',
): void {
  for (const mount of volumeMounts(record.mounts)) {
    const driver = mount.driver || 'local'
    context.events.publish({
      type: 'volume',
      action,
      actorId: mount.name,
      attributes:
        action === 'unmount'
          ? { container: record.id, driver }
          : {
              container: record.id,
              destination: mount.destination,
              driver,
              propagation: mount.propagation,
              'read/write': String(mount.readWrite),
            },
    })
  }
}
