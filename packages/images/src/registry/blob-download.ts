/**
 * Downloads of blobs: identical ones share one transfer, at most so many run, a broken one goes on where it broke, and
 * what arrives is verified before it has a name.
 */
import { internal } from '@dockerd-ts/core'
import type { ContentStore } from '../content/content-store.ts'
import { Semaphore } from '../layers/semaphore.ts'
import type { Descriptor } from '../oci/documents.ts'
import { shownUrl } from './network-errors.ts'
import type { RegistryOptions } from './registry-options.ts'
import type { RegistrySession } from './registry-session.ts'
import { pause, retryDelayMs } from './retry.ts'

interface DownloadWatcher {
  started?(): void
  bytes?(total: number): void
  retry?(inSeconds: number): void
  verifying?(): void
}

interface Transfer {
  done: Promise<void>
  watchers: Set<DownloadWatcher>
  controller: AbortController
  /** The last count, for who joins late. */
  current: number
}

export interface DownloadRequest {
  session: RegistrySession
  descriptor: Descriptor
  /** `docker.io/library/alpine`, noted as a source of the blob. */
  source: string
  watcher?: DownloadWatcher
  signal: AbortSignal
}

export class BlobDownloads {
  readonly #content: ContentStore
  readonly #options: RegistryOptions
  readonly #slots: Semaphore
  readonly #running = new Map<string, Transfer>()

  constructor(content: ContentStore, options: RegistryOptions) {
    this.#content = content
    this.#options = options
    this.#slots = new Semaphore(options.maxConcurrentDownloads)
  }

  /** After a change of the options. */
  reconfigure(): void {
    this.#slots.resize(this.#options.maxConcurrentDownloads)
  }

  /** Resolves when the blob is in the content store. Who waits leaves by the signal; the last one ends the transfer. */
  async download(request: DownloadRequest): Promise<void> {
    const { descriptor, source, watcher = {}, signal } = request
    signal.throwIfAborted()
    if (this.#content.has(descriptor.digest)) {
      this.#content.addSource(descriptor.digest, source)
      return
    }
    const transfer = this.#running.get(descriptor.digest) ?? this.#start(request)
    transfer.watchers.add(watcher)
    if (transfer.current > 0) watcher.bytes?.(transfer.current)
    try {
      await Promise.race([transfer.done, aborted(signal)])
    } finally {
      transfer.watchers.delete(watcher)
      if (transfer.watchers.size === 0) {
        this.#end(descriptor.digest, transfer)
        // What was staged is gone when the pull answers.
        await transfer.done.catch(() => {})
      }
    }
    this.#content.addSource(descriptor.digest, source)
  }

  /** Out of the table first: who comes now starts anew instead of joining what is being aborted. */
  #end(digest: string, transfer: Transfer): void {
    if (this.#running.get(digest) === transfer) this.#running.delete(digest)
    transfer.controller.abort()
  }

  #start(request: DownloadRequest): Transfer {
    const { digest } = request.descriptor
    const controller = new AbortController()
    const watchers = new Set<DownloadWatcher>()
    const transfer: Transfer = { watchers, controller, current: 0, done: Promise.resolve() }
    transfer.done = this.#slots.run(() => this.#transfer(request, transfer)).finally(() => this.#end(digest, transfer))
    transfer.done.catch(() => {})
    this.#running.set(digest, transfer)
    return transfer
  }

  async #transfer({ session, descriptor, source }: DownloadRequest, transfer: Transfer): Promise<void> {
    const { digest, size, mediaType } = descriptor
    const { signal } = transfer.controller
    signal.throwIfAborted()
    tell(transfer, (watcher) => watcher.started?.())
    const common = { session, digest, sizeBytes: size, options: this.#options, transfer, signal }
    const onBytes = (total: number) => {
      transfer.current = total
      tell(transfer, (watcher) => watcher.bytes?.(total))
      if (total === size) tell(transfer, (watcher) => watcher.verifying?.())
    }
    const { partial } = this.#content
    const staged = partial.isFree(digest)
      ? await partial.stage({ digest, sizeBytes: size, source: (have) => resumed(common, have), onBytes })
      : await this.#content.stage(resumed(common, 0), { digest, limitBytes: size, onBytes })
    await this.#content.commit(staged, mediaType, source)
  }
}

function tell(transfer: Transfer, say: (watcher: DownloadWatcher) => void): void {
  for (const watcher of transfer.watchers) say(watcher)
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}

interface Resumption {
  session: RegistrySession
  digest: string
  sizeBytes: number
  options: RegistryOptions
  transfer: Transfer
  signal: AbortSignal
}

/** The blob from `from` on, however often the connection breaks: each further try asks for what is missing. */
async function* resumed(request: Resumption, from: number): AsyncGenerator<Buffer> {
  const { options, transfer, signal } = request
  let have = from
  if (have > 0 && have === request.sizeBytes) return
  for (let attempt = 1; ; attempt++) {
    const before = have
    try {
      for await (const chunk of part(request, have)) {
        have += chunk.length
        yield chunk
      }
      return
    } catch (error) {
      signal.throwIfAborted()
      // Progress earns new tries: a large layer over a bad line takes many.
      if (have > before) attempt = 1
      const { maxDownloadAttempts: attempts, retryDelayMs: delay } = options
      const delayMs = retryDelayMs(error, attempt, { attempts, retryDelayMs: delay })
      if (delayMs === undefined) throw error
      tell(transfer, (watcher) => watcher.retry?.(Math.ceil(delayMs / 1000)))
      await pause(delayMs, signal)
    }
  }
}

/** The blob from `have` on. A server that knows no ranges sends it all, and what is here already is passed over. */
async function* part({ session, digest, signal }: Resumption, have: number): AsyncGenerator<Buffer> {
  const path = `${session.repository}/blobs/${digest}`
  const headers: Record<string, string> = have > 0 ? { range: `bytes=${have}-` } : {}
  const answer = await session.ask({ method: 'GET', path, headers, expected: [200, 206], once: true, signal })
  let skip = have
  if (answer.status === 206) {
    const start = /^bytes (\d+)-/.exec(answer.header('content-range') ?? '')?.[1]
    if (have === 0 || Number(start) !== have) {
      await answer.discard()
      throw internal(`Get "${shownUrl(answer.url)}": unexpected range in the answer`)
    }
    skip = 0
  }
  for await (const chunk of answer.body) {
    const rest = chunk.subarray(Math.min(skip, chunk.length))
    skip -= chunk.length - rest.length
    if (rest.length > 0) yield rest
  }
}
