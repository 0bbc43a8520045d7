/** `POST /images/load`: images out of an archive that `save` (ours, Docker's, podman's, skopeo's) made. */
import { familiarString, type ImageReference, type Platform } from '@dockerd-ts/core'
import { collect } from '../catalog/collect.ts'
import { type ImageContext, publishImage } from '../catalog/image-context.ts'
import { type ImageContent, layerIdsOf, recordImage, recordIndex, unpackLayers } from '../catalog/register-image.ts'
import { defaultVariant, mergedIndex } from '../catalog/variants.ts'
import { parseImageConfig } from '../oci/documents.ts'
import { sha256, shortDigest } from '../oci/identity.ts'
import { indexRow } from '../oci/index-entries.ts'
import { mediaTypes } from '../oci/media-types.ts'
import { counter, type Report } from '../progress/progress-stream.ts'
import { ArchiveFiles } from './archive-files.ts'
import { type ArchiveImage, type ArchiveIndex, findArchiveImages, makeManifest } from './archive-images.ts'
import { decompress } from './compression.ts'
import { layerMediaType } from './exportable-manifest.ts'

export interface LoadRequest {
  archive: AsyncIterable<Buffer>
  quiet: boolean
  platforms: readonly Platform[]
  host: Platform
  report: Report
  signal: AbortSignal
}

export async function loadArchive(context: ImageContext, request: LoadRequest): Promise<void> {
  const { report, signal } = request
  const early = new Set<string>()
  const files = new ArchiveFiles(context.content, (blob) => {
    early.add(blob.digest)
    context.layers.unpackEarly(blob)
  })
  let complete = false
  try {
    await files.stage(abortable(await decompress(request.archive), signal))
    const { images, indexes } = await findArchiveImages(files, { host: request.host, wanted: request.platforms })
    const unnamed: string[] = []
    for (const image of images) {
      signal.throwIfAborted()
      const id = await loadImage(context, { image, files, request })
      if (image.references.length === 0) unnamed.push(id)
      for (const reference of image.references) report({ stream: `Loaded image: ${familiarString(reference)}\n` })
      publishImage(context, { action: 'load', imageId: id })
    }
    for (const index of indexes) await loadIndex(context, { index, files, request })
    if (unnamed.length === images.length && indexes.length === 0) {
      report({ stream: unnamed.map((id) => `Loaded image ID: ${id}\n`).join('') })
    }
    complete = true
  } finally {
    await context.layers.dropEarly(early)
    await files.close()
    // Blobs and layers of an image that was not recorded have no owner.
    if (!complete) await collect(context).swept
  }
}

async function* abortable(source: AsyncIterable<Buffer>, signal: AbortSignal): AsyncGenerator<Buffer> {
  for await (const chunk of source) {
    signal.throwIfAborted()
    yield chunk
  }
}

async function loadImage(
  context: ImageContext,
  { image, files, request }: { image: ArchiveImage; files: ArchiveFiles; request: LoadRequest },
): Promise<string> {
  const document = parseImageConfig(image.configData)
  const ids = layerIdsOf(document, image.layerFiles.length)
  const releases = [context.layers.pins.add(...ids.chainIds), context.content.pins.add(sha256(image.configData))]
  try {
    const content = await keepContent(context, { image, files, releases })
    const hooks = request.quiet ? {} : { onBytes: layerCounters(context, content, { ids, report: request.report }) }
    await unpackLayers(context.layers, content, { hooks, signal: request.signal })
    for (const reference of image.references)
      reportMoved(context, { reference, id: content.id, report: request.report })
    const parentId = image.parentId !== undefined && context.images.get(image.parentId) ? image.parentId : undefined
    recordImage(context.images, content, { references: image.references, ...(parentId && { parentId }) })
    return content.id
  } finally {
    for (const release of releases) release()
  }
}

/** After its images: the documents, and what else it has (attestations, images of other systems). */
async function loadIndex(
  context: ImageContext,
  { index, files, request }: { index: ArchiveIndex; files: ArchiveFiles; request: LoadRequest },
): Promise<void> {
  const { images, content } = context
  const { documents, manifests, references } = index
  const release = content.pins.add(...documents.map(({ digest }) => digest))
  try {
    for (const { data, mediaType } of documents) await content.put(data, mediaType)
    for (const [digest, { mediaType, config, layers }] of manifests) {
      await files.keepBlob(digest, mediaType ?? mediaTypes.ociManifest)
      for (const blob of [config, ...layers]) await files.keepBlob(blob.digest, blob.mediaType)
    }
    const row = indexRow(documents, manifests)
    const meant = defaultVariant(images, mergedIndex(images.index(row.digest), row), request.host)
    for (const reference of meant === undefined ? [] : references) {
      reportMoved(context, { reference, id: meant?.row.id ?? '', report: request.report })
    }
    images.transaction(() => recordIndex(images, { row, host: request.host, references }))
    for (const reference of references) request.report({ stream: `Loaded image: ${familiarString(reference)}\n` })
  } finally {
    release()
  }
}

/** Blobs into the store: layers as the archive has them, compressed or not. */
async function keepContent(
  { content }: ImageContext,
  { image, files, releases }: { image: ArchiveImage; files: ArchiveFiles; releases: (() => void)[] },
): Promise<ImageContent> {
  const layers: { mediaType: string; size: number; digest: string }[] = []
  for (const name of image.layerFiles) {
    const digest = await files.keep(name, mediaTypes.ociLayer)
    const mediaType = await layerMediaType(content.read(digest))
    layers.push({ mediaType, size: content.get(digest)?.sizeBytes ?? 0, digest })
  }
  const config = await content.put(image.configData, mediaTypes.ociConfig)
  const manifest = image.manifest ?? makeManifest({ data: image.configData }, layers)
  releases.push(content.pins.add(sha256(manifest.data)))
  const { digest } = await content.put(manifest.data, manifest.mediaType)
  return {
    configData: image.configData,
    id: config.digest,
    manifestDigest: digest,
    manifestMediaType: manifest.mediaType,
    blobDigests: layers.map((layer) => layer.digest),
  }
}

function layerCounters(
  { content }: ImageContext,
  image: ImageContent,
  { ids, report }: { ids: { diffIds: readonly string[] }; report: Report },
): (index: number, total: number) => void {
  const counters = image.blobDigests.map((digest, index) =>
    counter(report, {
      status: 'Loading layer',
      id: shortDigest(ids.diffIds[index] ?? ''),
      total: content.get(digest)?.sizeBytes ?? 0,
    }),
  )
  return (index, total) => counters[index]?.(total)
}

function reportMoved(
  { images }: ImageContext,
  { reference, id, report }: { reference: ImageReference; id: string; report: Report },
): void {
  const before = images.byReference(reference)?.row.id
  if (before === undefined || before === id) return
  const name = familiarString(reference)
  report({ stream: `The image ${name} already exists, renaming the old one with ID ${before} to empty string\n` })
}
