/**
 * `system fsck`: every file below the data root has an owner, every owner has its files, and rows fit together. A claim is
 * held against the disk twice: what the walk found is looked at again, at one instant, before it is called a problem, so
 * that work under way is none.
 */
import type * as wire from '@dockerd-ts/api'
import type { DataRoot, DiskClaim, ImageLedger, MeasuredTree } from '../ports/disk-ledger.ts'
import { type Claims, currentClaims, type DiskParts } from './disk-claims.ts'
import { repairDisk } from './repair-disk.ts'

interface Survey {
  owners: Map<string, wire.DiskOwnerUsage>
  total: MeasuredTree
  /** Paths that nobody claimed when the walk began. */
  unowned: Map<string, MeasuredTree>
}

export async function checkDisk(
  parts: DiskParts,
  { verify, repair }: { verify: boolean; repair: boolean },
): Promise<wire.DiskCheck> {
  const claims = currentClaims(parts)
  const survey = await surveyDisk(parts.root, claims)
  const problems = [...fileProblems(parts, survey, claims), ...(await rowProblems(parts.images, verify))]
  if (repair) await repairDisk(parts, problems)
  return {
    Owners: [...survey.owners.values()].sort((a, b) => (a.Kind < b.Kind ? -1 : 1)),
    Total: { Files: survey.total.files, SizeBytes: survey.total.sizeBytes, DiskBytes: survey.total.diskBytes },
    Problems: problems,
  }
}

/** Each place is measured once, under the claim that covers it. */
async function surveyDisk(root: DataRoot, claims: Claims): Promise<Survey> {
  const survey: Survey = {
    owners: new Map(),
    total: { files: 0, sizeBytes: 0, diskBytes: 0 },
    unowned: new Map(),
  }
  const seen = new Set<string>()
  const counted = new Set<string>()
  const pending = ['']
  for (let directory = pending.pop(); directory !== undefined; directory = pending.pop()) {
    const itself = claims.get(directory)
    if (itself !== undefined) {
      const diskBytes = root.look(directory)?.diskBytes ?? 0
      count(survey, { claim: itself, found: { files: 0, sizeBytes: 0, diskBytes }, counted })
    }
    for (const name of await root.names(directory)) {
      const path = directory === '' ? name : `${directory}/${name}`
      const claim = claims.get(path)
      if (claim?.extent === 'directory') {
        pending.push(path)
        continue
      }
      const found = await root.measure(path, seen)
      if (claim === undefined) {
        survey.unowned.set(path, found)
        add(survey.total, found)
      } else count(survey, { claim, found, counted })
    }
  }
  return survey
}

function add(sum: MeasuredTree, { files, sizeBytes, diskBytes }: MeasuredTree): void {
  sum.files += files
  sum.sizeBytes += sizeBytes
  sum.diskBytes += diskBytes
}

function count(
  survey: Survey,
  { claim, found, counted }: { claim: DiskClaim; found: MeasuredTree; counted: Set<string> },
): void {
  add(survey.total, found)
  const { kind, ownerId } = claim
  const usage = survey.owners.get(kind) ?? { Kind: kind, Owners: 0, Files: 0, SizeBytes: 0, DiskBytes: 0 }
  survey.owners.set(kind, usage)
  if (ownerId !== '' && !counted.has(`${kind} ${ownerId}`)) usage.Owners++
  counted.add(`${kind} ${ownerId}`)
  usage.Files += found.files
  usage.SizeBytes += found.sizeBytes
  usage.DiskBytes += found.diskBytes
}

/** Synchronous: claims and disk are compared as they are at this moment. */
function fileProblems(parts: DiskParts, survey: Survey, before: Claims): wire.DiskProblem[] {
  const claims = currentClaims(parts)
  const problems: wire.DiskProblem[] = []
  for (const [path, { sizeBytes }] of survey.unowned) {
    // Also what lies in a directory that was claimed as a whole meanwhile.
    if (isClaimed(path, claims) || parts.root.look(path) === undefined) continue
    problems.push(
      problem({ Kind: 'unowned', Path: path, SizeBytes: sizeBytes, Detail: 'nothing in the records owns it' }),
    )
  }
  for (const claim of claims.values()) {
    // What was recorded during the walk is as sound as its recording.
    if (!claim.required || !before.has(claim.path)) continue
    const found = parts.root.look(claim.path)
    const owner = { Path: claim.path, Owner: claim.kind, OwnerID: claim.ownerId }
    if (found === undefined) {
      const Detail = 'it is recorded, but not on the disk'
      problems.push(problem({ ...owner, Kind: 'missing', SizeBytes: claim.sizeBytes ?? 0, Detail }))
    } else if (claim.sizeBytes !== undefined && found.sizeBytes !== claim.sizeBytes) {
      const Detail = `it should have ${claim.sizeBytes} bytes`
      problems.push(problem({ ...owner, Kind: 'damaged', SizeBytes: found.sizeBytes, Detail }))
    }
  }
  return problems
}

function isClaimed(path: string, claims: Claims): boolean {
  for (let at = path; at !== ''; at = at.slice(0, Math.max(0, at.lastIndexOf('/')))) {
    if (claims.get(at)?.extent === 'tree' || (at === path && claims.has(at))) return true
  }
  return false
}

async function rowProblems(images: ImageLedger, verify: boolean): Promise<wire.DiskProblem[]> {
  const found = await images.problems({ verify })
  return found.map(({ kind, owner, ownerId, sizeBytes, detail }) =>
    problem({ Kind: kind, Owner: owner, OwnerID: ownerId, SizeBytes: sizeBytes, Detail: detail }),
  )
}

const problem = (
  given: Omit<wire.DiskProblem, 'Path' | 'Owner' | 'OwnerID' | 'Repaired'> & Partial<wire.DiskProblem>,
) => ({
  ...{ Path: '', Owner: '', OwnerID: '', Repaired: false },
  ...given,
})
