/**
 * Layers as directories that overlayfs uses as they are: `layers/<name>/diff`, one per chain id, unpacked once whoever
 * asks and however many ask at a time. Staged, synchronised, renamed, recorded, in this order; removed in the reverse.
 */
import { createHash, randomBytes } from 'node:crypto'
import { mkdir, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type ImageRecords, invalidArgument, type LayerRow } from '@dockerd-ts/core'
import { decompress, detectCompression } from '../archive/compression.ts'
import type { ContentStore } from '../content/content-store.ts'
import { makeDirectories, moveInto } from '../content/files.ts'
import { Pins } from '../content/pins.ts'
import { unpack } from './layer-program.ts'
import { Semaphore } from './semaphore.ts'
import type { RemoveTree } from './tree-removal.ts'

export interface LayerRequest {
  chainId: string
  diffId: string
  parentChainId?: string
  /** Digest of the blob in the content store, compressed or not. */
  blobDigest: string
  /** Bytes of the blob that have been read. */
  onBytes?: (total: number) => void
  signal?: AbortSignal
}

export interface LayerStoreOptions {
  root: string
  program: string
  records: ImageRecords
  content: ContentStore
  removeTree: RemoveTree
}

/** The disk and two cores are busy with three. */
const maxUnpacking = 3

export class LayerStore {
  /** By chain id. */
  readonly pins = new Pins()
  readonly #options: LayerStoreOptions
  readonly #running = new Map<string, Promise<LayerRow>>()
  readonly #slots = new Semaphore(maxUnpacking)

  constructor(options: LayerStoreOptions) {
    this.#options = options
  }

  get root(): string {
    return this.#options.root
  }

  get #staging(): string {
    return join(this.root, 'staging')
  }

  async prepare(): Promise<void> {
    await makeDirectories(this.root, this.#staging)
  }

  get(chainId: string): LayerRow | undefined {
    return this.#options.records.getLayer(chainId)
  }

  /** The layer's row; unpacks the blob when it is not there yet. Throws invalidArgument for a damaged layer. */
  async ensure(request: LayerRequest): Promise<LayerRow> {
    const known = this.get(request.chainId)
    if (known !== undefined) return known
    const running = this.#running.get(request.chainId)
    // The other's abort is not ours: then it is our turn.
    if (running !== undefined) return running.catch(() => this.ensure(request))
    const work = this.#slots.run(() => this.#unpack(request))
    this.#running.set(request.chainId, work)
    try {
      return await work
    } finally {
      this.#running.delete(request.chainId)
    }
  }

  async #unpack(request: LayerRequest): Promise<LayerRow> {
    const { records, removeTree } = this.#options
    const { chainId, diffId, parentChainId } = request
    const name = randomBytes(5).toString('hex')
    const staged = join(this.#staging, name)
    await mkdir(join(staged, 'diff'), { recursive: true, mode: 0o755 })
    try {
      const sizeBytes = await this.#fill(join(staged, 'diff'), request)
      await moveInto(staged, join(this.root, name))
      const row: LayerRow = {
        chainId,
        diffId,
        directory: `${name}/diff`,
        sizeBytes,
        ...(parentChainId !== undefined && { parentChainId }),
      }
      records.putLayer(row)
      return row
    } catch (error) {
      await removeTree(staged)
      throw error
    }
  }

  async #fill(directory: string, request: LayerRequest): Promise<number> {
    const { content, program } = this.#options
    const { diffId, blobDigest, onBytes, signal } = request
    const common = { program, directory, asLayer: true, ...(signal && { signal }) }
    // An uncompressed blob is its own diff: its digest is verified, so the program reads the file by itself.
    if (blobDigest === diffId && (await this.#isPlain(blobDigest))) {
      const { sizeBytes } = await unpack({ ...common, source: { path: content.path(blobDigest) } })
      onBytes?.(content.get(blobDigest)?.sizeBytes ?? 0)
      return sizeBytes
    }
    const hash = createHash('sha256')
    const plain = await decompress(counted(content.read(blobDigest), onBytes))
    const { sizeBytes } = await unpack({ ...common, source: { stream: hashed(plain, hash) } })
    const actual = `sha256:${hash.digest('hex')}`
    if (actual !== diffId) throw invalidArgument(`invalid diffID for layer: expected "${diffId}", got "${actual}"`)
    return sizeBytes
  }

  async #isPlain(digest: string): Promise<boolean> {
    for await (const chunk of this.#options.content.read(digest)) return detectCompression(chunk) === 'none'
    return true
  }

  /** Deletes the directory of a layer whose row is gone; already gone counts as done. */
  async deleteDirectory(row: LayerRow): Promise<void> {
    await this.#options.removeTree(join(this.root, row.directory.replace(/\/diff$/, '')))
  }

  /** After a crash: removes what has no row, and drops rows without a directory. Answers the lost chain ids. */
  async reconcile(): Promise<string[]> {
    const { records, removeTree } = this.#options
    await this.prepare()
    for (const name of await readdir(this.#staging)) await removeTree(join(this.#staging, name))
    const rows = records.listLayers()
    const names = new Set(rows.map((row) => row.directory.split('/')[0]))
    for (const name of await readdir(this.root)) {
      if (name !== 'staging' && !names.has(name)) await removeTree(join(this.root, name))
    }
    const lost: string[] = []
    for (const row of rows) {
      if (await isDirectory(join(this.root, row.directory))) continue
      records.deleteLayer(row.chainId)
      lost.push(row.chainId)
    }
    return lost
  }
}

async function isDirectory(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )
}

async function* counted(source: AsyncIterable<Buffer>, onBytes?: (total: number) => void): AsyncGenerator<Buffer> {
  let total = 0
  for await (const chunk of source) {
    total += chunk.length
    onBytes?.(total)
    yield chunk
  }
}

async function* hashed(source: AsyncIterable<Buffer>, hash: ReturnType<typeof createHash>): AsyncGenerator<Buffer> {
  for await (const chunk of source) {
    hash.update(chunk)
    yield chunk
  }
}
