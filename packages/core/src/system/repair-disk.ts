/** The repairs of `system fsck`: rubbish goes, rows follow the disk, nothing that may be somebody's data is touched. */
import type * as wire from '@dockerd-ts/api'
import { type Claims, currentClaims, type DiskParts } from './disk-claims.ts'

/** Places in which only the engine writes, so that what nobody owns there is left over. Volumes hold data: not those. */
const ownDirectories = /^(content\/|layers\/|containers\/|removed\/|init-layers\/|\.removed-)/

/** Marks what was repaired; says in `Detail` why the rest was not. */
export async function repairDisk(parts: DiskParts, problems: wire.DiskProblem[]): Promise<void> {
  for (const problem of problems) {
    if (problem.Kind === 'unowned') await removeUnowned(parts, problem)
  }
  const lost = (owner: string) =>
    problems
      .filter(({ Owner, Kind }) => Owner === owner && (Kind === 'missing' || Kind === 'damaged'))
      .map(({ OwnerID }) => OwnerID)
  const wanted = problems.some(({ Owner }) => imageOwners.has(Owner))
  if (!wanted) return
  await parts.images.repair({ blobDigests: lost('blob'), chainIds: lost('layer') })
  const left = await parts.images.problems({ verify: false })
  const claims = currentClaims(parts)
  for (const problem of problems) {
    if (!imageOwners.has(problem.Owner)) continue
    problem.Repaired =
      problem.Path === '' ? !left.some((other) => isSame(problem, other)) : isSound(parts, problem, claims)
  }
}

const imageOwners: ReadonlySet<string> = new Set(['blob', 'layer', 'image', 'image reference'])

const isSame = (problem: wire.DiskProblem, other: { kind: string; owner: string; ownerId: string; detail: string }) =>
  problem.Kind === other.kind &&
  problem.Owner === other.owner &&
  problem.OwnerID === other.ownerId &&
  problem.Detail === other.detail

/** The claim is gone with its row, or the file is here. */
function isSound({ root }: DiskParts, { Path: path }: wire.DiskProblem, claims: Claims): boolean {
  const claim = claims.get(path)
  if (claim === undefined) return true
  const found = root.look(path)
  return found !== undefined && (claim.sizeBytes === undefined || claim.sizeBytes === found.sizeBytes)
}

async function removeUnowned(parts: DiskParts, problem: wire.DiskProblem): Promise<void> {
  if (!ownDirectories.test(problem.Path)) {
    problem.Detail += '; it is kept: it may be data'
    return
  }
  // Asked again at the last moment: between here and the removal nothing is awaited.
  if (currentClaims(parts).has(problem.Path)) {
    problem.Repaired = true
    return
  }
  try {
    await parts.root.remove(problem.Path)
    problem.Repaired = true
  } catch (error) {
    problem.Detail += `; it could not be removed: ${error instanceof Error ? error.message : String(error)}`
  }
}
