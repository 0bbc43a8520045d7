/** Waits until something happens in a directory (inotify), or one of the signals says that waiting is over. */
import { type FSWatcher, watch } from 'node:fs'

/** Where the kernel grants no more watches, or the file system tells nothing. */
const pollMs = 250

export class DirectoryChanges {
  #watcher: FSWatcher | undefined
  #poll: NodeJS.Timeout | undefined
  #changed = false
  #wake: (() => void) | undefined
  readonly #signals: readonly AbortSignal[]
  readonly #notify = () => {
    this.#changed = true
    this.#wake?.()
  }

  /** Changes from now on are noticed, also those before `wait` is called. */
  constructor(directory: string, signals: readonly AbortSignal[]) {
    this.#signals = signals
    for (const signal of signals) signal.addEventListener('abort', this.#notify, { once: true })
    try {
      this.#watcher = watch(directory, { persistent: false }, this.#notify)
      this.#watcher.on('error', () => this.#startPolling())
    } catch {
      this.#startPolling()
    }
  }

  /** Resolves at once when something happened since the last call. */
  async wait(): Promise<void> {
    if (!this.#changed && !this.#signals.some((signal) => signal.aborted)) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
      this.#wake = undefined
    }
    this.#changed = false
  }

  close(): void {
    this.#watcher?.close()
    clearInterval(this.#poll)
    for (const signal of this.#signals) signal.removeEventListener('abort', this.#notify)
  }

  #startPolling(): void {
    this.#watcher?.close()
    this.#watcher = undefined
    this.#poll ??= setInterval(this.#notify, pollMs)
    this.#poll.unref()
  }
}
