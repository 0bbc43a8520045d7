/** A clock that stands still until the test moves it; timers run in order when it passes them. */
import type { Clock } from '../support/clock.ts'

export interface FakeClock extends Clock {
  /** Moves on and runs what falls due, letting promises settle in between. */
  advance(durationMs: number): Promise<void>
  /** Delays asked for so far. */
  readonly delaysMs: number[]
}

export function fakeClock(startNs = 1_800_000_000_000_000_000n): FakeClock {
  let nowNs = startNs
  const timers = new Set<{ atNs: bigint; callback: () => void }>()
  const delaysMs: number[] = []
  return {
    delaysMs,
    nowNs() {
      nowNs += 1n
      return nowNs
    },
    after(delayMs, callback) {
      delaysMs.push(delayMs)
      const timer = { atNs: nowNs + BigInt(Math.round(delayMs * 1e6)), callback }
      timers.add(timer)
      return () => void timers.delete(timer)
    },
    async advance(durationMs) {
      const endNs = nowNs + BigInt(Math.round(durationMs * 1e6))
      for (;;) {
        const due = [...timers].filter((timer) => timer.atNs <= endNs).sort((a, b) => (a.atNs < b.atNs ? -1 : 1))[0]
        if (due === undefined) break
        timers.delete(due)
        if (due.atNs > nowNs) nowNs = due.atNs
        due.callback()
        await settled()
      }
      if (endNs > nowNs) nowNs = endNs
      await settled()
    },
  }
}

/** Lets everything run that is ready: promises and immediates. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 8; turn++) await new Promise((resolve) => setImmediate(resolve))
}
