/**
 * When blobs and layers reach the disk. Writing a layer through before it is recorded costs more than fetching it, so the
 * page cache answers first and the filesystem is synchronised once it is quiet. Until then a marker file says what a power
 * cut can have taken; after one, all that is as new as the marker is checked again. The daemon's own death takes nothing.
 */
import { readFileSync } from 'node:fs'
import { open, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { internal, type Logger } from '@dockerd-ts/core'
import * as z from 'zod'
import type { LayerJobs } from '../layers/layer-jobs.ts'
import { hasCode, syncDirectory } from './files.ts'

const marker = z.object({ bootId: z.string(), sinceMs: z.number() })

/** File times are the kernel's, which ticks more coarsely than the clock. */
const clockToleranceMs = 60_000
const quietMs = 1000

export interface DurabilityOptions {
  /** Of everything that is written; the marker is in it. Must exist when the first thing is written. */
  root: string
  /** Writes the filesystem of the root to its disk. */
  synchronise: () => Promise<void>
  logger: Logger
  bootId?: string
}

export class Durability {
  readonly #options: DurabilityOptions
  readonly #bootId: string
  #marked: Promise<void> | undefined
  #cleared: Promise<void> = Promise.resolve()
  #writers = 0
  #changes = 0
  #timer: NodeJS.Timeout | undefined
  #settling: Promise<void> | undefined
  #closed = false

  constructor(options: DurabilityOptions) {
    this.#options = options
    this.#bootId = options.bootId ?? readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  }

  get #path(): string {
    return join(this.#options.root, 'unsynchronised')
  }

  /** Unix time in ms: what was written since then has to be checked, within `record`. Undefined: no power was cut. */
  async suspectSinceMs(): Promise<number | undefined> {
    const text = await readFile(this.#path, 'utf8').catch((error) => {
      if (hasCode(error, 'ENOENT')) return undefined
      throw error
    })
    if (text === undefined) return undefined
    const left = parseMarker(text)
    // One that can't be read was itself being written: nothing had followed it.
    if (left === undefined) return undefined
    this.#marked = Promise.resolve()
    if (left.bootId !== this.#bootId) return left.sinceMs - clockToleranceMs
    this.#settleSoon()
    return undefined
  }

  /** Runs the step that gives something its final name. */
  async record<T>(step: () => Promise<T>): Promise<T> {
    this.#writers++
    this.#changes++
    clearTimeout(this.#timer)
    try {
      this.#marked ??= this.#cleared.then(() => this.#mark())
      await this.#marked
      return await step()
    } finally {
      this.#writers--
      if (this.#writers === 0) this.#settleSoon()
    }
  }

  async #mark(): Promise<void> {
    const handle = await open(this.#path, 'w', 0o600)
    try {
      await handle.writeFile(JSON.stringify({ bootId: this.#bootId, sinceMs: Date.now() }))
      await handle.datasync()
    } finally {
      await handle.close()
    }
    await syncDirectory(this.#options.root)
  }

  #settleSoon(): void {
    clearTimeout(this.#timer)
    if (this.#closed) return
    this.#timer = globalThis.setTimeout(() => void this.settle(), quietMs)
    this.#timer.unref()
  }

  /** Everything recorded is on the disk. What is being written meanwhile keeps its marker. */
  settle(): Promise<void> {
    clearTimeout(this.#timer)
    this.#settling ??= this.#settle()
      .catch((error) => {
        if (this.#closed) return
        this.#options.logger.warn({ error: String(error) }, 'images could not be written to the disk; trying again')
        this.#settleSoon()
      })
      .finally(() => {
        this.#settling = undefined
      })
    return this.#settling
  }

  /** Settles, but for no longer than this: what is not done stays marked, and the next daemon goes on with it. */
  async close(limitMs: number): Promise<void> {
    this.#closed = true
    const late = new AbortController()
    const tooLate = setTimeout(limitMs, undefined, { signal: late.signal }).catch(() => {})
    await Promise.race([this.settle(), tooLate])
    late.abort()
  }

  async #settle(): Promise<void> {
    const marked = this.#marked
    if (marked === undefined || this.#writers > 0) return
    await marked
    const changes = this.#changes
    await this.#options.synchronise()
    // Someone wrote while the disk was busy: that is settled in the next quiet spell.
    if (this.#changes !== changes) return
    this.#marked = undefined
    this.#cleared = rm(this.#path, { force: true })
    await this.#cleared
  }
}

function parseMarker(text: string): z.infer<typeof marker> | undefined {
  try {
    return marker.parse(JSON.parse(text))
  } catch {
    return undefined
  }
}

/** By the C program: Node has no syncfs. */
export async function synchroniseWith(jobs: LayerJobs, directory: string): Promise<void> {
  const { exitCode, errors } = await jobs.run({ argv: ['sync', directory] })
  if (exitCode !== 0) throw internal(errors || `the layer program ended with exit code ${exitCode}`)
}
