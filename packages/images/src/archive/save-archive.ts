/** `GET /images/get`: a tar that is an OCI layout and a Docker archive at once, blobs as they are in the store. */
import { Readable } from 'node:stream'
import {
  familiarName,
  familiarString,
  formatPlatform,
  formatReference,
  type ImageReference,
  isEngineError,
  noSuchImage,
  notFound,
  type Platform,
  parseReference,
  platformDistance,
} from '@dockerd-ts/core'
import { type ImageContext, publishImage } from '../catalog/image-context.ts'
import type { StoredImage } from '../catalog/image-store.ts'
import { parseManifest } from '../oci/documents.ts'
import { mediaTypes } from '../oci/media-types.ts'
import { type NewEntry, writeTar } from '../tar/writer.ts'
import { type ExportableManifest, exportableManifest } from './exportable-manifest.ts'

interface SavedImage {
  image: StoredImage
  references: ImageReference[]
}

export interface SaveRequest {
  references: readonly string[]
  platforms: readonly Platform[]
}

/** Everything is checked before the stream is given; the blobs stay pinned until it ends. */
export async function saveArchive(context: ImageContext, request: SaveRequest): Promise<Readable> {
  const saved = selectImages(context, request.references)
  for (const { image } of saved) checkPlatform(image, request.platforms)
  const digests = [...new Set(saved.flatMap(({ image }) => [image.row.id, ...image.row.blobDigests]))]
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

function checkPlatform({ row, document }: StoredImage, wanted: readonly Platform[]): void {
  if (wanted.length === 0) return
  const offered = { os: document.os, architecture: document.architecture, variant: document.variant ?? '' }
  if (wanted.some((platform) => platformDistance(platform, offered) === 0)) return
  throw notFound(`no suitable export target found for platform ${wanted.map(formatPlatform).join(', ')}: ${row.id}`)
}

/** A bare name means all tags of the repository; an id, the image without a name. */
function selectImages({ images }: ImageContext, texts: readonly string[]): SavedImage[] {
  const saved = new Map<string, SavedImage>()
  const add = (image: StoredImage, reference?: ImageReference) => {
    const entry = saved.get(image.row.id) ?? { image, references: [] }
    if (
      reference !== undefined &&
      !entry.references.some((other) => formatReference(other) === formatReference(reference))
    ) {
      entry.references.push(reference)
    }
    saved.set(image.row.id, entry)
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
      // A digest names no tag that could be kept.
      add(image, reference.digest === undefined ? reference : undefined)
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
  const index: object[] = []
  const manifest: object[] = []
  const repositories: Record<string, Record<string, string>> = {}
  for (const [at, { image, references }] of saved.entries()) {
    const { row, document } = image
    const own = manifests[at]
    if (own === undefined) continue
    const descriptor = { mediaType: own.mediaType, digest: own.digest, size: own.data.length }
    if (references.length === 0) index.push(descriptor)
    for (const reference of references) index.push({ ...descriptor, annotations: annotationsOf(reference) })
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
    'index.json': encode({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: index }),
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
