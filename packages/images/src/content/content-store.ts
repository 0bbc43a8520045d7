/**
 * Blobs by digest: `content/blobs/sha256/<hex>`. A blob is hashed while it is written to staging; only when the digest is
 * known to be right is it renamed to its digest and then recorded. What a crash leaves in staging is rubbish. When a blob
 * reaches the disk is Durability's matter.
 */
import { createHash, randomBytes } from 'node:crypto'
import { createReadStream, renameSync } from 'node:fs'
import { open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type BlobRow, crashPoint, type ImageRecords, internal, invalidArgument } from '@dockerd-ts/core'
import type { Durability } from './durability.ts'
import { BatchedWriter, hasCode, makeDirectories } from './files.ts'
import { PartialBlobs } from './partial-blobs.ts'
import { Pins } from './pins.ts'
import type { StagedBlob } from './staged-blob.ts'

export interface StageOptions {
  /** Throws invalidArgument when the content has another digest. */
  digest?: string
  /** More is refused while it streams. */
  limitBytes?: number
  onBytes?: (total: number) => void
}

export class ContentStore {
  /** By digest. */
  readonly pins = new Pins()
  readonly #root: string
  readonly #records: ImageRecords
  readonly #durability: Durability
  /** Downloads that can go on. */
  readonly partial: PartialBlobs
  /** Files that are being written, moved or deleted: theirs are the names in staging, and blobs before their row. */
  readonly #busy = new Set<string>()

  constructor(root: string, records: ImageRecords, durability: Durability) {
    this.#root = root
    this.#records = records
    this.#durability = durability
    this.partial = new PartialBlobs(join(root, 'partial'))
  }

  get stagingDirectory(): string {
    return join(this.#root, 'staging')
  }

  get #blobDirectory(): string {
    return join(this.#root, 'blobs', 'sha256')
  }

  async prepare(): Promise<void> {
    await makeDirectories(this.stagingDirectory, this.#blobDirectory)
  }

  path(digest: string): string {
    return join(this.#blobDirectory, digest.replace(/^sha256:/, ''))
  }

  has(digest: string): boolean {
    return this.#records.getBlob(digest) !== undefined
  }

  get(digest: string): BlobRow | undefined {
    return this.#records.getBlob(digest)
  }

  #stagingPath(): string {
    const path = join(this.stagingDirectory, randomBytes(8).toString('hex'))
    this.#busy.add(path)
    return path
  }

  /** Files of the store that no row tells of yet, or any more. */
  busyFiles(): string[] {
    return [...this.#busy]
  }

  /** Deletes a staged file that is not wanted. */
  async discard({ path }: Pick<StagedBlob, 'path'>): Promise<void> {
    await rm(path, { force: true }).finally(() => this.#busy.delete(path))
  }

  /** Writes a stream to staging. On an error nothing is left. */
  async stage(source: AsyncIterable<Buffer>, options: StageOptions = {}): Promise<StagedBlob> {
    const path = this.#stagingPath()
    const hash = createHash('sha256')
    const limitBytes = options.limitBytes ?? Number.MAX_SAFE_INTEGER
    const handle = await open(path, 'wx', 0o600)
    const writer = new BatchedWriter(handle)
    let sizeBytes = 0
    try {
      for await (const chunk of source) {
        sizeBytes += chunk.length
        if (sizeBytes > limitBytes) throw invalidArgument(`content is larger than ${limitBytes} bytes`)
        hash.update(chunk)
        await writer.write(chunk)
        options.onBytes?.(sizeBytes)
      }
      await writer.flush()
      await handle.close()
      const digest = `sha256:${hash.digest('hex')}`
      if (options.digest !== undefined && options.digest !== digest) {
        throw invalidArgument(`content does not match its digest: expected ${options.digest}, got ${digest}`)
      }
      return { path, digest, sizeBytes }
    } catch (error) {
      await writer.flush().catch(() => {})
      await handle.close().catch(() => {})
      await this.discard({ path })
      throw error
    }
  }

  /** Takes a staged file into the store; its digest has been computed while it was written. */
  async commit(staged: StagedBlob, mediaType: string, source?: string): Promise<BlobRow> {
    const known = this.get(staged.digest)
    if (known !== undefined) {
      // Before the wait: after it the row may be gone, and must not come back without its file.
      const row = this.#addSource(known, source)
      await this.discard(staged)
      return row
    }
    crashPoint('blob:staged')
    const path = this.path(staged.digest)
    this.#busy.add(path)
    try {
      await this.#durability.record(() => rename(staged.path, path))
    } finally {
      this.#busy.delete(path)
    }
    this.#busy.delete(staged.path)
    crashPoint('blob:moved')
    const row = {
      digest: staged.digest,
      mediaType,
      sizeBytes: staged.sizeBytes,
      sources: source === undefined ? [] : [source],
    }
    this.#records.putBlob(row)
    crashPoint('blob:recorded')
    return row
  }

  #addSource(row: BlobRow, source: string | undefined): BlobRow {
    if (source === undefined || row.sources.includes(source)) return row
    // The newest ones: a base image can come from any number of repositories.
    const grown = { ...row, sources: [...row.sources.slice(-15), source] }
    this.#records.putBlob(grown)
    return grown
  }

  /** Notes that a repository has the blob, for cross-repository mounts. */
  addSource(digest: string, source: string): void {
    const row = this.get(digest)
    if (row !== undefined) this.#addSource(row, source)
  }

  /** A document that is at hand: manifests, configurations. */
  async put(data: Buffer, mediaType: string, source?: string): Promise<BlobRow> {
    const digest = `sha256:${createHash('sha256').update(data).digest('hex')}`
    const known = this.get(digest)
    if (known !== undefined) return this.#addSource(known, source)
    return this.commit(await this.stage(only(data), {}), mediaType, source)
  }

  read(digest: string): AsyncIterable<Buffer> {
    return createReadStream(this.path(digest), { highWaterMark: 1024 * 1024 })
  }

  /** `size` is bounded by the caller, and within the blob. */
  async readRange(digest: string, from: number, size: number): Promise<Buffer> {
    const handle = await open(this.path(digest), 'r')
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(size), 0, size, from)
      if (bytesRead !== size) throw internal(`blob ${digest} is shorter than it was`)
      return buffer
    } finally {
      await handle.close()
    }
  }

  async readSmall(digest: string, limitBytes: number): Promise<Buffer> {
    const path = this.path(digest)
    const { size } = await stat(path)
    if (size > limitBytes) throw internal(`blob ${digest} is larger than ${limitBytes} bytes`)
    return readFile(path)
  }

  /**
   * Deletes the file of a blob whose row is gone; already gone counts as done. It is moved aside before anything is
   * awaited: the same digest may come again at once, under its own name.
   */
  deleteFile(digest: string): Promise<void> {
    const path = this.#stagingPath()
    try {
      renameSync(this.path(digest), path)
    } catch (error) {
      this.#busy.delete(path)
      return hasCode(error, 'ENOENT') ? Promise.resolve() : Promise.reject(error)
    }
    return this.discard({ path })
  }

  /**
   * After a crash: empties staging, drops files without a row and rows without a file. After a power cut what is as new as
   * `suspectSinceMs` is read and verified. Answers the lost digests.
   */
  async reconcile(suspectSinceMs?: number): Promise<string[]> {
    await this.prepare()
    for (const name of await readdir(this.stagingDirectory)) {
      await rm(join(this.stagingDirectory, name), { recursive: true, force: true })
    }
    await this.partial.reclaim((digest) => this.has(digest))
    const rows = new Map(this.#records.listBlobs().map((row) => [row.digest, row]))
    for (const name of await readdir(this.#blobDirectory)) {
      if (!rows.has(`sha256:${name}`)) await rm(join(this.#blobDirectory, name), { recursive: true, force: true })
    }
    const lost: string[] = []
    for (const row of rows.values()) {
      if (await this.#isWhole(row, suspectSinceMs)) continue
      this.#records.deleteBlob(row.digest)
      await this.deleteFile(row.digest)
      lost.push(row.digest)
    }
    return lost
  }

  async #isWhole(row: BlobRow, suspectSinceMs = Number.POSITIVE_INFINITY): Promise<boolean> {
    try {
      const { size, mtimeMs } = await stat(this.path(row.digest))
      if (size !== row.sizeBytes) return false
      return mtimeMs < suspectSinceMs || (await this.#digestOf(row.digest)) === row.digest
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return false
      throw error
    }
  }

  async #digestOf(digest: string): Promise<string> {
    const hash = createHash('sha256')
    for await (const chunk of this.read(digest)) hash.update(chunk)
    return `sha256:${hash.digest('hex')}`
  }
}

async function* only(data: Buffer): AsyncGenerator<Buffer> {
  yield data
}
