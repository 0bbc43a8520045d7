/**
 * Images, indexes and their names, in memory and written through: what a reference means, which references an image has.
 * Rows that are hidden (removed by force under a container) are found by `row` only.
 */
import {
  familiarName,
  type ImageRecords,
  type ImageReference,
  type ImageRow,
  type IndexEntry,
  type IndexRow,
  invalidArgument,
  noSuchImage,
  parseReference,
  storedReference,
} from '@dockerd-ts/core'
import { type ImageDocument, parseImageConfig } from '../oci/documents.ts'
import { attestedDigest } from './attested-digest.ts'

export interface StoredImage {
  row: ImageRow
  document: ImageDocument
}

interface Name {
  reference: ImageReference
  imageId: string
  /** The name means this index, of which the image is one variant. */
  indexDigest?: string
}

export class ImageStore {
  readonly records: ImageRecords
  #images = new Map<string, StoredImage>()
  #references = new Map<string, Name>()
  #indexes = new Map<string, IndexRow>()
  #loaded = false

  constructor(records: ImageRecords) {
    this.records = records
  }

  #load(): void {
    if (this.#loaded) return
    this.#images = new Map()
    for (const row of this.records.listImages()) {
      this.#images.set(row.id, { row, document: parseImageConfig(row.configJson) })
    }
    this.#references = new Map()
    for (const { reference, ...row } of this.records.listReferences()) {
      this.#references.set(reference, { reference: parseReference(reference), ...row })
    }
    this.#indexes = new Map(this.records.listIndexes().map((row) => [row.digest, row]))
    this.#loaded = true
  }

  /** All or nothing, in the database and in memory. */
  transaction(work: () => void): void {
    try {
      this.records.transaction(work)
    } catch (error) {
      this.#loaded = false
      throw error
    }
  }

  /** Forgets what is in memory; the next question reads the rows again. */
  reload(): void {
    this.#loaded = false
  }

  list(): StoredImage[] {
    this.#load()
    return [...this.#images.values()].filter(({ row }) => row.hidden !== true)
  }

  /** Hidden ones too. */
  rows(): ImageRow[] {
    this.#load()
    return [...this.#images.values()].map(({ row }) => row)
  }

  row(id: string): ImageRow | undefined {
    this.#load()
    return this.#images.get(id)?.row
  }

  get(id: string): StoredImage | undefined {
    this.#load()
    const image = this.#images.get(id)
    return image?.row.hidden === true ? undefined : image
  }

  put(row: ImageRow): StoredImage {
    this.#load()
    const image = { row, document: parseImageConfig(row.configJson) }
    this.records.putImage(row)
    this.#images.set(row.id, image)
    return image
  }

  delete(id: string): void {
    this.#load()
    this.records.deleteImage(id)
    this.#images.delete(id)
  }

  /** Throws invalidArgument for `sha256:tag`, which would read as a digest. */
  setReference(reference: ImageReference, imageId: string, indexDigest?: string): void {
    if (reference.tag !== undefined && familiarName(reference) === 'sha256') {
      throw invalidArgument('refusing to create an ambiguous tag using digest algorithm as name')
    }
    this.#load()
    const key = storedReference(reference)
    this.records.setReference(key, imageId, indexDigest)
    const index = indexDigest === undefined ? {} : { indexDigest }
    this.#references.set(key, { reference: parseReference(key), imageId, ...index })
  }

  deleteReference(reference: ImageReference): void {
    this.#load()
    const key = storedReference(reference)
    this.records.deleteReference(key)
    this.#references.delete(key)
  }

  indexes(): IndexRow[] {
    this.#load()
    return [...this.#indexes.values()]
  }

  index(digest: string): IndexRow | undefined {
    this.#load()
    return this.#indexes.get(digest)
  }

  putIndex(row: IndexRow): void {
    this.#load()
    this.records.putIndex(row)
    this.#indexes.set(row.digest, row)
  }

  deleteIndex(digest: string): void {
    this.#load()
    this.records.deleteIndex(digest)
    this.#indexes.delete(digest)
  }

  /** Its blobs, and what is attested about it, need not be kept for an index any more. */
  forgetVariant(imageId: string): void {
    for (const index of this.indexes()) {
      if (!index.entries.some(({ content }) => content?.configDigest === imageId)) continue
      const isIts = ({ content }: IndexEntry) => content?.configDigest === imageId
      const manifests = index.entries.filter(isIts).map(({ descriptor }) => descriptor.digest)
      const isAbout = ({ descriptor }: IndexEntry) => manifests.includes(attestedDigest(descriptor) ?? '')
      const entries = index.entries.map((entry) =>
        isIts(entry) || isAbout(entry) ? { descriptor: entry.descriptor } : entry,
      )
      this.putIndex({ ...index, entries })
    }
  }

  /** The names that mean an index. */
  namesOfIndex(digest: string): Name[] {
    this.#load()
    return [...this.#references.values()].filter(({ indexDigest }) => indexDigest === digest)
  }

  /** The one that the image's own names mean; undefined when they mean several, or none. */
  indexMeantBy(imageId: string): IndexRow | undefined {
    this.#load()
    const names = [...this.#references.values()].filter((name) => name.imageId === imageId)
    const digests = new Set(names.flatMap(({ indexDigest }) => indexDigest ?? []))
    const [digest] = digests
    return digest !== undefined && digests.size === 1 ? this.index(digest) : undefined
  }

  /** Those that have a name and the image among their manifests. */
  indexesOf(imageId: string): IndexRow[] {
    return this.indexes().filter(
      ({ digest, entries }) =>
        entries.some(({ content }) => content?.configDigest === imageId) && this.namesOfIndex(digest).length > 0,
    )
  }

  /** Images that are here of an index, in its order. */
  variantsOf({ entries }: IndexRow): StoredImage[] {
    const ids = new Set(entries.flatMap(({ content }) => content?.configDigest ?? []))
    return [...ids].flatMap((id) => this.get(id) ?? [])
  }

  indexByReference(reference: ImageReference): IndexRow | undefined {
    this.#load()
    const digest = this.#references.get(storedReference(reference))?.indexDigest
    return digest === undefined ? undefined : this.index(digest)
  }

  /** Its own names, and those of indexes that it is a variant of. */
  namesOf(imageId: string): ImageReference[] {
    const indexes = new Set(this.indexesOf(imageId).map(({ digest }) => digest))
    return this.#sortedReferences(
      (name) => name.imageId === imageId || (name.indexDigest !== undefined && indexes.has(name.indexDigest)),
    )
  }

  /** The image that a name means; undefined when there is none. */
  byReference(reference: ImageReference): StoredImage | undefined {
    this.#load()
    const imageId = this.#references.get(storedReference(reference))?.imageId
    return imageId === undefined ? undefined : this.get(imageId)
  }

  /** In the order in which Docker lists them. */
  referencesOf(imageId: string): ImageReference[] {
    return this.#sortedReferences((entry) => entry.imageId === imageId)
  }

  referencesByName(name: ImageReference): Name[] {
    this.#load()
    const keys = [...this.#references.keys()].sort()
    return keys
      .flatMap((key) => this.#references.get(key) ?? [])
      .filter(({ reference }) => reference.domain === name.domain && reference.path === name.path)
  }

  /** References of all images at once, for lists. */
  referencesByImage(): Map<string, ImageReference[]> {
    this.#load()
    const found = new Map<string, ImageReference[]>()
    for (const key of [...this.#references.keys()].sort()) {
      const entry = this.#references.get(key)
      if (entry === undefined) continue
      const list = found.get(entry.imageId)
      if (list === undefined) found.set(entry.imageId, [entry.reference])
      else list.push(entry.reference)
    }
    return found
  }

  /** Names of images that are not here: only an error makes them. */
  strayReferences(): { name: string; reference: ImageReference; imageId: string }[] {
    this.#load()
    return [...this.#references]
      .filter(([, { imageId }]) => !this.#images.has(imageId))
      .map(([name, { reference, imageId }]) => ({ name, reference, imageId }))
  }

  #sortedReferences(wanted: (entry: Name) => boolean): ImageReference[] {
    this.#load()
    const entries = [...this.#references].filter(([, entry]) => wanted(entry))
    return entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, { reference }]) => reference)
  }

  childrenOf(imageId: string): StoredImage[] {
    return this.list().filter(({ row }) => row.parentId === imageId)
  }

  /** An id, or a unique beginning of one, with or without `sha256:`. */
  byIdPrefix(text: string): StoredImage | undefined {
    const hex = text.replace(/^sha256:/, '')
    if (!/^[a-f0-9]{1,64}$/.test(hex)) return undefined
    if (hex.length === 64) return this.get(`sha256:${hex}`)
    const found = this.list().filter(({ row }) => row.id.startsWith(`sha256:${hex}`))
    return found.length === 1 ? found[0] : undefined
  }

  /** Docker's order: a full id, a name, the beginning of an id. Throws notFound or invalidArgument. */
  find(text: string): StoredImage {
    if (/^(?:sha256:)?[a-f0-9]{64}$/.test(text)) {
      const id = text.startsWith('sha256:') ? text : `sha256:${text}`
      const image = this.get(id)
      if (image === undefined) throw noSuchImage(id)
      return image
    }
    const reference = parseReference(text)
    const image = this.byReference(reference) ?? this.byIdPrefix(text)
    if (image === undefined) throw noSuchImage(reference)
    return image
  }
}
