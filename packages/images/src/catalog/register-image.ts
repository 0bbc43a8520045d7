/** The last step of pull, load and import: blobs are in the store, so layers are unpacked and the image is recorded. */
import {
  crashPoint,
  type ImageReference,
  type ImageRow,
  type IndexRow,
  invalidArgument,
  type Platform,
  type SignatureVerdict,
} from '@dockerd-ts/core'
import type { LayerStore } from '../layers/layer-store.ts'
import { type ImageDocument, parseImageConfig } from '../oci/documents.ts'
import { parseGoTime } from '../oci/go-time.ts'
import { chainIds } from '../oci/identity.ts'
import type { ImageStore, StoredImage } from './image-store.ts'
import { defaultVariant, mergedIndex } from './variants.ts'

export interface ImageContent {
  configData: Buffer
  /** Digest of `configData`. */
  id: string
  manifestDigest: string
  manifestMediaType: string
  /** Of the layers' blobs in the store, lowest first. */
  blobDigests: readonly string[]
}

const maxVerdicts = 32

export interface LayerHooks {
  /** `index` counts from the lowest. */
  exists?: (index: number) => void
  onBytes?: (index: number, total: number) => void
  done?: (index: number) => void
}

/** Layer ids of a configuration; throws invalidArgument when they do not fit the manifest's layers. */
export function layerIdsOf(document: ImageDocument, layerCount: number): { diffIds: string[]; chainIds: string[] } {
  const diffIds = document.rootfs.diff_ids ?? []
  if (document.rootfs.type !== 'layers') throw invalidArgument(`unsupported rootfs type "${document.rootfs.type}"`)
  if (diffIds.length !== layerCount) {
    throw invalidArgument(`invalid manifest, layers length mismatch: expected ${diffIds.length}, got ${layerCount}`)
  }
  return { diffIds, chainIds: chainIds(diffIds) }
}

/** Unpacks what is missing, side by side. The caller has pinned the chain ids and blobs. */
export async function unpackLayers(
  layers: LayerStore,
  content: ImageContent,
  { hooks = {}, signal }: { hooks?: LayerHooks; signal?: AbortSignal },
): Promise<void> {
  const document = parseImageConfig(content.configData)
  const ids = layerIdsOf(document, content.blobDigests.length)
  const outcomes = await Promise.allSettled(
    ids.chainIds.map(async (chainId, index) => {
      if (layers.get(chainId) !== undefined) return hooks.exists?.(index)
      const parentChainId = ids.chainIds[index - 1]
      await layers.ensure({
        chainId,
        diffId: ids.diffIds[index] ?? '',
        blobDigest: content.blobDigests[index] ?? '',
        onBytes: (total) => hooks.onBytes?.(index, total),
        ...(parentChainId !== undefined && { parentChainId }),
        ...(signal && { signal }),
      })
      hooks.done?.(index)
    }),
  )
  const failed = outcomes.find((outcome) => outcome.status === 'rejected')
  if (failed !== undefined) throw failed.reason
}

export interface Recording {
  references: readonly ImageReference[]
  parentId?: string
  /** The references mean this index, of which the image is a variant. */
  index?: { row: IndexRow; host: Platform }
  /** Of the signature policy that let it in. */
  verdict?: SignatureVerdict
}

export function recordImage(images: ImageStore, content: ImageContent, recording: Recording): StoredImage {
  let recorded: StoredImage | undefined
  images.transaction(() => {
    recorded = writeImage(images, content, recording)
  })
  crashPoint('image:recorded')
  if (recorded === undefined) throw new Error('a transaction that does nothing')
  return recorded
}

/** In a transaction. Synchronous: from the check that every layer is there to the row, nothing can remove one. */
export function writeImage(
  images: ImageStore,
  content: ImageContent,
  { references, parentId, index, verdict }: Recording,
): StoredImage {
  const document = parseImageConfig(content.configData)
  const ids = layerIdsOf(document, content.blobDigests.length)
  const sizes = ids.chainIds.map((chainId) => {
    const layer = images.records.getLayer(chainId)
    if (layer === undefined) throw new Error(`layer ${chainId} of image ${content.id} is gone`)
    return layer.sizeBytes
  })
  const known = images.row(content.id)
  const keptParent = parentId ?? known?.parentId
  const taggedAtNs = references.length > 0 ? nowNs() : known?.lastTaggedAtNs
  const row: ImageRow = {
    id: content.id,
    manifestDigest: content.manifestDigest,
    manifestMediaType: content.manifestMediaType,
    configJson: content.configData.toString('utf8'),
    chainIds: ids.chainIds,
    blobDigests: [...content.blobDigests],
    sizeBytes: sizes.reduce((sum, size) => sum + size, 0),
    createdAtNs: String(parseGoTime(document.created ?? '') ?? 0n),
    ...(taggedAtNs !== undefined && { lastTaggedAtNs: taggedAtNs }),
    ...(keptParent !== undefined && { parentId: keptParent }),
    ...withVerdict(known?.signatureVerdicts ?? [], verdict),
  }
  images.put(row)
  if (index !== undefined) recordIndex(images, { ...index, references })
  else for (const reference of references) images.setReference(reference, row.id)
  return { row, document }
}

/**
 * In a transaction, after the images that are its variants. All names of the index then mean the variant that serves the
 * host best.
 */
export function recordIndex(
  images: ImageStore,
  { row, host, references }: { row: IndexRow; host: Platform; references: readonly ImageReference[] },
): void {
  const merged = mergedIndex(images.index(row.digest), row)
  const meant = defaultVariant(images, merged, host)
  if (meant === undefined) throw new Error(`index ${row.digest} has no image here`)
  images.putIndex(merged)
  const names = [...images.namesOfIndex(row.digest).map(({ reference }) => reference), ...references]
  for (const reference of names) images.setReference(reference, meant.row.id, row.digest)
}

/** One for each reference by digest, the newest last. */
function withVerdict(known: readonly SignatureVerdict[], verdict: SignatureVerdict | undefined): Partial<ImageRow> {
  const others = known.filter(({ reference }) => reference !== verdict?.reference)
  const kept = [...others, ...(verdict ? [verdict] : [])].slice(-maxVerdicts)
  return kept.length > 0 ? { signatureVerdicts: kept } : {}
}

/** Unix time in nanoseconds, as digits. */
export const nowNs = (): string => String(BigInt(Date.now()) * 1_000_000n)
