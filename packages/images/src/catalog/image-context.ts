/** What every operation on images works with. */
import type { ImageUsage } from '@dockerd-ts/core'
import type { ContentStore } from '../content/content-store.ts'
import type { LayerStore } from '../layers/layer-store.ts'
import type { ImageStore } from './image-store.ts'

export type ImageAction = 'create' | 'pull' | 'push' | 'tag' | 'untag' | 'delete' | 'import' | 'load' | 'save' | 'prune'

/** `id` is the image's id, or for pull and push its reference. */
export interface ImageEvent {
  type: 'image'
  action: ImageAction
  id: string
  attributes: Record<string, string>
}

export interface ImageContext {
  images: ImageStore
  content: ContentStore
  layers: LayerStore
  usage: ImageUsage
  publish: (event: ImageEvent) => void
}

/** Labels of the image, and its name; for most actions Docker gives the id as the name. */
export function publishImage(
  context: ImageContext,
  event: { action: ImageAction; imageId: string; id?: string; name?: string },
): void {
  const { action, imageId, id = imageId, name = imageId } = event
  const labels = context.images.get(imageId)?.document.config?.Labels ?? {}
  context.publish({ type: 'image', action, id, attributes: { ...labels, name } })
}
