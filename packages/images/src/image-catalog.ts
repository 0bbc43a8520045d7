/** What containers need of images: the port of core, on the image store. */
import { type ImageCatalog, type ImageConfig, type ImageSummary, type ImageUsage, internal } from '@dockerd-ts/core'
import { commitImage } from './archive/commit-image.ts'
import { collect } from './catalog/collect.ts'
import type { ImageContext } from './catalog/image-context.ts'
import type { StoredImage } from './catalog/image-store.ts'
import { targetDescriptor } from './catalog/manifest-summaries.ts'
import { findImage, platformOf } from './catalog/variants.ts'
import { wirePlatform } from './oci/index-entries.ts'

export function createImageCatalog(context: ImageContext): ImageCatalog {
  return {
    resolve(reference, platform) {
      return summarize(findImage(context.images, reference, platform))
    },
    manifestOf(imageId) {
      const image = context.images.get(imageId)
      if (image === undefined || !context.content.has(image.row.manifestDigest)) return undefined
      return { ...targetDescriptor(context, image, undefined), platform: wirePlatform(image.document) }
    },
    layerDirectories(imageId) {
      const row = context.images.row(imageId)
      if (row === undefined) throw internal(`image ${imageId} is gone`)
      const directories = row.chainIds.map((chainId) => {
        const layer = context.layers.get(chainId)
        if (layer === undefined) throw internal(`layer ${chainId} of image ${imageId} is gone`)
        return layer.directory
      })
      return { layersRoot: context.layers.root, directories: directories.reverse() }
    },
    commit: (request) => commitImage(context, request),
    layerUsage() {
      const inUse = context.images.rows().filter(({ id }) => context.usage.containersOf(id).length > 0)
      const needed = new Set(inUse.flatMap((row) => row.chainIds))
      const layers = context.images.records.listLayers()
      const bytes = (some: typeof layers) => some.reduce((sum, layer) => sum + layer.sizeBytes, 0)
      return { totalBytes: bytes(layers), usedBytes: bytes(layers.filter(({ chainId }) => needed.has(chainId))) }
    },
    setUsage(usage: ImageUsage) {
      context.usage = usage
    },
    containerRemoved(imageId) {
      if (context.images.row(imageId)?.hidden !== true) return
      // Directories that can't be removed now are the next start's work.
      collect(context).swept.catch(() => {})
    },
  }
}

function summarize(image: StoredImage): ImageSummary {
  return {
    id: image.row.id,
    platform: platformOf(image),
    config: imageConfig(image),
    sizeBytes: image.row.sizeBytes,
  }
}

/** Go writes null where a list or map is empty: absent here. */
function imageConfig({ document }: StoredImage): ImageConfig {
  const set = Object.entries(document.config ?? {}).filter(([, value]) => value !== null)
  return Object.fromEntries(set) as ImageConfig
}
