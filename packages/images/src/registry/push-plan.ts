/** What a push sends: an index whole when all of it is here, or the one manifest of it that is meant. */
import {
  conflict,
  formatPlatform,
  type IndexEntry,
  type IndexRow,
  notFound,
  type Platform,
  platformDistance,
} from '@dockerd-ts/core'
import { exportableManifest } from '../archive/exportable-manifest.ts'
import type { ImageContext } from '../catalog/image-context.ts'
import type { StoredImage } from '../catalog/image-store.ts'
import { isAttestation, isAvailable, targetDescriptor } from '../catalog/manifest-summaries.ts'
import { platformOf } from '../catalog/variants.ts'
import { type Descriptor, documentLimitBytes, type Manifest, parseManifest } from '../oci/documents.ts'
import { mediaTypes } from '../oci/media-types.ts'
import type { WireDescriptor } from '../wire-types.ts'

export interface PushedDocument {
  data: Buffer
  mediaType: string
  digest: string
}

export interface PushPlan {
  /** What the tag means afterwards. */
  target: PushedDocument
  /** What the target names: pushed before it, in this order, by their digests. */
  children: PushedDocument[]
  /** Each once. */
  layers: Descriptor[]
  configs: Descriptor[]
  /** The image that the target's digest means. */
  imageId: string
  /** Only this part of the index is here, though all of it was asked for. */
  instead?: { originalIndex: WireDescriptor; selectedManifest: WireDescriptor }
}

export interface PushChoice {
  image: StoredImage
  index: IndexRow | undefined
  platform: Platform | undefined
  host: Platform
}

/** Throws notFound or conflict in Docker's words when no manifest can be told to be the one. */
export async function planPush(context: ImageContext, choice: PushChoice): Promise<PushPlan> {
  const { image, index, platform } = choice
  if (index === undefined) {
    if (platform !== undefined && platformDistance(platform, platformOf(image)) !== 0) throw noManifest(platform)
    const own = await exportableManifest(context, image)
    return { target: own, children: [], imageId: image.row.id, ...blobsOf([parseManifest(own.data)]) }
  }
  const selected = selectEntry(context, { ...choice, index })
  if (selected === undefined) return { ...(await planIndex(context, index)), imageId: image.row.id }
  const target = await document(context, selected.descriptor)
  const manifest = parseManifest(target.data)
  const plan = { target, children: [], imageId: manifest.config.digest, ...blobsOf([manifest]) }
  if (platform !== undefined) return plan
  const originalIndex = targetDescriptor(context, image, index)
  return { ...plan, instead: { originalIndex, selectedManifest: selected.descriptor } }
}

const noManifest = (platform: Platform | undefined) =>
  notFound(`no suitable image manifest found for platform ${platform ? formatPlatform(platform) : ''}`)

/** Undefined: the index itself. */
function selectEntry(
  context: ImageContext,
  { index, platform, host }: PushChoice & { index: IndexRow },
): IndexEntry | undefined {
  const fits = (wanted: Platform, { descriptor }: IndexEntry) =>
    !!descriptor.platform && platformDistance(wanted, descriptor.platform as Platform) === 0
  const present = index.entries.filter((entry) => isAvailable(context, entry))
  const images = present.filter((entry) => !isAttestation(entry))
  if (platform !== undefined) {
    const [only, another] = images.filter((entry) => fits(platform, entry))
    if (only === undefined) throw noManifest(platform)
    if (another !== undefined) throw conflict(`multiple manifests found for platform ${formatPlatform(platform)}`)
    return only
  }
  if (images.length === 0) throw noManifest(platform)
  if (present.length === index.entries.length) return undefined
  if (images.length === 1) return images[0]
  const ours = images.find((entry) => fits(host, entry))
  if (ours === undefined) throw conflict('multiple matching manifests found but no specific platform requested')
  return ours
}

async function planIndex(context: ImageContext, index: IndexRow): Promise<Omit<PushPlan, 'imageId'>> {
  const manifests = await Promise.all(index.entries.map(({ descriptor }) => document(context, descriptor)))
  // The innermost first: a registry refuses an index whose manifests it does not have.
  const nested = await Promise.all(
    [...index.nestedDigests]
      .reverse()
      .map((digest) => document(context, { digest, mediaType: context.content.get(digest)?.mediaType ?? '' })),
  )
  const target = await document(context, index)
  const parsed = manifests.map(({ data }) => parseManifest(data))
  return { target, children: [...manifests, ...nested], ...blobsOf(parsed) }
}

async function document(
  { content }: ImageContext,
  { digest, mediaType }: { digest: string; mediaType: string },
): Promise<PushedDocument> {
  return { data: await content.readSmall(digest, documentLimitBytes), mediaType, digest }
}

function blobsOf(manifests: readonly Manifest[]): { layers: Descriptor[]; configs: Descriptor[] } {
  const unique = (blobs: readonly Descriptor[]) => [...new Map(blobs.map((blob) => [blob.digest, blob])).values()]
  // The blob of an artifact without a configuration is `{}`, which a layer can be too.
  const layers = unique(manifests.flatMap((manifest) => manifest.layers))
  const configs = unique(manifests.map(({ config }) => config))
  return { layers, configs: configs.filter(({ digest }) => !layers.some((layer) => layer.digest === digest)) }
}

const foreignTypes: ReadonlySet<string> = new Set([
  mediaTypes.dockerForeignLayer,
  ...['', '+gzip', '+zstd'].map((suffix) => `${mediaTypes.ociForeignLayer}${suffix}`),
])

/** Layers that are not to be distributed stay where their URLs say they are. */
export const isForeign = ({ mediaType, urls }: Descriptor): boolean =>
  foreignTypes.has(mediaType) && (urls ?? []).length > 0
