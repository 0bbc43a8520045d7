/** The images of an index: which of them a name means for a platform, and what is kept of them. */
import { type IndexRow, type Platform, parseReference, platformDistance, platformMismatch } from '@dockerd-ts/core'
import type { ImageStore, StoredImage } from './image-store.ts'

export function platformOf({ document }: StoredImage): Platform {
  const { os, architecture, variant } = document
  return { os, architecture, ...(variant ? { variant } : {}) }
}

export function requirePlatform(image: StoredImage, reference: string, wanted: Platform): void {
  const actual = platformOf(image)
  if (platformDistance(wanted, actual) === undefined) throw platformMismatch(reference, wanted, actual)
}

/** What a reference means, and for a platform the variant of its index that serves it best. Throws notFound. */
export function findImage(images: ImageStore, text: string, platform?: Platform): StoredImage {
  const image = images.find(text)
  if (platform === undefined) return image
  const index = indexOf(images, text, image)
  const variant = index && bestVariant(images, index, platform)
  if (variant !== undefined) return variant
  requirePlatform(image, text, platform)
  return image
}

/** The index that a reference means; an id means the one that the image's own names mean. */
export function indexOf(images: ImageStore, text: string, image: StoredImage): IndexRow | undefined {
  const isId = image.row.id.startsWith(text) || image.row.id.startsWith(`sha256:${text}`)
  return isId ? images.indexMeantBy(image.row.id) : images.indexByReference(parseReference(text))
}

/** Undefined when none of those that are here serves the platform. */
export function bestVariant(images: ImageStore, index: IndexRow, platform: Platform): StoredImage | undefined {
  const ranked = images.variantsOf(index).flatMap((image) => {
    const distance = platformDistance(platform, platformOf(image))
    return distance === undefined ? [] : [{ image, distance }]
  })
  return ranked.sort((a, b) => a.distance - b.distance)[0]?.image
}

/** What the index means where no platform is named: the best for this machine, or else the first that is here. */
export function defaultVariant(images: ImageStore, index: IndexRow, host: Platform): StoredImage | undefined {
  return bestVariant(images, index, host) ?? images.variantsOf(index)[0]
}

/** What was known of an index and what has come, together. */
export function mergedIndex(known: IndexRow | undefined, fresh: IndexRow): IndexRow {
  if (known === undefined) return fresh
  const before = new Map(known.entries.map((entry) => [entry.descriptor.digest, entry]))
  // A nested index that only one of the two has seen makes its list the longer one.
  const longer = fresh.nestedDigests.length >= known.nestedDigests.length ? fresh : known
  const after = new Map(fresh.entries.map((entry) => [entry.descriptor.digest, entry]))
  const entries = longer.entries.map((entry) => {
    const { digest } = entry.descriptor
    return after.get(digest)?.content ? (after.get(digest) ?? entry) : (before.get(digest) ?? entry)
  })
  return { ...longer, entries, nestedDigests: [...new Set([...known.nestedDigests, ...fresh.nestedDigests])] }
}

/** Digests of all blobs that an index keeps. */
export function blobsOfIndex({ digest, nestedDigests, entries }: IndexRow): string[] {
  const manifests = entries.flatMap(({ descriptor, content }) =>
    content === undefined ? [] : [descriptor.digest, content.configDigest, ...content.layerDigests],
  )
  return [digest, ...nestedDigests, ...manifests]
}

/** Digests of the blobs that images and named indexes need. */
export function neededBlobs(images: ImageStore): Set<string> {
  const shown = images.rows().filter((row) => row.hidden !== true)
  return new Set([
    ...shown.flatMap((row) => [row.id, row.manifestDigest, ...row.blobDigests]),
    ...images
      .indexes()
      .filter(({ digest }) => images.namesOfIndex(digest).length > 0)
      .flatMap(blobsOfIndex),
  ])
}
