/** The prune requests and what is printed about their results; `system prune` runs several. */
import type { Cli } from '../cli.ts'
import { humanSize } from '../format/units.ts'
import type { Filters } from '../options/filters.ts'
import { prune } from './shared.ts'

const total = (bytes: number): string => `Total reclaimed space: ${humanSize(bytes)}\n`

function printList(cli: Cli, heading: string, lines: readonly string[]): void {
  if (lines.length > 0) cli.out(`${heading}\n${lines.join('\n')}\n\n`)
}

export async function pruneContainers(cli: Cli, filters: Filters, sum = true): Promise<number> {
  const { ContainersDeleted, SpaceReclaimed } = await prune<{
    ContainersDeleted: string[] | null
    SpaceReclaimed: number
  }>(cli, '/containers/prune', filters)
  printList(cli, 'Deleted Containers:', ContainersDeleted ?? [])
  if (sum) cli.out(total(SpaceReclaimed))
  return SpaceReclaimed
}

export async function pruneImages(cli: Cli, filters: Filters, sum = true): Promise<number> {
  interface Report {
    ImagesDeleted: { Untagged?: string; Deleted?: string }[] | null
    SpaceReclaimed: number
  }
  const { ImagesDeleted, SpaceReclaimed } = await prune<Report>(cli, '/images/prune', filters)
  printList(
    cli,
    'Deleted Images:',
    (ImagesDeleted ?? []).map((item) => (item.Untagged ? `untagged: ${item.Untagged}` : `deleted: ${item.Deleted}`)),
  )
  if (sum) cli.out(total(SpaceReclaimed))
  return SpaceReclaimed
}

export async function pruneNetworks(cli: Cli, filters: Filters): Promise<void> {
  const { NetworksDeleted } = await prune<{ NetworksDeleted: string[] | null }>(cli, '/networks/prune', filters)
  printList(cli, 'Deleted Networks:', NetworksDeleted ?? [])
}

export async function pruneVolumes(cli: Cli, filters: Filters, sum = true): Promise<number> {
  const { VolumesDeleted, SpaceReclaimed } = await prune<{ VolumesDeleted: string[] | null; SpaceReclaimed: number }>(
    cli,
    '/volumes/prune',
    filters,
  )
  printList(cli, 'Deleted Volumes:', VolumesDeleted ?? [])
  if (sum) cli.out(total(SpaceReclaimed))
  return SpaceReclaimed
}

export async function pruneBuildCache(
  cli: Cli,
  filters: Filters,
  extra: { all?: boolean; keepStorage?: number },
): Promise<number> {
  const query = { all: extra.all ? 1 : undefined, 'keep-storage': extra.keepStorage || undefined, filters: '' }
  const { CachesDeleted, SpaceReclaimed } = await prune<{ CachesDeleted: string[] | null; SpaceReclaimed: number }>(
    cli,
    '/build/prune',
    filters,
    query,
  )
  printList(cli, 'Deleted build cache objects:', CachesDeleted ?? [])
  return SpaceReclaimed
}

export { total as reclaimedLine }
