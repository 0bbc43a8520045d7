/** Deletes what no image needs any more: rows in one transaction, then directories and files. */
import { type BlobRow, crashPoint, type ImageUsage, type LayerRow } from '@dockerd-ts/core'
import type { ContentStore } from '../content/content-store.ts'
import type { Pins } from '../content/pins.ts'
import type { LayerStore } from '../layers/layer-store.ts'
import type { ImageStore } from './image-store.ts'
import { neededBlobs } from './variants.ts'

export interface CollectContext {
  images: ImageStore
  content: ContentStore
  layers: LayerStore
  usage: ImageUsage
  rehearsal?: true
}

export interface Collected {
  /** Topmost of a chain first where `order` says so. */
  layers: LayerRow[]
  blobs: BlobRow[]
  /** Resolves when the files are gone too, with the reasons why some are not: those are the next start's work. */
  swept: Promise<unknown[]>
}

/** `order`: chain ids in which the removed layers are reported. Synchronous as far as rows go. */
export function collect(context: CollectContext, order: readonly string[] = []): Collected {
  const { images, content, layers } = context
  let removedLayers: LayerRow[] = []
  let removedBlobs: BlobRow[] = []
  const isHeld = (pins: Pins, id: string) => (context.rehearsal ? pins.has(id) : pins.passOver(id))
  images.transaction(() => {
    for (const row of images.rows()) {
      if (row.hidden === true && context.usage.containersOf(row.id).length === 0) images.delete(row.id)
    }
    for (const { digest } of images.indexes()) {
      if (images.namesOfIndex(digest).length === 0) images.deleteIndex(digest)
    }
    const usedLayers = new Set(images.rows().flatMap((row) => row.chainIds))
    const usedBlobs = neededBlobs(images)
    removedLayers = images.records
      .listLayers()
      .filter(({ chainId }) => !usedLayers.has(chainId) && !isHeld(layers.pins, chainId))
    removedBlobs = images.records
      .listBlobs()
      .filter(({ digest }) => !usedBlobs.has(digest) && !isHeld(content.pins, digest))
    for (const { chainId } of removedLayers) images.records.deleteLayer(chainId)
    for (const { digest } of removedBlobs) images.records.deleteBlob(digest)
  })
  if (!context.rehearsal && removedLayers.length + removedBlobs.length > 0) crashPoint('image:rows-deleted')
  const place = (chainId: string) => (order.includes(chainId) ? order.indexOf(chainId) : order.length)
  removedLayers.sort((a, b) => place(a.chainId) - place(b.chainId))
  const removed = { layers: removedLayers, blobs: removedBlobs }
  return { ...removed, swept: context.rehearsal ? Promise.resolve([]) : sweep(context, removed) }
}

/** All of them begin before anything is awaited. */
async function sweep(
  { content, layers }: CollectContext,
  removed: { layers: LayerRow[]; blobs: BlobRow[] },
): Promise<unknown[]> {
  const files = removed.blobs.map(({ digest }) => content.deleteFile(digest))
  if (files.length > 0) crashPoint('image:files-moved-aside')
  const work = [...removed.layers.map((row) => layers.deleteDirectory(row)), ...files]
  const outcomes = await Promise.allSettled(work)
  if (work.length > 0) crashPoint('image:files-deleted')
  return outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []))
}
