/** The manifest under which an image leaves the store: its own, as long as the store has the very blobs it names. */

import { internal } from '@dockerd-ts/core'
import type { ImageContext } from '../catalog/image-context.ts'
import type { StoredImage } from '../catalog/image-store.ts'
import { documentLimitBytes, parseManifest } from '../oci/documents.ts'
import { sha256 } from '../oci/identity.ts'
import { mediaTypes } from '../oci/media-types.ts'
import { makeManifest } from './archive-images.ts'
import { detectCompression } from './compression.ts'

export interface ExportableManifest {
  data: Buffer
  mediaType: string
  digest: string
}

/** A layer that came with another image can be held compressed otherwise than the manifest says: then one is made. */
export async function exportableManifest({ content }: ImageContext, { row }: StoredImage): Promise<ExportableManifest> {
  const missing = row.blobDigests.find((digest) => !content.has(digest))
  if (missing !== undefined) throw internal(`content of layer ${missing} is missing; pull the image again`)
  if (content.has(row.manifestDigest)) {
    const data = await content.readSmall(row.manifestDigest, documentLimitBytes)
    const { layers } = parseManifest(data)
    if (layers.every((layer, index) => layer.digest === row.blobDigests[index])) {
      return { data, mediaType: row.manifestMediaType, digest: row.manifestDigest }
    }
  }
  const layers = await Promise.all(
    row.blobDigests.map(async (digest) => ({
      mediaType: await layerMediaType(content.read(digest)),
      size: content.get(digest)?.sizeBytes ?? 0,
      digest,
    })),
  )
  const made = makeManifest({ data: Buffer.from(row.configJson) }, layers)
  return { ...made, digest: sha256(made.data) }
}

/** By the first bytes; registries have no name for what is neither gzip nor zstd. */
export async function layerMediaType(blob: AsyncIterable<Buffer>): Promise<string> {
  for await (const chunk of blob) {
    const compression = detectCompression(chunk)
    if (compression === 'gzip' || compression === 'zstd') return `${mediaTypes.ociLayer}+${compression}`
    break
  }
  return mediaTypes.ociLayer
}
