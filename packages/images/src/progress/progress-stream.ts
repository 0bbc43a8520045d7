/** Turns work that reports as it goes into the stream of messages that a client reads, at the client's pace. */
import type { ProgressMessage } from '@dockerd-ts/core'

export type Report = (message: ProgressMessage) => void

/**
 * Runs `work` and gives its messages; its error is thrown in their place. When the reader leaves, the work's signal is
 * aborted. A slow reader costs no memory: a newer count of the same item replaces one that was not read yet.
 */
export async function* progressStream(
  work: (report: Report, signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): AsyncGenerator<ProgressMessage, void, undefined> {
  const queue = new MessageQueue()
  const left = new AbortController()
  const done = work((message) => queue.push(message), AbortSignal.any([signal, left.signal])).then(
    () => queue.end(),
    (error) => queue.end(error),
  )
  try {
    for (let message = await queue.next(); message !== undefined; message = await queue.next()) yield message
  } finally {
    left.abort()
    await done
  }
}

class MessageQueue {
  #messages: ProgressMessage[] = []
  #result: { error?: unknown } | undefined
  #wake: (() => void) | undefined

  push(message: ProgressMessage): void {
    const at = isCount(message) ? this.#messages.findIndex((other) => isSameCount(other, message)) : -1
    if (at >= 0) this.#messages[at] = message
    else this.#messages.push(message)
    this.#wake?.()
  }

  end(...error: unknown[]): void {
    this.#result = error.length > 0 ? { error: error[0] } : {}
    this.#wake?.()
  }

  async next(): Promise<ProgressMessage | undefined> {
    for (;;) {
      const message = this.#messages.shift()
      if (message !== undefined) return message
      if (this.#result !== undefined) {
        if ('error' in this.#result) throw this.#result.error
        return undefined
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }
}

const isCount = (message: ProgressMessage) => message.progressDetail?.current !== undefined
const isSameCount = (a: ProgressMessage, b: ProgressMessage) => isCount(a) && a.id === b.id && a.status === b.status

const intervalMs = 100

/** Counts of one item, at most ten a second, the last one always. */
export function counter(
  report: Report,
  item: { status: string; id?: string; total: number },
): (current: number) => void {
  let last = 0
  return (current) => {
    const now = Date.now()
    if (current < item.total && now - last < intervalMs) return
    last = now
    report({
      status: item.status,
      progressDetail: { current, ...(item.total > 0 && { total: item.total }) },
      progress: progressBar(current, item.total),
      ...(item.id !== undefined && { id: item.id }),
    })
  }
}

/** Docker's bar, `[====>   ]  1.5MB/3MB`, still sent to clients that print it. */
function progressBar(current: number, total: number): string {
  const shown = humanSize(current)
  if (total <= 0 || current > total) return shown.padStart(8)
  const filled = Math.min(50, Math.floor((current / total) * 50))
  return `[${'='.repeat(filled)}>${' '.repeat(50 - filled)}] ${shown.padStart(8)}/${humanSize(total)}`
}

/** Four significant digits, decimal units, as Docker's units package. */
function humanSize(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB']
  let value = bytes
  let unit = 0
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  return `${Number(value.toPrecision(4))}${units[unit]}`
}

/** The same, telling how much has been taken of it. */
export async function* counted(
  source: AsyncIterable<Buffer>,
  onBytes?: (total: number) => void,
): AsyncGenerator<Buffer> {
  let total = 0
  for await (const chunk of source) {
    yield chunk
    total += chunk.length
    onBytes?.(total)
  }
}
