/** `GET /images/get`: a tar that is an OCI layout and a Docker archive at once, blobs as they are in the store. */
import { Readable } from 'node:stream'
import {
  familiarName,
  familiarString,
  formatPlatform,
  formatReference,
  type ImageReference,
  type IndexEntry,
  type IndexRow,
  isEngineError,
  noSuchImage,
  notFound,
  type Platform,
  parseReference,
  platformDistance,
} from '@dockerd-ts/core'
import { type ImageContext, publishImage } from '../catalog/image-context.ts'
import type { StoredImage } from '../catalog/image-store.ts'
import { blobsOfIndex, platformOf } from '../catalog/variants.ts'
import { parseManifest } from '../oci/documents.ts'
import { mediaTypes } from '../oci/media-types.ts'
import { type NewEntry, writeTar } from '../tar/writer.ts'
import { type ExportableManifest, exportableManifest } from './exportable-manifest.ts'

interface SavedImage {
  /** Of an index the variant that Docker's manifest.json tells of. */
  image: StoredImage
  references: ImageReference[]
  index?: IndexRow
}

export interface SaveRequest {
  references: readonly string[]
  /** Empty: all that is here. One: its manifest alone, not the index. */
  platforms: readonly Platform[]
  host: Platform
}

/** Everything is checked before the stream is given; the blobs stay pinned until it ends. */
export async function saveArchive(context: ImageContext, request: SaveRequest): Promise<Readable> {
  const saved = selectImages(context, request.references).map((one) => forPlatforms(context, one, request))
  const digests = [...new Set(saved.flatMap((one) => blobsOf(context, one, request.platforms)))]
  const release = context.content.pins.add(...digests, ...saved.map(({ image }) => image.row.manifestDigest))
  try {
    const manifests = await Promise.all(saved.map(({ image }) => exportableManifest(context, image)))
    const documents = makeDocuments(saved, manifests)
    for (const { image } of saved) publishImage(context, { action: 'save', imageId: image.row.id })
    const stream = Readable.from(writeTar(entries(context, { digests, manifests, documents })), {
      objectMode: false,
      highWaterMark: 256 * 1024,
    })
    return stream.once('close', release)
  } catch (error) {
    release()
    throw error
  }
}

/** What is saved of an image where platforms are named. Throws notFound when one of them is not here. */
function forPlatforms({ images }: ImageContext, saved: SavedImage, { platforms, host }: SaveRequest): SavedImage {
  const { image, index, references } = saved
  if (platforms.length === 0) return saved
  const variants = index === undefined ? [image] : images.variantsOf(index)
  const chosen = platforms.map((platform) => {
    const variant = variants.find((other) => platformDistance(platform, platformOf(other)) === 0)
    if (variant !== undefined) return variant
    throw notFound(`no suitable export target found for platform ${formatPlatform(platform)}: ${image.row.id}`)
  })
  const [first] = chosen
  if (first === undefined || index === undefined || chosen.length === 1) return { image: first ?? image, references }
  const ours = chosen.find((other) => platformDistance(host, platformOf(other)) !== undefined)
  return { image: ours ?? first, references, index }
}

function blobsOf({ images, content }: ImageContext, saved: SavedImage, platforms: readonly Platform[]): string[] {
  const { image, index } = saved
  const own = [image.row.id, ...image.row.blobDigests]
  if (index === undefined) return own
  const isWanted = ({ content: parts }: IndexEntry) => {
    const variant = parts && images.get(parts.configDigest)
    if (platforms.length === 0) return true
    return !!variant && platforms.some((platform) => platformDistance(platform, platformOf(variant)) === 0)
  }
  const parts = blobsOfIndex({ ...index, entries: index.entries.filter(isWanted) })
  return [...own, ...parts.filter((digest) => content.has(digest))]
}

/** A bare name means all tags of the repository; an id, the image without a name. */
function selectImages({ images }: ImageContext, texts: readonly string[]): SavedImage[] {
  const saved = new Map<string, SavedImage>()
  const add = (image: StoredImage, asked?: ImageReference) => {
    const index = asked && images.indexByReference(asked)
    // A digest names no tag that could be kept.
    const reference = asked?.digest === undefined ? asked : undefined
    const key = index?.digest ?? image.row.id
    const entry = saved.get(key) ?? { image, references: [], ...(index && { index }) }
    if (
      reference !== undefined &&
      !entry.references.some((other) => formatReference(other) === formatReference(reference))
    ) {
      entry.references.push(reference)
    }
    saved.set(key, entry)
  }
  for (const text of texts) {
    const reference = nameIn(text)
    if (reference === undefined) {
      add(images.find(text))
    } else if (reference.tag === undefined && reference.digest === undefined) {
      const found = images.referencesByName(reference).filter(({ reference: { tag } }) => tag !== undefined)
      for (const { reference: tagged, imageId } of found) add(images.get(imageId) ?? missing(text), tagged)
      if (found.length === 0) add(images.byIdPrefix(text) ?? missing(text))
    } else {
      const image = images.byReference(reference) ?? images.byIdPrefix(text)
      if (image === undefined) throw notFound('reference does not exist')
      add(image, reference)
    }
  }
  return [...saved.values()]
}

function missing(text: string): never {
  throw noSuchImage(text)
}

/** Undefined for a full id. */
function nameIn(text: string): ImageReference | undefined {
  if (/^(?:sha256:)?[a-f0-9]{64}$/.test(text)) return undefined
  try {
    return parseReference(text)
  } catch (error) {
    if (isEngineError(error) && text.startsWith('sha256:')) return undefined
    throw error
  }
}

const encode = (document: unknown) => Buffer.from(JSON.stringify(document))
const blobPath = (digest: string) => `blobs/${digest.replace(':', '/')}`

interface Documents {
  'index.json': Buffer
  'manifest.json': Buffer
  'oci-layout': Buffer
  repositories?: Buffer
}

function makeDocuments(saved: readonly SavedImage[], manifests: readonly ExportableManifest[]): Documents {
  const layout: object[] = []
  const manifest: object[] = []
  const repositories: Record<string, Record<string, string>> = {}
  for (const [at, { image, references, index }] of saved.entries()) {
    const { row, document } = image
    const own = manifests[at]
    if (own === undefined) continue
    const descriptor = index
      ? { mediaType: index.mediaType, digest: index.digest, size: index.sizeBytes }
      : { mediaType: own.mediaType, digest: own.digest, size: own.data.length }
    if (references.length === 0) layout.push(descriptor)
    for (const reference of references) layout.push({ ...descriptor, annotations: annotationsOf(reference) })
    manifest.push({
      Config: blobPath(row.id),
      RepoTags: references.length > 0 ? references.map(familiarString) : null,
      Layers: row.blobDigests.map(blobPath),
      LayerSources: layerSources(own, document.rootfs.diff_ids ?? []),
    })
    const top = row.blobDigests.at(-1)
    for (const reference of top === undefined ? [] : references) {
      const name = familiarName(reference)
      repositories[name] = { ...repositories[name], [reference.tag ?? 'latest']: (top ?? '').slice('sha256:'.length) }
    }
  }
  return {
    'index.json': encode({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: layout }),
    'manifest.json': encode(manifest),
    'oci-layout': encode({ imageLayoutVersion: '1.0.0' }),
    ...(Object.keys(repositories).length > 0 && { repositories: encode(repositories) }),
  }
}

const annotationsOf = (reference: ImageReference) => ({
  'io.containerd.image.name': formatReference(reference),
  'org.opencontainers.image.ref.name': reference.tag ?? 'latest',
})

/** What each layer's file is, by the id of the layer inside. */
function layerSources(manifest: ExportableManifest, diffIds: readonly string[]): Record<string, object> {
  const { layers } = parseManifest(manifest.data)
  const sources = diffIds.flatMap((diffId, at) => {
    const layer = layers[at]
    return layer === undefined ? [] : [[diffId, { mediaType: layer.mediaType, size: layer.size, digest: layer.digest }]]
  })
  return Object.fromEntries(sources)
}

async function* entries(
  { content }: ImageContext,
  saved: { digests: readonly string[]; manifests: readonly ExportableManifest[]; documents: Documents },
): AsyncGenerator<{ entry: NewEntry; body?: AsyncIterable<Buffer> | Iterable<Buffer> }> {
  yield { entry: { name: 'blobs/', type: 'directory', mode: 0o755 } }
  yield { entry: { name: 'blobs/sha256/', type: 'directory', mode: 0o755 } }
  const manifests = new Map(saved.manifests.map(({ digest, data }) => [digest, data]))
  for (const digest of [...new Set([...saved.digests, ...manifests.keys()])].sort()) {
    const data = manifests.get(digest)
    const sizeBytes = data?.length ?? content.get(digest)?.sizeBytes ?? 0
    const body = data === undefined ? content.read(digest) : [data]
    yield { entry: { name: blobPath(digest), type: 'file', sizeBytes }, body }
  }
  for (const [name, data] of Object.entries(saved.documents)) {
    yield { entry: { name, type: 'file', sizeBytes: data.length }, body: [data] }
  }
}
