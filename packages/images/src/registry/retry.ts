/** When a registry is asked again: after a broken connection, when it is busy (429) or broken (5xx), with growing pauses. */
import { isTransient } from './network-errors.ts'
import { RegistryError } from './registry-error.ts'

/** What a registry may ask for; who wants longer is given up instead. */
const maxRetryAfterMs = 120_000
const maxDelayMs = 60_000

export interface RetryOptions {
  /** Tries in all. */
  attempts: number
  /** Before the second try; it doubles from there. */
  retryDelayMs: number
  signal?: AbortSignal | undefined
  /** Told before each pause. */
  waiting?: ((seconds: number) => void) | undefined
}

export const canRetry = (error: unknown): boolean =>
  error instanceof RegistryError
    ? (error.status >= 500 && error.status !== 501) || error.status === 408 || error.status === 429
    : isTransient(error)

/** Undefined: not again. */
export function retryDelayMs(error: unknown, attempt: number, options: RetryOptions): number | undefined {
  if (!canRetry(error) || attempt >= options.attempts) return undefined
  const asked = error instanceof RegistryError ? error.retryAfterMs : undefined
  if (asked !== undefined && asked > maxRetryAfterMs) return undefined
  return Math.max(asked ?? 0, Math.min(options.retryDelayMs * 2 ** (attempt - 1), maxDelayMs))
}

/** `attempt` counts from 1. */
export async function retrying<T>(options: RetryOptions, work: (attempt: number) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work(attempt)
    } catch (error) {
      options.signal?.throwIfAborted()
      const delayMs = retryDelayMs(error, attempt, options)
      if (delayMs === undefined) throw error
      options.waiting?.(Math.ceil(delayMs / 1000))
      await pause(delayMs, options.signal)
    }
  }
}

export function pause(delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise<void>((resolve, reject) => {
    const done = () => {
      signal?.removeEventListener('abort', aborted)
      resolve()
    }
    const timer = setTimeout(done, delayMs)
    const aborted = () => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    if (signal?.aborted) aborted()
    else signal?.addEventListener('abort', aborted, { once: true })
  })
}

/** `Retry-After`: seconds, or a date (RFC 9110, 10.2.3). */
export function parseRetryAfter(header: string | undefined, nowMs = Date.now()): number | undefined {
  if (header === undefined) return undefined
  if (/^\s*\d{1,9}\s*$/.test(header)) return Number(header) * 1000
  const at = Date.parse(header)
  return Number.isNaN(at) ? undefined : Math.max(0, at - nowMs)
}
