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
  parseReference,
  referenceInUse,
  repositoryOf,
  withDefaultTag,
} from '@dockerd-ts/core'
import type { WireDeleteItem } from '../wire-types.ts'
import { collect } from './collect.ts'
import { type ImageContext, publishImage } from './image-context.ts'
import type { StoredImage } from './image-store.ts'

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

export function removeImage(context: ImageContext, text: string, options: RemoveOptions): Removal {
  const { images } = context
  const image = images.find(text)
  const removal: Removal = { items: [], layers: [], blobs: [], swept: [] }
  const references = images.referencesOf(image.row.id)
  const isId = isIdPrefix(image.row.id, text)
  if (!isId) {
    const [user] = context.usage.containersOf(image.row.id)
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
