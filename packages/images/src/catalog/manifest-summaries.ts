/** `manifests=1` of image list and inspect: each manifest of an image or of its index, and what is here of it. */
import type { ImageUsage, IndexEntry, IndexRow } from '@dockerd-ts/core'
import type { ContentStore } from '../content/content-store.ts'
import type { WireDescriptor, WireManifestSummary } from '../wire-types.ts'
import { attestedDigest } from './attested-digest.ts'
import type { ImageStore, StoredImage } from './image-store.ts'

export interface SummaryContext {
  images: ImageStore
  content: ContentStore
  usage: ImageUsage
}

/** What a name of the image means: its index, or else its manifest. */
export function targetDescriptor(
  { content }: Pick<SummaryContext, 'content'>,
  { row }: StoredImage,
  index: IndexRow | undefined,
): WireDescriptor {
  if (index !== undefined) return { mediaType: index.mediaType, digest: index.digest, size: index.sizeBytes }
  const size = content.get(row.manifestDigest)?.sizeBytes ?? 0
  return { mediaType: row.manifestMediaType, digest: row.manifestDigest, size }
}

/** Manifests that are here come first. */
export function manifestSummaries(
  context: SummaryContext,
  image: StoredImage,
  index: IndexRow | undefined,
): WireManifestSummary[] {
  const summaries = (index?.entries ?? [entryOf(context, image)]).map((entry) => summarize(context, entry))
  return [...summaries.filter(({ Available }) => Available), ...summaries.filter(({ Available }) => !Available)]
}

const entryOf = (context: SummaryContext, image: StoredImage): IndexEntry => ({
  descriptor: targetDescriptor(context, image, undefined),
  content: { configDigest: image.row.id, layerDigests: image.row.blobDigests },
})

/** True when every blob of the manifest is here, so that it can be pushed and saved. */
export function isAvailable({ content }: Pick<SummaryContext, 'content'>, entry: IndexEntry): boolean {
  return entry.content !== undefined && blobsOfEntry(entry).every((digest) => content.has(digest))
}

const blobsOfEntry = ({ descriptor, content }: IndexEntry): string[] => [
  ...new Set([descriptor.digest, ...(content === undefined ? [] : [content.configDigest, ...content.layerDigests])]),
]

/** Of BuildKit: what is attested about another manifest of the index. */
export const isAttestation = (entry: IndexEntry): boolean => attestationFor(entry) !== undefined

const attestationFor = ({ descriptor }: IndexEntry): string | undefined => attestedDigest(descriptor)

function summarize(context: SummaryContext, entry: IndexEntry): WireManifestSummary {
  const { images, content, usage } = context
  const { descriptor } = entry
  const blobs = blobsOfEntry(entry).reduce((sum, digest) => sum + (content.get(digest)?.sizeBytes ?? 0), 0)
  const common = { ID: descriptor.digest, Descriptor: descriptor, Available: isAvailable(context, entry) }
  const attested = attestationFor(entry)
  if (attested !== undefined) {
    const Size = { Content: blobs, Total: blobs }
    return { ...common, Size, Kind: 'attestation', AttestationData: { For: attested } }
  }
  const image = entry.content === undefined ? undefined : images.get(entry.content.configDigest)
  const platform = descriptor.platform ?? (image && platformOfConfig(image))
  const isUnknown = !platform || platform.os === 'unknown' || descriptor.artifactType
  if (isUnknown) return { ...common, Size: { Content: blobs, Total: blobs }, Kind: 'unknown' }
  const unpacked = image?.row.sizeBytes ?? 0
  return {
    ...common,
    Size: { Content: blobs, Total: blobs + unpacked },
    Kind: 'image',
    ImageData: {
      Platform: platform,
      Containers: image === undefined ? [] : usage.containersOf(image.row.id).map(({ id }) => id),
      Size: { Unpacked: unpacked },
    },
  }
}

function platformOfConfig({ document }: StoredImage): NonNullable<WireDescriptor['platform']> {
  const { architecture, os, variant } = document
  const version = document['os.version']
  return { architecture, os, ...(version && { 'os.version': version }), ...(variant && { variant }) }
}
