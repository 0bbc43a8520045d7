/** The container's view of its files for a copy: the root filesystem mounted, its volumes at hand, let go afterwards. */
import { fromRoot, pathDepth } from '../mounts/container-path.ts'
import type { FileView, ViewMount } from '../ports/archives.ts'
import { newId, shortId } from '../support/ids.ts'
import type { Container } from './container.ts'
import type { ContainerContext } from './container-context.ts'
import { mountImages, unmountImages } from './container-images.ts'
import type { ContainerRecord } from './container-record.ts'
import { mountVolumes, unmountVolumes } from './container-volumes.ts'
import { idMapOf, mountIdsOf } from './id-map.ts'

/** As in Docker, a tmpfs is not part of it, nor what the container mounts itself. */
export async function withFileView<T>(
  context: ContainerContext,
  { record }: Container,
  work: (view: FileView) => Promise<T>,
): Promise<T> {
  // The container's own use of its volumes must not end with ours.
  const user = `${copyUserPrefix}${shortId(newId())}`
  const idMap = idMapOf(context, record.hostConfig)?.text
  const view = async (root: string) => {
    try {
      const mountedPaths = new Map([
        ...(await mountVolumes(context, record, user)),
        ...(await mountImages(context, record, user)),
      ])
      return await work({
        root,
        mounts: viewMounts(context, record, mountedPaths),
        readOnlyRoot: record.hostConfig.ReadonlyRootfs ?? false,
        ...(idMap && { idMap }),
      })
    } finally {
      await unmountVolumes(context, record, user)
      await unmountImages(context, record, user)
    }
  }
  return context.rootFilesystems.use(record.id, view, mountIdsOf(context, record.hostConfig))
}

/** Users of volumes with names like this die with the daemon. */
export const copyUserPrefix = 'copy-'

function viewMounts(
  context: ContainerContext,
  record: ContainerRecord,
  mountedPaths: ReadonlyMap<string, string>,
): ViewMount[] {
  const planned = record.mounts
    .filter((plan) => plan.type !== 'tmpfs')
    .map((plan): ViewMount => {
      const { createSource, nonRecursive, readOnlyNonRecursive } = plan
      const source = plan.type === 'bind' ? plan.source : (mountedPaths.get(plan.destination) ?? '')
      if (createSource && context.host.pathKind(source) === undefined) context.host.makeDirectory(source)
      return {
        source,
        destination: fromRoot(plan.destination),
        writable: plan.readWrite,
        ...(nonRecursive && { nonRecursive }),
        ...(readOnlyNonRecursive && { readOnlyTopOnly: readOnlyNonRecursive }),
      }
    })
  return [...planned, ...nameFiles(context, record, planned)].sort(
    (a, b) => pathDepth(a.destination) - pathDepth(b.destination),
  )
}

/** Files that a start made; a volume or bind in the same place wins, as in the container. */
function nameFiles({ host }: ContainerContext, record: ContainerRecord, planned: readonly ViewMount[]): ViewMount[] {
  const files = record.nameFiles
  if (files === undefined) return []
  const taken = new Set(planned.map((mount) => mount.destination))
  const wanted: [string, string][] = [
    [files.resolvConfPath, '/etc/resolv.conf'],
    [files.hostnamePath, '/etc/hostname'],
    [files.hostsPath, '/etc/hosts'],
  ]
  return wanted
    .filter(([source, destination]) => !taken.has(destination) && host.pathKind(source) === 'file')
    .map(([source, destination]) => ({ source, destination, writable: !record.hostConfig.ReadonlyRootfs }))
}
