/** `POST /images/prune`: images without a name, or with `dangling=false` all that no container uses. */
import { type Filters, formatReference, isEngineError } from '@dockerd-ts/core'
import type { WirePruneResponse } from '../wire-types.ts'
import { collect } from './collect.ts'
import type { ImageContext } from './image-context.ts'
import { imageFilter } from './image-filters.ts'
import type { StoredImage } from './image-store.ts'
import { type Removal, removeImage } from './remove-image.ts'

export function pruneImages(
  context: ImageContext,
  filters: Filters,
): { response: WirePruneResponse; swept: Promise<unknown[]>[] } {
  const { images } = context
  const filter = imageFilter(filters, images, 'prune')
  const danglingOnly = filter.dangling ?? true
  const removals = images
    .list()
    .filter((image) => filter.accepts(image))
    .flatMap((image) => namesToRemove(context, image, danglingOnly))
    .flatMap((name) => tryRemove(context, name))
  const items = removals.flatMap((removal) => removal.items)
  const reclaimed = removals.flatMap((removal) => removal.layers).reduce((sum, layer) => sum + layer.sizeBytes, 0)
  context.events.publish({ type: 'image', action: 'prune', actorId: '', attributes: { reclaimed: String(reclaimed) } })
  return {
    response: { ImagesDeleted: items.length > 0 ? items : null, SpaceReclaimed: reclaimed },
    // Also what broken pulls left, which no image has.
    swept: [...removals.flatMap((removal) => removal.swept), collect(context).swept],
  }
}

function namesToRemove({ images }: ImageContext, image: StoredImage, danglingOnly: boolean): string[] {
  const references = images.referencesOf(image.row.id)
  if (references.length === 0) {
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
