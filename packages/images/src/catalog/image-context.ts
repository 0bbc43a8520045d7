/** What every operation on images works with. */
import type { EventPublisher, ImageUsage } from '@dockerd-ts/core'
import type { ContentStore } from '../content/content-store.ts'
import type { LayerStore } from '../layers/layer-store.ts'
import type { ImageStore } from './image-store.ts'

export type ImageAction = 'create' | 'pull' | 'push' | 'tag' | 'untag' | 'delete' | 'import' | 'load' | 'save' | 'prune'

export interface ImageContext {
  images: ImageStore
  content: ContentStore
  layers: LayerStore
  usage: ImageUsage
  events: EventPublisher
  /** Rows are changed only to be rolled back: no file is touched. */
  rehearsal?: true
}

/** `id` is the image's unless given: pull and push name the reference. Labels, and the name; for most actions Docker gives the id as the name. */
export function publishImage(
  context: ImageContext,
  event: { action: ImageAction; imageId: string; id?: string; name?: string },
): void {
  const { action, imageId, id = imageId, name = imageId } = event
  // What was deleted has no labels any more when Docker tells of it.
  const labels = action === 'delete' ? {} : (context.images.get(imageId)?.document.config?.Labels ?? {})
  context.events.publish({ type: 'image', action, actorId: id, attributes: { ...labels, name } })
}
