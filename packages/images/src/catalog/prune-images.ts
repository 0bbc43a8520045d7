/** `POST /images/prune`: images without a name, or with `dangling=false` all that no container uses. */
import { type Filters, formatReference, isEngineError } from '@dockerd-ts/core'
import type { WireDeleteItem, WirePruneResponse } from '../wire-types.ts'
import { collect } from './collect.ts'
import type { ImageContext } from './image-context.ts'
import { imageFilter } from './image-filters.ts'
import type { StoredImage } from './image-store.ts'
import { type Removal, removeImage } from './remove-image.ts'

export interface Pruned {
  items: WireDeleteItem[]
  layers: { chainId: string; sizeBytes: number }[]
  blobs: { digest: string; sizeBytes: number }[]
  swept: Promise<unknown[]>[]
}

export function pruneImages(
  context: ImageContext,
  filters: Filters,
): { response: WirePruneResponse; swept: Promise<unknown[]>[] } {
  const { items, layers, swept } = removeNames(context, prunableNames(context, filters))
  const reclaimed = publishPrune(context, layers)
  return { response: { ImagesDeleted: items.length > 0 ? items : null, SpaceReclaimed: reclaimed }, swept }
}

/** Names, and ids of images without one, in the order in which they are removed. */
export function prunableNames(context: ImageContext, filters: Filters): string[] {
  const { images } = context
  const filter = imageFilter(filters, images, 'prune')
  const danglingOnly = filter.dangling ?? true
  return images
    .list()
    .filter((image) => filter.accepts(image))
    .flatMap((image) => namesToRemove(context, image, danglingOnly))
}

export function removeNames(context: ImageContext, names: readonly string[]): Pruned {
  const removals = names.flatMap((name) => tryRemove(context, name))
  // Also what broken pulls left, which no image has.
  const rest = collect(context)
  return {
    items: removals.flatMap((removal) => removal.items),
    layers: [...removals.flatMap((removal) => removal.layers), ...rest.layers],
    blobs: [...removals.flatMap((removal) => removal.blobs), ...rest.blobs],
    swept: [...removals.flatMap((removal) => removal.swept), rest.swept],
  }
}

/** Answers the bytes of the layers, which is what Docker calls reclaimed. */
export function publishPrune(context: ImageContext, layers: Pruned['layers']): number {
  const reclaimed = layers.reduce((sum, layer) => sum + layer.sizeBytes, 0)
  context.events.publish({ type: 'image', action: 'prune', actorId: '', attributes: { reclaimed: String(reclaimed) } })
  return reclaimed
}

function namesToRemove({ images }: ImageContext, image: StoredImage, danglingOnly: boolean): string[] {
  const references = images.referencesOf(image.row.id)
  if (references.length === 0) {
    // A variant goes with the name of its index.
    if (images.indexesOf(image.row.id).length > 0) return []
    return images.childrenOf(image.row.id).length > 0 ? [] : [image.row.id.slice('sha256:'.length)]
  }
  if (danglingOnly && references.some(({ tag }) => tag !== undefined)) return []
  return references.map(formatReference)
}

/** What is in use stays; what a former removal took along is no error. */
function tryRemove(context: ImageContext, name: string): Removal[] {
  try {
    return [removeImage(context, name, { force: false, noPrune: false })]
  } catch (error) {
    if (isEngineError(error, 'conflict') || isEngineError(error, 'notFound')) return []
    throw error
  }
}
