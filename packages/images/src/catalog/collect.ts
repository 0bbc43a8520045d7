/** Deletes what no image needs any more: rows in one transaction, then directories and files. */
import { renameSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import type { ImageUsage, LayerRow } from '@dockerd-ts/core'
import type { ContentStore } from '../content/content-store.ts'
import { hasCode } from '../content/files.ts'
import type { LayerStore } from '../layers/layer-store.ts'
import type { ImageStore } from './image-store.ts'

export interface CollectContext {
  images: ImageStore
  content: ContentStore
  layers: LayerStore
  usage: ImageUsage
}

export interface Collected {
  /** Topmost of a chain first where `order` says so. */
  layers: LayerRow[]
  /** Resolves when the files are gone too. A file that can't be removed is left to the next start's reconcile. */
  swept: Promise<void>
}

/** `order`: chain ids in which the removed layers are reported. Synchronous as far as rows go. */
export function collect(context: CollectContext, order: readonly string[] = []): Collected {
  const { images, content, layers } = context
  let removedLayers: LayerRow[] = []
  let removedBlobs: string[] = []
  images.transaction(() => {
    for (const row of images.rows()) {
      if (row.hidden === true && context.usage.containersOf(row.id).length === 0) images.delete(row.id)
    }
    const rows = images.rows()
    const usedLayers = new Set(rows.flatMap((row) => row.chainIds))
    const usedBlobs = new Set(
      rows.filter((row) => !row.hidden).flatMap((row) => [row.id, row.manifestDigest, ...row.blobDigests]),
    )
    removedLayers = images.records
      .listLayers()
      .filter(({ chainId }) => !usedLayers.has(chainId) && !layers.isPinned(chainId))
    removedBlobs = images.records
      .listBlobs()
      .map(({ digest }) => digest)
      .filter((digest) => !usedBlobs.has(digest) && !content.isPinned(digest))
    for (const { chainId } of removedLayers) images.records.deleteLayer(chainId)
    for (const digest of removedBlobs) images.records.deleteBlob(digest)
  })
  const place = (chainId: string) => (order.includes(chainId) ? order.indexOf(chainId) : order.length)
  removedLayers.sort((a, b) => place(a.chainId) - place(b.chainId))
  return { layers: removedLayers, swept: sweep(context, removedLayers, removedBlobs) }
}

async function sweep({ content, layers }: CollectContext, rows: LayerRow[], digests: string[]): Promise<void> {
  // Renamed before anything is awaited: the same digest may come again at once, under its own name.
  const files = digests.map((digest) => moveAside(content, digest))
  const work = [
    ...rows.map((row) => layers.deleteDirectory(row)),
    ...files.map((path) => (path === undefined ? undefined : rm(path, { force: true }))),
  ]
  await Promise.allSettled(work)
}

function moveAside(content: ContentStore, digest: string): string | undefined {
  const path = content.stagingPath()
  try {
    renameSync(content.path(digest), path)
    return path
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined
    throw error
  }
}
