/**
 * Layers as directories that overlayfs uses as they are: `layers/<name>/diff`, one per chain id, unpacked once whoever
 * asks and however many ask at a time. Staged, renamed, recorded, in this order; removed in the reverse.
 */
import { randomBytes } from 'node:crypto'
import { mkdir, readdir, rename, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { crashPoint, type ImageRecords, invalidArgument, type LayerRow } from '@dockerd-ts/core'
import type { ContentStore } from '../content/content-store.ts'
import type { Durability } from '../content/durability.ts'
import { makeDirectories } from '../content/files.ts'
import { Pins } from '../content/pins.ts'
import type { LayerJobs } from './layer-jobs.ts'
import { Semaphore } from './semaphore.ts'
import type { RemoveTree } from './tree-removal.ts'
import { type LayerSource, looksLikeLayer, unpackBlob } from './unpack-blob.ts'

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
  jobs: LayerJobs
  records: ImageRecords
  content: ContentStore
  durability: Durability
  removeTree: RemoveTree
}

interface Unpacked {
  /** In staging. */
  name: string
  diffId: string
  sizeBytes: number
}

/** The disk and two cores are busy with three. */
const maxUnpacking = 3

export class LayerStore {
  /** By chain id. */
  readonly pins = new Pins()
  readonly #options: LayerStoreOptions
  readonly #running = new Map<string, Promise<LayerRow>>()
  /** Directory names below the root, or staging/…, of which no row tells yet, or any more. */
  readonly #busy = new Set<string>()
  /** Where lost layers were: containers know them by this name, so they are to come back under it. */
  readonly #formerNames = new Map<string, string>()
  readonly #slots = new Semaphore(maxUnpacking)
  /** By the blob's digest. */
  readonly #early = new Map<string, Promise<Unpacked | undefined>>()

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
    const work = this.#obtain(request)
    this.#running.set(request.chainId, work)
    try {
      return await work
    } finally {
      this.#running.delete(request.chainId)
    }
  }

  async #obtain(request: LayerRequest): Promise<LayerRow> {
    const { content } = this.#options
    const { blobDigest, diffId, onBytes, signal } = request
    const early = await this.#takeEarly(blobDigest)
    onBytes?.(early === undefined ? 0 : (content.get(blobDigest)?.sizeBytes ?? 0))
    const path = content.path(blobDigest)
    const unpacked = early ?? (await this.#slots.run(() => this.#unpack({ path, digest: blobDigest, onBytes, signal })))
    try {
      if (unpacked.diffId === diffId) return await this.#record(request, unpacked)
      throw invalidArgument(`invalid diffID for layer: expected "${diffId}", got "${unpacked.diffId}"`)
    } catch (error) {
      await this.#discard(unpacked.name)
      throw error
    }
  }

  async #discard(stagedName: string): Promise<void> {
    await this.#options.removeTree(join(this.#staging, stagedName))
    this.#busy.delete(`staging/${stagedName}`)
  }

  async #record({ chainId, diffId, parentChainId }: LayerRequest, unpacked: Unpacked): Promise<LayerRow> {
    crashPoint('layer:unpacked')
    const name = this.#formerNames.get(chainId) ?? unpacked.name
    this.#busy.add(name)
    try {
      const staged = join(this.#staging, unpacked.name)
      await this.#options.durability.record(() => rename(staged, join(this.root, name)))
    } finally {
      this.#busy.delete(name)
    }
    this.#busy.delete(`staging/${unpacked.name}`)
    crashPoint('layer:moved')
    const parent = parentChainId === undefined ? {} : { parentChainId }
    const row: LayerRow = { chainId, diffId, directory: `${name}/diff`, sizeBytes: unpacked.sizeBytes, ...parent }
    this.#options.records.putLayer(row)
    this.#formerNames.delete(chainId)
    crashPoint('layer:recorded')
    return row
  }

  /** Into a new directory in staging. On an error nothing is left. */
  async #unpack(source: LayerSource): Promise<Unpacked> {
    const name = randomBytes(5).toString('hex')
    const directory = join(this.#staging, name, 'diff')
    this.#busy.add(`staging/${name}`)
    try {
      await mkdir(directory, { recursive: true, mode: 0o755 })
      return { name, ...(await unpackBlob(this.#options, directory, source)) }
    } catch (error) {
      await this.#discard(name)
      throw error
    }
  }

  /**
   * Begins with a blob before it is known which layer it is: an archive names its layers in the end. Files that look like
   * no layer are let be, and an error is left to who asks for the layer. Until `dropEarly`.
   */
  unpackEarly({ path, digest }: { path: string; digest: string }): void {
    if (this.#early.has(digest)) return
    const work = this.#slots.run(async () => {
      // The blob may have got its name while this waited.
      const at = (await isFile(path)) ? path : this.#options.content.path(digest)
      return (await looksLikeLayer(at)) ? this.#unpack({ path: at, digest }) : undefined
    })
    this.#early.set(
      digest,
      work.catch(() => undefined),
    )
  }

  async #takeEarly(digest: string): Promise<Unpacked | undefined> {
    const early = this.#early.get(digest)
    // Taken once: the same blob can be two layers of an image.
    this.#early.set(digest, Promise.resolve(undefined))
    if (early === undefined) this.#early.delete(digest)
    return early
  }

  /** Removes what was unpacked early and not used. */
  async dropEarly(digests: Iterable<string>): Promise<void> {
    for (const digest of digests) {
      // Out of the map before the wait: whoever takes it from there has it for itself.
      const early = this.#early.get(digest)
      this.#early.delete(digest)
      const unused = await early
      if (unused !== undefined) await this.#discard(unused.name)
    }
  }

  /** Of the directory around the layer, whose times are no archive's. */
  async #changedAtMs(row: LayerRow): Promise<number> {
    return (await stat(dirname(join(this.root, row.directory)))).ctimeMs
  }

  /** Deletes the directory of a layer whose row is gone; already gone counts as done. */
  async deleteDirectory(row: LayerRow): Promise<void> {
    const name = directoryName(row)
    this.#busy.add(name)
    await this.#options.removeTree(join(this.root, name)).finally(() => this.#busy.delete(name))
  }

  busyDirectories(): string[] {
    return [...this.#busy]
  }

  /** Drops the row of a layer whose directory is gone; unpacked again, it comes back under the same name. */
  lose(row: LayerRow): void {
    this.#options.records.deleteLayer(row.chainId)
    this.#formerNames.set(row.chainId, directoryName(row))
  }

  /**
   * After a crash: removes what has no row, and drops rows without a directory. After a power cut what is as new as
   * `suspectSinceMs` is dropped too, to be unpacked again. Answers the lost chain ids.
   */
  async reconcile(suspectSinceMs = Number.POSITIVE_INFINITY): Promise<string[]> {
    const { records, removeTree } = this.#options
    await this.prepare()
    for (const name of await readdir(this.#staging)) await removeTree(join(this.#staging, name))
    const rows = records.listLayers()
    const names = new Set(rows.map(directoryName))
    for (const name of await readdir(this.root)) {
      if (name !== 'staging' && !names.has(name)) await removeTree(join(this.root, name))
    }
    const lost: string[] = []
    for (const row of rows) {
      const whole = await isDirectory(join(this.root, row.directory))
      if (whole && (await this.#changedAtMs(row)) < suspectSinceMs) continue
      this.lose(row)
      await this.deleteDirectory(row)
      lost.push(row.chainId)
    }
    return lost
  }
}

export const directoryName = (row: LayerRow): string => row.directory.replace(/\/diff$/, '')

const isDirectory = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )

const isFile = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isFile(),
    () => false,
  )
