/**
 * Downloads that were cut, by a broken line or by the daemon's death, kept as `content/partial/<hex>` so that the next try
 * goes on where they end. What is there is hashed anew: nothing is believed of an earlier process but its bytes.
 */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { invalidArgument } from '@dockerd-ts/core'
import { BatchedWriter, makeDirectories } from './files.ts'
import type { StagedBlob } from './staged-blob.ts'

export interface PartialLimits {
  totalBytes: number
  ageMs: number
  /** Less is not worth keeping. */
  leastBytes: number
}

const defaultLimits: PartialLimits = { totalBytes: 4 * 2 ** 30, ageMs: 7 * 24 * 3_600_000, leastBytes: 256 * 1024 }

export interface Resumption {
  digest: string
  sizeBytes: number
  /** The bytes from `have` on. */
  source: (have: number) => AsyncIterable<Buffer>
  onBytes: (total: number) => void
}

export class PartialBlobs {
  readonly #directory: string
  readonly #limits: PartialLimits
  readonly #busy = new Set<string>()

  constructor(directory: string, limits: PartialLimits = defaultLimits) {
    this.#directory = directory
    this.#limits = limits
  }

  /** False while another download writes the same blob. */
  isFree(digest: string): boolean {
    return !this.#busy.has(digest)
  }

  /** The whole blob, verified, to be committed. On an error what has come is kept for the next call, within bounds. */
  async stage(request: Resumption): Promise<StagedBlob> {
    const { digest } = request
    this.#busy.add(digest)
    const path = join(this.#directory, digest.slice('sha256:'.length))
    try {
      await makeDirectories(this.#directory)
      const resumed = await this.#fill(path, request)
      if (resumed.digest === digest) return resumed
      await rm(path, { force: true })
      // The kept part can have been damaged (a power cut): the whole is asked for once more.
      const anew = resumed.had > 0 ? await this.#fill(path, request) : resumed
      if (anew.digest === digest) return anew
      await rm(path, { force: true })
      throw invalidArgument(`content does not match its digest: expected ${digest}, got ${anew.digest}`)
    } catch (error) {
      const kept = await stat(path).catch(() => undefined)
      if (kept !== undefined && kept.size < this.#limits.leastBytes) await rm(path, { force: true })
      throw error
    } finally {
      this.#busy.delete(digest)
    }
  }

  async #fill(path: string, request: Resumption): Promise<StagedBlob & { had: number }> {
    const hash = createHash('sha256')
    let sizeBytes = 0
    if (((await stat(path).catch(() => undefined))?.size ?? 0) > request.sizeBytes) await rm(path)
    const handle = await open(path, 'a', 0o600)
    const writer = new BatchedWriter(handle)
    try {
      for await (const chunk of createReadStream(path)) {
        hash.update(chunk)
        sizeBytes += chunk.length
      }
      const had = sizeBytes
      if (had > 0) request.onBytes(had)
      for await (const chunk of request.source(had)) {
        sizeBytes += chunk.length
        if (sizeBytes > request.sizeBytes) throw invalidArgument(`content is larger than ${request.sizeBytes} bytes`)
        hash.update(chunk)
        await writer.write(chunk)
        request.onBytes(sizeBytes)
      }
      await writer.flush()
      return { path, digest: `sha256:${hash.digest('hex')}`, sizeBytes, had }
    } finally {
      // What has come is worth keeping; why the rest has not is being thrown.
      await writer.flush().catch(() => {})
      await handle.close()
    }
  }

  /** Removes what is complete under its own name, old, or more than is allowed in all: the newest stay. */
  async reclaim(has: (digest: string) => boolean): Promise<void> {
    const names = await readdir(this.#directory).catch(() => [])
    const found = await Promise.all(
      names.map(async (name) => ({ name, ...statOf(await stat(join(this.#directory, name)).catch(() => undefined)) })),
    )
    let totalBytes = 0
    for (const { name, size, mtimeMs } of found.sort((a, b) => b.mtimeMs - a.mtimeMs)) {
      const digest = `sha256:${name}`
      if (this.#busy.has(digest)) continue
      totalBytes += size
      const isOld = mtimeMs < Date.now() - this.#limits.ageMs
      if (!has(digest) && !isOld && totalBytes <= this.#limits.totalBytes && size > 0) continue
      await rm(join(this.#directory, name), { recursive: true, force: true })
    }
  }
}

const statOf = (found: { size: number; mtimeMs: number } | undefined) => ({
  size: found?.size ?? 0,
  mtimeMs: found?.mtimeMs ?? 0,
})
