/** The engine's sense of time: nanoseconds that never repeat, timers that tests can drive. */

export interface Clock {
  /** Unix nanoseconds, strictly growing from call to call. */
  nowNs(): bigint
  /** Calls back once after `delayMs`; the answer cancels. Does not keep the process alive. */
  after(delayMs: number, callback: () => void): () => void
}

export function systemClock(): Clock {
  let last = 0n
  return {
    nowNs() {
      // The millisecond is the wall clock's, which may be set; the digits below come from the monotonic one.
      const now = BigInt(Date.now()) * 1_000_000n + (process.hrtime.bigint() % 1_000_000n)
      last = now > last ? now : last + 1n
      return last
    },
    after(delayMs, callback) {
      const timer = setTimeout(callback, delayMs)
      timer.unref()
      return () => clearTimeout(timer)
    },
  }
}
