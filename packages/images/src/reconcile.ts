/**
 * At start, before anything is asked: files and rows are made to agree, in both directions. After a kill there is only
 * rubbish to remove; after a power cut rows can name files that never reached the disk.
 */
import type { Logger } from '@dockerd-ts/core'
import { collect } from './catalog/collect.ts'
import type { ImageContext } from './catalog/image-context.ts'
import { unpackLayers } from './catalog/register-image.ts'
import type { Durability } from './content/durability.ts'

export async function reconcileImages(
  context: ImageContext,
  { durability, logger }: { durability: Durability; logger: Logger },
): Promise<void> {
  const suspectSinceMs = await durability.suspectSinceMs()
  if (suspectSinceMs === undefined) return reconcile(context, logger)
  logger.warn({ sinceMs: suspectSinceMs }, 'the machine stopped while images were being written; they are verified')
  await durability.record(() => reconcile(context, logger, suspectSinceMs))
}

async function reconcile(context: ImageContext, logger: Logger, suspectSinceMs?: number): Promise<void> {
  const { content, layers, images } = context
  const blobDigests = await content.reconcile(suspectSinceMs)
  const chainIds = await layers.reconcile(suspectSinceMs)
  images.reload()
  await restoreLost(context, { blobDigests, chainIds }, logger)
}

/** Their rows are gone: layers are unpacked again, images that can't be completed given up, the unused is collected. */
export async function restoreLost(
  context: ImageContext,
  lost: { blobDigests: readonly string[]; chainIds: readonly string[] },
  logger: Logger,
): Promise<void> {
  const { images } = context
  const lostBlobs = new Set(lost.blobDigests)
  const lostLayers = new Set(lost.chainIds)
  for (const row of images.rows()) {
    const needed = [row.id, row.manifestDigest, ...row.blobDigests]
    if (row.chainIds.some((id) => lostLayers.has(id))) await restoreLayers(context, row.id, logger)
    else if (!row.hidden && needed.some((digest) => lostBlobs.has(digest))) {
      // It still runs; only save and push miss what they need, and say so.
      logger.warn({ imageId: row.id }, 'blobs of an image are missing; pull it again to save or push it')
    }
  }
  for (const reason of await collect(context).swept) {
    logger.warn({ error: String(reason) }, 'files of a removed image are left')
  }
}

/** A layer's directory is missing: it is unpacked again from its blob, or the image is given up. */
async function restoreLayers(context: ImageContext, imageId: string, logger: Logger): Promise<void> {
  const { images } = context
  const row = images.row(imageId)
  if (row === undefined) return
  try {
    const configData = Buffer.from(row.configJson)
    await unpackLayers(context.layers, { ...row, configData }, {})
    logger.info({ imageId }, 'layers of an image were missing and have been unpacked again')
  } catch (error) {
    logger.error({ imageId, error: String(error) }, 'layers of an image are missing and its blobs too; it is removed')
    images.transaction(() => {
      for (const reference of images.referencesOf(imageId)) images.deleteReference(reference)
      images.forgetVariant(imageId)
      // Its other layers are under containers, which may run.
      if (context.usage.containersOf(imageId).length > 0) images.put({ ...row, hidden: true })
      else images.delete(imageId)
    })
  }
}
