/**
 * `DELETE /images/x`: what Docker's engine refuses, untags and deletes, in its order and words. Rows go at once; the
 * returned `swept` resolves when directories and files are gone too.
 */
import {
  type BlobRow,
  type DeleteConflict,
  familiarString,
  type ImageReference,
  imageDeleteConflict,
  type Platform,
  parseReference,
  referenceInUse,
  repositoryOf,
  withDefaultTag,
} from '@dockerd-ts/core'
import type { WireDeleteItem } from '../wire-types.ts'
import { collect } from './collect.ts'
import { type ImageContext, publishImage } from './image-context.ts'
import type { StoredImage } from './image-store.ts'
import { recordIndex } from './register-image.ts'
import { findImage, indexOf } from './variants.ts'

export interface Removal {
  items: WireDeleteItem[]
  /** Chain ids and bytes of the layers that went. */
  layers: { chainId: string; sizeBytes: number }[]
  blobs: BlobRow[]
  swept: Promise<unknown[]>[]
}

export interface RemoveOptions {
  force: boolean
  noPrune: boolean
}

/**
 * `DELETE /images/x?platforms=`: only those variants of an index; the name stays as long as one is left. For an image
 * of one platform this is its removal. Throws notFound for a platform that is not here.
 */
export function removePlatforms(
  context: ImageContext,
  text: string,
  { platforms, host, ...options }: RemoveOptions & { platforms: readonly Platform[]; host: Platform },
): Removal {
  const { images } = context
  const wanted = [...new Set(platforms.map((platform) => findImage(images, text, platform)))]
  const index = indexOf(images, text, images.find(text))
  if (index === undefined || wanted.length === images.variantsOf(index).length) {
    return removeImage(context, text, options)
  }
  const removal: Removal = { items: [], layers: [], blobs: [], swept: [] }
  for (const image of wanted) {
    const conflict = findConflict(context, image, { force: options.force, ignoreReferences: true })
    if (conflict !== undefined) throw imageDeleteConflict(image.row.id, conflict)
  }
  for (const image of wanted) {
    images.transaction(() => {
      images.forgetVariant(image.row.id)
      const row = images.index(index.digest)
      if (row !== undefined) recordIndex(images, { row, host, references: [] })
    })
    if (images.namesOf(image.row.id).length > 0) continue
    deleteImage(context, image, { ...options, quiet: true, removal })
  }
  return removal
}

export function removeImage(context: ImageContext, text: string, options: RemoveOptions): Removal {
  const { images } = context
  const image = images.find(text)
  const removal: Removal = { items: [], layers: [], blobs: [], swept: [] }
  const references = images.referencesOf(image.row.id)
  const isId = isIdPrefix(image.row.id, text)
  // Other platforms of its index, which go when no name of the index is left.
  const companions = images.indexesOf(image.row.id).flatMap((index) => images.variantsOf(index))
  if (!isId) {
    const [user] = [image, ...companions].flatMap(({ row }) => context.usage.containersOf(row.id))
    if (!options.force && isSingleReference(references) && user !== undefined) {
      throw referenceInUse(text, user.id, image.row.id)
    }
    if (untagByName(context, image, { text, removal })) return removal
  } else if (isSingleReference(references)) {
    const conflict = findConflict(context, image, { force: options.force, ignoreReferences: true })
    if (conflict !== undefined) throw imageDeleteConflict(image.row.id, conflict)
    for (const reference of references) untag(context, image, { reference, removal, publish: true })
  }
  deleteImage(context, image, { ...options, quiet: !isId, removal })
  for (const { row } of companions) {
    const companion = images.get(row.id)
    if (companion === undefined || images.namesOf(row.id).length > 0) continue
    deleteImage(context, companion, { ...options, quiet: true, removal })
  }
  return removal
}

function isIdPrefix(id: string, text: string): boolean {
  return id.startsWith(text) || id.slice('sha256:'.length).startsWith(text)
}

/** One tag at most, and nothing from another repository. */
function isSingleReference(references: readonly ImageReference[]): boolean {
  if (references.length <= 1) return true
  const tags = references.filter(({ digest }) => digest === undefined)
  if (tags.length > 1) return false
  const names = new Set(references.filter(({ digest }) => digest !== undefined).map(repositoryOf))
  const single = tags[0] ?? references[0]
  return names.size === 1 && single !== undefined && names.has(repositoryOf(single))
}

interface Untagging {
  reference: ImageReference
  removal: Removal
  publish: boolean
}

function untag(context: ImageContext, image: StoredImage, { reference, removal, publish }: Untagging): void {
  context.images.deleteReference(reference)
  if (publish) publishImage(context, { action: 'untag', imageId: image.row.id })
  removal.items.push({ Untagged: familiarString(reference) })
}

/** Removes the name, and digests of the repository that no tag holds any more. True: other names are left. */
function untagByName(context: ImageContext, image: StoredImage, request: { text: string; removal: Removal }): boolean {
  const { images } = context
  const parsed = parseReference(request.text)
  const { domain, path, digest } = parsed
  const reference = digest === undefined ? withDefaultTag(parsed) : { domain, path, digest }
  untag(context, image, { reference, removal: request.removal, publish: true })
  const sameRepository = (other: ImageReference) => repositoryOf(other) === repositoryOf(reference)
  const left = images.referencesOf(image.row.id)
  const hasTag = left.some((other) => other.digest === undefined && sameRepository(other))
  if (digest === undefined && !hasTag) {
    for (const other of left.filter(sameRepository)) {
      untag(context, image, { reference: other, removal: request.removal, publish: false })
    }
  }
  return images.referencesOf(image.row.id).length > 0
}

/** The first reason against deleting. `force` overrules stopped containers and names, nothing else. */
function findConflict(
  { images, usage }: ImageContext,
  image: StoredImage,
  { force, ignoreReferences }: { force: boolean; ignoreReferences: boolean },
): DeleteConflict | undefined {
  const { id } = image.row
  if (images.childrenOf(id).length > 0) return { kind: 'dependents' }
  const containers = usage.containersOf(id)
  const running = containers.find((container) => container.running)
  if (running !== undefined) return { kind: 'running', containerId: running.id }
  if (force) return undefined
  if (!ignoreReferences && images.referencesOf(id).length > 0) return { kind: 'repositories' }
  const stopped = containers[0]
  return stopped === undefined ? undefined : { kind: 'stopped', containerId: stopped.id }
}

interface Deletion extends RemoveOptions {
  /** A name was removed, or this is a parent: a conflict ends it without an error. */
  quiet: boolean
  removal: Removal
}

function deleteImage(context: ImageContext, image: StoredImage, deletion: Deletion): void {
  const { images } = context
  const { id, parentId, chainIds } = image.row
  const conflict = findConflict(context, image, { force: deletion.force, ignoreReferences: false })
  if (conflict !== undefined) {
    const isDangling = images.referencesOf(id).length === 0 && images.childrenOf(id).length === 0
    const isUsed = conflict.kind === 'running' || conflict.kind === 'stopped'
    if (deletion.quiet && (!isDangling || isUsed)) return
    throw imageDeleteConflict(id, conflict)
  }
  for (const reference of images.referencesOf(id)) {
    untag(context, image, { reference, removal: deletion.removal, publish: true })
  }
  publishImage(context, { action: 'delete', imageId: id })
  images.forgetVariant(id)
  if (context.usage.containersOf(id).length > 0) images.put({ ...image.row, hidden: true })
  else images.delete(id)
  deletion.removal.items.push({ Deleted: id })
  const collected = collect(context, [...chainIds].reverse())
  for (const { chainId, sizeBytes } of collected.layers) {
    deletion.removal.items.push({ Deleted: chainId })
    deletion.removal.layers.push({ chainId, sizeBytes })
  }
  deletion.removal.blobs.push(...collected.blobs)
  deletion.removal.swept.push(collected.swept)
  const parent = parentId === undefined ? undefined : images.get(parentId)
  if (!deletion.noPrune && parent !== undefined) {
    deleteImage(context, parent, { ...deletion, force: false, quiet: true })
  }
}
