/** `POST /images/create?fromSrc=`: an image of one layer from the tar of a root filesystem. */
import { applyConfigChanges, familiarString, type ImageReference, type Platform, rfc3339Nano } from '@dockerd-ts/core'
import { collect } from '../catalog/collect.ts'
import { type ImageContext, publishImage } from '../catalog/image-context.ts'
import { nowNs, recordImage, unpackLayers } from '../catalog/register-image.ts'
import type { StagedBlob } from '../content/staged-blob.ts'
import { sha256 } from '../oci/identity.ts'
import { mediaTypes } from '../oci/media-types.ts'
import { makeManifest } from './archive-images.ts'
import { decompress } from './compression.ts'

export interface ImportRequest {
  source: AsyncIterable<Buffer>
  reference?: ImageReference
  message: string
  changes: readonly string[]
  platform: Platform
  signal: AbortSignal
}

/** Answers the new image's id. The layer is kept as the plain tar that its id is the digest of. */
export async function importArchive(context: ImageContext, request: ImportRequest): Promise<string> {
  const config = applyConfigChanges({}, request.changes)
  const layer = await context.content.stage(await decompress(request.source))
  const configData = makeConfig(config, layer, request)
  const unpin = context.layers.pins.add(layer.digest)
  const size = layer.sizeBytes
  const manifest = makeManifest({ data: configData }, [{ mediaType: mediaTypes.ociLayer, size, digest: layer.digest }])
  const release = context.content.pins.add(layer.digest, sha256(configData), sha256(manifest.data))
  try {
    await context.content.commit(layer, mediaTypes.ociLayer)
    const { digest: id } = await context.content.put(configData, mediaTypes.ociConfig)
    const { digest: manifestDigest } = await context.content.put(manifest.data, manifest.mediaType)
    const image = { configData, id, manifestDigest, manifestMediaType: manifest.mediaType, blobDigests: [layer.digest] }
    await unpackLayers(context.layers, image, { signal: request.signal })
    recordImage(context.images, image, { references: request.reference ? [request.reference] : [] })
    if (request.reference)
      publishImage(context, { action: 'tag', imageId: id, name: familiarString(request.reference) })
    publishImage(context, { action: 'import', imageId: id })
    return id
  } finally {
    unpin()
    release()
    // A tar that could not be unpacked leaves a blob that nothing needs.
    if (context.layers.get(layer.digest) === undefined) await collect(context).swept
  }
}

function makeConfig(config: object, layer: StagedBlob, { platform, message }: ImportRequest): Buffer {
  const created = rfc3339Nano(nowNs())
  const document = {
    architecture: platform.architecture,
    ...(platform.variant !== undefined && { variant: platform.variant }),
    comment: message,
    config,
    created,
    history: [{ created, comment: message }],
    os: platform.os,
    rootfs: { type: 'layers', diff_ids: [layer.digest] },
  }
  return Buffer.from(JSON.stringify(document))
}
