/** The image store's part of the disk ledger: whose each file is, and what in the rows does not fit together. */
import { createHash } from 'node:crypto'
import { relative } from 'node:path'
import type { DiskClaim, ImageLedger, Logger, StoreProblem } from '@dockerd-ts/core'
import type { ImageContext } from './catalog/image-context.ts'
import { blobsOfIndex, neededBlobs } from './catalog/variants.ts'
import { hasCode } from './content/files.ts'
import { directoryName } from './layers/layer-store.ts'
import { restoreLost } from './reconcile.ts'

export interface ImageLedgerOptions {
  context: ImageContext
  dataRoot: string
  logger: Logger
}

export function createImageLedger({ context, dataRoot, logger }: ImageLedgerOptions): ImageLedger {
  const { content, layers, images } = context
  return {
    claims: () => claims(context, dataRoot),
    async problems({ verify }) {
      const found = rowProblems(context)
      if (verify)
        for (const { digest } of images.records.listBlobs()) found.push(...(await verifyBlob(context, digest)))
      return found
    },
    async repair({ blobDigests, chainIds }) {
      for (const digest of blobDigests) {
        images.records.deleteBlob(digest)
        await content.deleteFile(digest)
      }
      for (const row of chainIds.flatMap((id) => layers.get(id) ?? [])) layers.lose(row)
      images.transaction(() => {
        for (const { reference } of images.strayReferences()) images.deleteReference(reference)
      })
      // Also what no row tells of any more, but an image needs.
      const missing = images.rows().flatMap((row) => row.chainIds.filter((id) => layers.get(id) === undefined))
      await restoreLost(context, { blobDigests, chainIds: missing }, logger)
    },
  }
}

const directories = ['content', 'content/blobs', 'content/blobs/sha256', 'content/staging', 'layers', 'layers/staging']

function claims({ content, layers, images }: ImageContext, dataRoot: string): DiskClaim[] {
  const underWay = [
    // What a power cut can have taken: see durability.ts.
    'unsynchronised',
    ...content.busyFiles().map((path) => relative(dataRoot, path)),
    ...layers.busyDirectories().map((name) => `layers/${name}`),
  ]
  return [
    ...directories.map(
      (path): DiskClaim => ({
        ...{ path, kind: 'directories of the engine', ownerId: '', extent: 'directory', required: true },
      }),
    ),
    ...underWay.map(
      (path): DiskClaim => ({
        ...{ path, kind: 'work under way', ownerId: '', extent: 'tree', required: false },
      }),
    ),
    {
      ...{ path: 'content/partial', kind: 'downloads that can go on', ownerId: '' },
      ...{ extent: 'tree', required: false },
    },
    ...images.records.listBlobs().map(
      ({ digest, sizeBytes }): DiskClaim => ({
        ...{ path: relative(dataRoot, content.path(digest)), kind: 'blob', ownerId: digest, sizeBytes },
        ...{ extent: 'tree', required: true },
      }),
    ),
    ...images.records.listLayers().map(
      (row): DiskClaim => ({
        ...{ path: `layers/${directoryName(row)}`, kind: 'layer', ownerId: row.chainId },
        ...{ extent: 'tree', required: true },
      }),
    ),
  ]
}

function rowProblems({ content, layers, images }: ImageContext): StoreProblem[] {
  const rows = images.rows()
  const usedLayers = new Set(rows.flatMap((row) => row.chainIds))
  const shown = rows.filter((row) => row.hidden !== true)
  const usedBlobs = neededBlobs(images)
  const unused = (owner: string, ownerId: string, sizeBytes: number): StoreProblem => ({
    ...{ kind: 'unused', owner, ownerId, sizeBytes, detail: 'no image needs it' },
  })
  const lacks = (ownerId: string, detail: string, owner = 'image'): StoreProblem => ({
    ...{ kind: 'missing', owner, ownerId, sizeBytes: 0, detail },
  })
  return [
    ...images.strayReferences().map(
      ({ name, imageId }): StoreProblem => ({
        ...{ kind: 'inconsistent', owner: 'image reference', ownerId: name, sizeBytes: 0 },
        detail: `it names image ${imageId}, which is not here`,
      }),
    ),
    ...rows.flatMap((row) =>
      row.chainIds.filter((id) => layers.get(id) === undefined).map((id) => lacks(row.id, `layer ${id} is not here`)),
    ),
    ...shown.flatMap((row) =>
      [row.id, row.manifestDigest, ...row.blobDigests]
        .filter((digest) => !content.has(digest))
        .map((digest) => lacks(row.id, `blob ${digest} is not here; pull the image again to save or push it`)),
    ),
    ...images.indexes().flatMap((index) =>
      blobsOfIndex(index)
        .filter((digest) => !content.has(digest))
        .map((digest) => lacks(index.digest, `blob ${digest} is not here; pull the image again`, 'image index')),
    ),
    ...images.records
      .listLayers()
      .filter(({ chainId }) => !usedLayers.has(chainId) && !layers.pins.has(chainId))
      .map(({ chainId, sizeBytes }) => unused('layer', chainId, sizeBytes)),
    ...images.records
      .listBlobs()
      .filter(({ digest }) => !usedBlobs.has(digest) && !content.pins.has(digest))
      .map(({ digest, sizeBytes }) => unused('blob', digest, sizeBytes)),
  ]
}

/** One that is gone, or has another length, is found by the files. */
async function verifyBlob({ content }: ImageContext, digest: string): Promise<StoreProblem[]> {
  const row = content.get(digest)
  if (row === undefined) return []
  const hash = createHash('sha256')
  try {
    for await (const chunk of content.read(digest)) hash.update(chunk)
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return []
    throw error
  }
  if (`sha256:${hash.digest('hex')}` === digest || content.get(digest) === undefined) return []
  const detail = 'its content has another digest'
  return [{ kind: 'damaged', owner: 'blob', ownerId: digest, sizeBytes: row.sizeBytes, detail }]
}
