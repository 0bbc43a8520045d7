/**
 * `image prune --plan` and `--apply`: what a prune would delete is found by doing it and rolling it back, so that plan and
 * deed cannot differ; a plan is carried out only while it still comes to exactly the same.
 */
import { randomBytes } from 'node:crypto'
import { conflict, type Filters, notFound } from '@dockerd-ts/core'
import type { WirePrunePlan } from '../wire-types.ts'
import type { ImageContext } from './image-context.ts'
import { type Pruned, prunableNames, publishPrune, removeNames } from './prune-images.ts'

type Item = WirePrunePlan['Items'][number]

interface Plan {
  names: readonly string[]
  items: readonly Item[]
}

/** Plans are for now: the oldest are forgotten, all with the daemon's end. */
const maxPlans = 32

export class PrunePlans {
  readonly #context: ImageContext
  readonly #plans = new Map<string, Plan>()

  constructor(context: ImageContext) {
    this.#context = context
  }

  /** Throws invalidArgument for filters that prune does not know. */
  make(filters: Filters): WirePrunePlan {
    const names = prunableNames(this.#context, filters)
    const items = rehearse(this.#context, names)
    const id = randomBytes(6).toString('hex')
    this.#plans.set(id, { names, items })
    const [oldest] = this.#plans.keys()
    if (this.#plans.size > maxPlans && oldest !== undefined) this.#plans.delete(oldest)
    return wirePlan(id, items)
  }

  /** Throws notFound, or conflict when something has changed: then nothing is deleted. */
  apply(id: string): { response: WirePrunePlan; swept: Promise<unknown[]>[] } {
    const plan = this.#plans.get(id)
    if (plan === undefined) throw notFound(`No such prune plan: ${id}`)
    // Nothing is awaited between this look and the deed.
    const change = difference(plan.items, rehearse(this.#context, plan.names))
    if (change !== undefined) {
      throw conflict(`prune plan ${id} is out of date, nothing was deleted: ${change}; make a new plan`)
    }
    const pruned = removeNames(this.#context, plan.names)
    publishPrune(this.#context, pruned.layers)
    this.#plans.delete(id)
    return { response: wirePlan(id, itemsOf(pruned)), swept: pruned.swept }
  }
}

const wirePlan = (id: string, items: readonly Item[]): WirePrunePlan => ({
  ID: id,
  Items: [...items],
  SpaceReclaimed: items.reduce((sum, item) => sum + item.SizeBytes, 0),
})

class RolledBack extends Error {}

function rehearse(context: ImageContext, names: readonly string[]): Item[] {
  let items: Item[] = []
  try {
    context.images.transaction(() => {
      items = itemsOf(removeNames({ ...context, events: { publish() {} }, rehearsal: true }, names))
      throw new RolledBack()
    })
  } catch (error) {
    if (!(error instanceof RolledBack)) throw error
  }
  return items
}

function itemsOf({ items, layers, blobs }: Pruned): Item[] {
  const layerIds = new Set(layers.map(({ chainId }) => chainId))
  return [
    ...items.flatMap(({ Untagged: ID }) => (ID === undefined ? [] : [{ Kind: 'name' as const, ID, SizeBytes: 0 }])),
    ...items.flatMap(({ Deleted: ID }) =>
      ID === undefined || layerIds.has(ID) ? [] : [{ Kind: 'image' as const, ID, SizeBytes: 0 }],
    ),
    ...layers.map(({ chainId: ID, sizeBytes: SizeBytes }) => ({ Kind: 'layer' as const, ID, SizeBytes })),
    ...blobs.map(({ digest: ID, sizeBytes: SizeBytes }) => ({ Kind: 'blob' as const, ID, SizeBytes })),
  ]
}

function difference(planned: readonly Item[], now: readonly Item[]): string | undefined {
  const name = ({ Kind, ID }: Item) => `${Kind} ${ID}`
  const before = new Set(planned.map(name))
  const after = new Set(now.map(name))
  const kept = planned.find((item) => !after.has(name(item)))
  if (kept !== undefined) return `${name(kept)} would stay`
  const added = now.find((item) => !before.has(name(item)))
  return added === undefined ? undefined : `${name(added)} would go too`
}
