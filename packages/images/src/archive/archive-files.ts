/**
 * The first pass over an archive of images: every file goes to the content store's staging, hashed on the way, so that
 * nothing is held in memory and the order of the archive does not matter.
 */
import { readFile } from 'node:fs/promises'
import { posix } from 'node:path'
import { invalidArgument } from '@dockerd-ts/core'
import type { ContentStore } from '../content/content-store.ts'
import type { StagedBlob } from '../content/staged-blob.ts'
import { documentLimitBytes } from '../oci/documents.ts'
import { defaultTarLimits, readTar, type TarEntry, type TarLimits } from '../tar/reader.ts'
import { fileContent } from '../tar/sparse.ts'

type ArchiveFile =
  | { kind: 'staged'; blob: StagedBlob }
  | { kind: 'stored'; digest: string }
  | { kind: 'link'; target: string }

const limits: TarLimits = { ...defaultTarLimits, entries: 100_000 }
/** A layer that appears larger than this is a sparse file that lies. */
const fileLimitBytes = 2 ** 43
const maxLinkHops = 8

export class ArchiveFiles {
  readonly #content: ContentStore
  readonly #files = new Map<string, ArchiveFile>()
  readonly #releases: (() => void)[] = []

  readonly #staged: (blob: StagedBlob) => void

  /** `staged` is told of each new file while the others are still being read. */
  constructor(content: ContentStore, staged: (blob: StagedBlob) => void) {
    this.#content = content
    this.#staged = staged
  }

  /** Reads the whole (uncompressed) archive. Later entries replace earlier ones of the same name. */
  async stage(archive: AsyncIterable<Buffer>): Promise<void> {
    for await (const entry of readTar(archive, limits)) {
      const name = cleanName(entry.header.name)
      const file = await this.#stageEntry(name, entry)
      if (file === undefined) continue
      await this.#discard(this.#files.get(name))
      this.#files.set(name, file)
    }
  }

  async #stageEntry(name: string, { header, body }: TarEntry): Promise<ArchiveFile | undefined> {
    if (header.type === 'symlink')
      return { kind: 'link', target: cleanName(posix.join(posix.dirname(name), header.linkName)) }
    if (header.type === 'link') return { kind: 'link', target: cleanName(header.linkName) }
    if (header.type !== 'file') return undefined
    const digest = digestOfName(name)
    if (digest !== undefined && this.#content.has(digest)) {
      // It is here already and verified: the archive's copy is passed over.
      this.#releases.push(this.#content.pins.add(digest))
      return { kind: 'stored', digest }
    }
    const blob = await this.#content.stage(fileContent(header, body), {
      limitBytes: fileLimitBytes,
      ...(digest !== undefined && { digest }),
    })
    this.#staged(blob)
    return { kind: 'staged', blob }
  }

  has(name: string): boolean {
    return this.#resolve(name) !== undefined
  }

  hasBlob(digest: string): boolean {
    return this.has(blobName(digest))
  }

  #resolve(name: string): Exclude<ArchiveFile, { kind: 'link' }> | undefined {
    let file = this.#files.get(cleanName(name))
    for (let hop = 0; hop < maxLinkHops && file?.kind === 'link'; hop++) file = this.#files.get(file.target)
    return file?.kind === 'link' ? undefined : file
  }

  #require(name: string): Exclude<ArchiveFile, { kind: 'link' }> {
    const file = this.#resolve(name)
    if (file === undefined) throw invalidArgument(`invalid archive: ${name}: no such file or directory`)
    return file
  }

  digest(name: string): string {
    const file = this.#require(name)
    return file.kind === 'staged' ? file.blob.digest : file.digest
  }

  /** A small document of the archive. */
  async read(name: string): Promise<Buffer> {
    const file = this.#require(name)
    if (file.kind === 'stored') return this.#content.readSmall(file.digest, documentLimitBytes)
    if (file.blob.sizeBytes > documentLimitBytes) {
      throw invalidArgument(`invalid archive: ${name} is larger than ${documentLimitBytes} bytes`)
    }
    return readFile(file.blob.path)
  }

  readBlob(digest: string): Promise<Buffer> {
    return this.read(blobName(digest))
  }

  /** Takes the file into the content store and keeps it from collection until `close`. */
  async keep(name: string, mediaType: string): Promise<string> {
    const file = this.#require(name)
    if (file.kind === 'stored') return file.digest
    const { digest } = file.blob
    this.#releases.push(this.#content.pins.add(digest))
    await this.#content.commit(file.blob, mediaType)
    for (const [key, other] of this.#files) {
      if (other === file) this.#files.set(key, { kind: 'stored', digest })
    }
    return digest
  }

  keepBlob(digest: string, mediaType: string): Promise<string> {
    return this.keep(blobName(digest), mediaType)
  }

  async #discard(file: ArchiveFile | undefined): Promise<void> {
    if (file?.kind === 'staged') await this.#content.discard(file.blob)
  }

  /** Deletes what was not kept. */
  async close(): Promise<void> {
    for (const file of this.#files.values()) await this.#discard(file)
    for (const release of this.#releases) release()
  }
}

/** Names are only looked up, never used as paths on disk; `..` stays where it is and matches nothing. */
const cleanName = (name: string) => posix.normalize(name).replace(/^(?:\.?\/)+/, '')
const blobName = (digest: string) => `blobs/${digest.replace(':', '/')}`

function digestOfName(name: string): string | undefined {
  const match = /^blobs\/sha256\/([a-f0-9]{64})$/.exec(name)
  return match === null ? undefined : `sha256:${match[1]}`
}
