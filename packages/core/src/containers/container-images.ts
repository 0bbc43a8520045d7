/** The images of a container: the one that it is made from, and those that it has mounted (`Mounts` of type image). */
import type { ContainerContext } from './container-context.ts'
import type { ContainerRecord, MountPlan } from './container-record.ts'
import { mountIdsOf } from './id-map.ts'

type MountedImage = MountPlan & { imageId: string }

const mountedImages = ({ mounts }: Pick<ContainerRecord, 'mounts'>): MountedImage[] =>
  mounts.filter((mount): mount is MountedImage => mount.type === 'image' && mount.imageId !== undefined)

/** Ids of all images that must not go before the container. */
export const imagesOf = (record: Pick<ContainerRecord, 'imageId' | 'mounts'>): string[] => [
  ...new Set([record.imageId, ...mountedImages(record).map(({ imageId }) => imageId)]),
]

export const imageUserOfRun = 'run'

/** At create: a name stands for the image that it meant then. Throws notFound `No such image: x`. */
export function resolveMountedImages(context: ContainerContext, record: ContainerRecord): void {
  for (const mount of record.mounts) {
    if (mount.type !== 'image') continue
    // One that another container has (VolumesFrom) is known already, and perhaps by no name any more.
    mount.imageId ??= context.images.resolve(mount.name ?? '').id
    mount.source = context.rootFilesystems.imageMountPoint(record.id, placeOf(mount, imageUserOfRun))
  }
}

/** Answers the path of each by destination. What the run mounts is let go with its root filesystem. */
export async function mountImages(
  context: ContainerContext,
  record: ContainerRecord,
  user: string = imageUserOfRun,
): Promise<Map<string, string>> {
  const paths = new Map<string, string>()
  for (const mount of mountedImages(record)) {
    const layers = context.images.layerDirectories(mount.imageId)
    const image = { ...placeOf(mount, user), layers, ...mountIdsOf(context, record.hostConfig) }
    paths.set(mount.destination, await context.rootFilesystems.mountImage(record.id, image))
  }
  return paths
}

export async function unmountImages(context: ContainerContext, record: ContainerRecord, user: string): Promise<void> {
  if (mountedImages(record).length > 0) await context.rootFilesystems.unmountImages(record.id, user)
}

const placeOf = ({ destination, subpath }: MountPlan, user: string) => ({
  user,
  destination,
  ...(subpath !== undefined && { subpath }),
})
