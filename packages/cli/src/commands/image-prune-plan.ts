/** `image prune --plan` shows what a prune would delete; `--apply` deletes that and nothing else. */
import type { Cli } from '../cli.ts'
import { alignTabs, TABLE } from '../format/tabs.ts'
import { humanSize } from '../format/units.ts'
import type { Filters } from '../options/filters.ts'
import { prune } from './shared.ts'

interface PrunePlan {
  ID: string
  Items: { Kind: string; ID: string; SizeBytes: number }[]
  SpaceReclaimed: number
}

export async function planImagePrune(cli: Cli, filters: Filters): Promise<void> {
  const plan = await prune<PrunePlan>(cli, '/images/prune/plan', filters)
  if (plan.Items.length === 0) return cli.out('Nothing to delete.\n')
  cli.out(table(plan))
  cli.out(`\nReclaimable space: ${humanSize(plan.SpaceReclaimed)}\n`)
  cli.out(`To delete exactly this: docker-ts image prune --apply ${plan.ID}\n`)
}

export async function applyImagePrune(cli: Cli, id: string): Promise<void> {
  const done = await (await cli.api()).json<PrunePlan>('POST', '/images/prune/apply', { query: { plan: id } })
  cli.out(table(done))
  cli.out(`\nTotal reclaimed space: ${humanSize(done.SpaceReclaimed)}\n`)
}

function table({ Items }: PrunePlan): string {
  const lines = Items.map(
    ({ Kind, ID, SizeBytes }) => `${Kind}\t${SizeBytes === 0 ? '' : humanSize(SizeBytes)}\t${ID}\n`,
  )
  return alignTabs(`KIND\tSIZE\tID\n${lines.join('')}`, TABLE)
}
