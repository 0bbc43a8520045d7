/** The image side of docker commit: a new layer on top of an image, under a new configuration. */
import { type CommitRequest, familiarString, internal, rfc3339Nano } from '@dockerd-ts/core'
import { collect } from '../catalog/collect.ts'
import { type ImageContext, publishImage } from '../catalog/image-context.ts'
import type { StoredImage } from '../catalog/image-store.ts'
import { recordImage, unpackLayers } from '../catalog/register-image.ts'
import type { StagedBlob } from '../content/staged-blob.ts'
import { parseManifest } from '../oci/documents.ts'
import { chainIds, sha256 } from '../oci/identity.ts'
import { mediaTypes } from '../oci/media-types.ts'
import { makeManifest } from './archive-images.ts'
import { exportableManifest } from './exportable-manifest.ts'

/** Digest of 1024 zero bytes: the tar of a container that wrote nothing. Docker makes no layer of it. */
const emptyTarDigest = 'sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef'

/** Answers the new image's id. */
export async function commitImage(context: ImageContext, request: CommitRequest): Promise<string> {
  const parent = context.images.get(request.parentId)
  if (parent === undefined) throw internal(`image ${request.parentId} is gone`)
  const { content, layers } = context
  const unpin = layers.pins.add(...parent.row.chainIds)
  const release = content.pins.add(...parent.row.blobDigests)
  try {
    const layer = await content.stage(request.layer)
    return await addLayer(context, { request, parent, layer })
  } finally {
    unpin()
    release()
  }
}

interface NewLayer {
  request: CommitRequest
  parent: StoredImage
  layer: StagedBlob
}

async function addLayer(context: ImageContext, { request, parent, layer }: NewLayer): Promise<string> {
  const { content } = context
  const isEmpty = layer.digest === emptyTarDigest
  const configData = configOf(request, parent, isEmpty ? undefined : layer.digest)
  const descriptors = [...parseManifest((await exportableManifest(context, parent)).data).layers]
  if (!isEmpty) descriptors.push({ mediaType: mediaTypes.ociLayer, size: layer.sizeBytes, digest: layer.digest })
  const manifest = makeManifest({ data: configData }, descriptors)
  const release = content.pins.add(
    sha256(configData),
    sha256(manifest.data),
    ...descriptors.map(({ digest }) => digest),
  )
  const unpin = context.layers.pins.add(...chainIds(isEmpty ? [] : [...diffIdsOf(parent), layer.digest]))
  try {
    if (isEmpty) await content.discard(layer)
    else await content.commit(layer, mediaTypes.ociLayer)
    const { digest: id } = await content.put(configData, mediaTypes.ociConfig)
    const { digest: manifestDigest } = await content.put(manifest.data, manifest.mediaType)
    const image = {
      configData,
      id,
      manifestDigest,
      manifestMediaType: manifest.mediaType,
      blobDigests: descriptors.map(({ digest }) => digest),
    }
    await unpackLayers(context.layers, image, {})
    const { reference } = request
    recordImage(context.images, image, { references: reference ? [reference] : [], parentId: parent.row.id })
    if (reference) publishImage(context, { action: 'tag', imageId: id, name: familiarString(reference) })
    return id
  } finally {
    unpin()
    release()
    // What could not become an image leaves blobs that nothing needs.
    if (context.images.get(sha256(configData)) === undefined) await collect(context).swept
  }
}

const diffIdsOf = ({ document }: StoredImage): string[] => document.rootfs.diff_ids ?? []

/** The configuration document in Docker's order, with the parent's history. */
function configOf(request: CommitRequest, parent: StoredImage, diffId: string | undefined): Buffer {
  const { created: made, container, config } = request
  const { document } = parent
  const created = rfc3339Nano(made.atNs)
  const history = {
    created,
    ...(made.by !== '' && { created_by: made.by }),
    ...(made.author !== '' && { author: made.author }),
    ...(made.comment !== '' && { comment: made.comment }),
    ...(diffId === undefined && { empty_layer: true }),
  }
  const diffIds = diffIdsOf(parent)
  return Buffer.from(
    JSON.stringify({
      architecture: document.architecture,
      ...(document.variant !== undefined && { variant: document.variant }),
      ...(made.author !== '' && { author: made.author }),
      ...(made.comment !== '' && { comment: made.comment }),
      config,
      container: container.id,
      container_config: container.config,
      created,
      history: [...(document.history ?? []), history],
      os: document.os,
      ...(document['os.version'] !== undefined && { 'os.version': document['os.version'] }),
      ...(document['os.features'] && { 'os.features': document['os.features'] }),
      rootfs: { type: 'layers', diff_ids: diffId === undefined ? diffIds : [...diffIds, diffId] },
    }),
  )
}
