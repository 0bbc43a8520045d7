/** `POST /images/load`: images out of an archive that `save` (ours, Docker's, podman's, skopeo's) made. */
import { crashPoint, familiarString, type ImageReference, type Platform } from '@dockerd-ts/core'
import { collect } from '../catalog/collect.ts'
import { type ImageContext, publishImage } from '../catalog/image-context.ts'
import {
  type ImageContent,
  layerIdsOf,
  recordImage,
  recordIndex,
  unpackLayers,
  writeImage,
} from '../catalog/register-image.ts'
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
    const load = { context, files, request }
    const ofIndexes = new Set(indexes.flatMap(({ manifests }) => [...manifests.values()].map((m) => m.config.digest)))
    const alone = images.filter((image) => !ofIndexes.has(sha256(image.configData)))
    const unnamed: string[] = []
    for (const image of alone) {
      signal.throwIfAborted()
      const id = await loadImage(load, image)
      if (image.references.length === 0) unnamed.push(id)
    }
    if (indexes.length > 0) await loadIndexes(load, { indexes, images: images.filter((one) => !alone.includes(one)) })
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

interface Load {
  context: ImageContext
  files: ArchiveFiles
  request: LoadRequest
}

/** Its blobs are in the store, its layers are unpacked; all of it is pinned until the releases are called. */
interface Prepared {
  image: ArchiveImage
  content: ImageContent
}

async function loadImage(load: Load, image: ArchiveImage): Promise<string> {
  const { context, request } = load
  const releases: (() => void)[] = []
  try {
    const { content } = await prepareImage(load, image, releases)
    for (const reference of image.references)
      reportMoved(context, { reference, id: content.id, report: request.report })
    recordImage(context.images, content, recordingOf(context, image))
    announce(load, { id: content.id, references: image.references })
    return content.id
  } finally {
    for (const release of releases) release()
  }
}

function recordingOf({ images }: ImageContext, { references, parentId }: ArchiveImage) {
  const isParentHere = parentId !== undefined && images.get(parentId) !== undefined
  return { references, ...(isParentHere && { parentId }) }
}

function announce({ context, request }: Load, loaded: { id: string; references: readonly ImageReference[] }): void {
  for (const reference of loaded.references) {
    request.report({ stream: `Loaded image: ${familiarString(reference)}\n` })
  }
  publishImage(context, { action: 'load', imageId: loaded.id })
}

async function prepareImage(load: Load, image: ArchiveImage, releases: (() => void)[]): Promise<Prepared> {
  const { context, files, request } = load
  const document = parseImageConfig(image.configData)
  const ids = layerIdsOf(document, image.layerFiles.length)
  releases.push(context.layers.pins.add(...ids.chainIds), context.content.pins.add(sha256(image.configData)))
  const content = await keepContent(context, { image, files, releases })
  const hooks = request.quiet ? {} : { onBytes: layerCounters(context, content, { ids, report: request.report }) }
  await unpackLayers(context.layers, content, { hooks, signal: request.signal })
  return { image, content }
}

/** All of an archive's indexes with their images, or nothing: half an index is no image that anybody named. */
async function loadIndexes(
  load: Load,
  { indexes, images }: { indexes: readonly ArchiveIndex[]; images: readonly ArchiveImage[] },
): Promise<void> {
  const { context, request } = load
  const releases: (() => void)[] = []
  try {
    const prepared: Prepared[] = []
    for (const image of images) {
      request.signal.throwIfAborted()
      prepared.push(await prepareImage(load, image, releases))
    }
    for (const index of indexes) await keepIndex(load, index, releases)
    crashPoint('index:prepared')
    const references = indexes.flatMap((index) => index.references)
    const before = references.map((reference) => context.images.byReference(reference)?.row.id)
    context.images.transaction(() => {
      for (const { image, content } of prepared) writeImage(context.images, content, recordingOf(context, image))
      for (const index of indexes) {
        const row = indexRow(index.documents, index.manifests)
        recordIndex(context.images, { row, host: request.host, references: index.references })
      }
    })
    crashPoint('image:recorded')
    for (const [at, reference] of references.entries()) {
      const id = context.images.byReference(reference)?.row.id ?? ''
      tellMoved({ reference, before: before[at], id, report: request.report })
    }
    for (const { image, content } of prepared) announce(load, { id: content.id, references: image.references })
    for (const reference of references) request.report({ stream: `Loaded image: ${familiarString(reference)}\n` })
  } finally {
    for (const release of releases) release()
  }
}

/** The documents, and what else it has (attestations, images of other systems). */
async function keepIndex(
  { context: { content }, files }: Load,
  { documents, manifests }: ArchiveIndex,
  releases: (() => void)[],
): Promise<void> {
  const blobs = [...manifests.values()].flatMap(({ config, layers }) => [config, ...layers])
  const digests = [...documents, ...blobs].map(({ digest }) => digest)
  releases.push(content.pins.add(...digests, ...manifests.keys()))
  for (const { data, mediaType } of documents) await content.put(data, mediaType)
  for (const [digest, { mediaType }] of manifests) await files.keepBlob(digest, mediaType ?? mediaTypes.ociManifest)
  for (const { digest, mediaType } of blobs) await files.keepBlob(digest, mediaType)
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
  tellMoved({ reference, before: images.byReference(reference)?.row.id, id, report })
}

interface Moved {
  reference: ImageReference
  before: string | undefined
  id: string
  report: Report
}

function tellMoved({ reference, before, id, report }: Moved): void {
  if (before === undefined || before === id) return
  const name = familiarString(reference)
  report({ stream: `The image ${name} already exists, renaming the old one with ID ${before} to empty string\n` })
}
