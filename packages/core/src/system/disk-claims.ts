/** All claims on files below the data root, as they are at this moment. */
import type { ContainerRegistry } from '../containers/container-registry.ts'
import type { DataRoot, DiskClaim, DiskOwner, ImageLedger } from '../ports/disk-ledger.ts'

export interface DiskParts {
  root: DataRoot
  images: ImageLedger
  /** All others that keep files below the data root. */
  owners: readonly DiskOwner[]
  registry: ContainerRegistry
}

export type Claims = ReadonlyMap<string, DiskClaim>

export function currentClaims({ root, images, owners, registry }: DiskParts): Claims {
  const containers = registry.records().map(({ id }): DiskClaim => {
    const container = registry.get(id)
    const settled = container !== undefined && !container.beingRemoved
    return { path: `containers/${id}`, kind: 'container', ownerId: id, extent: 'tree', required: settled }
  })
  const own: DiskClaim[] = [
    { path: '', kind: 'directories of the engine', ownerId: '', extent: 'directory', required: true },
    { path: 'containers', kind: 'directories of the engine', ownerId: '', extent: 'directory', required: true },
  ]
  const all = [...own, ...containers, ...[root, images, ...owners].flatMap((owner) => owner.claims())]
  return new Map(all.map((claim) => [claim.path, claim]))
}
