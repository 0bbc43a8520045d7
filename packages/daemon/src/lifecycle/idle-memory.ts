/**
 * An idle daemon gives back what the requests before took. V8 collects as it allocates: one that is asked nothing
 * allocates nothing, and would keep the garbage of its last busy time for days.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

export interface IdleMemoryOptions {
  /** Nothing has been asked for so long. */
  idleMs: number
  collect: () => void
}

export interface IdleMemory {
  /** A request began; the function tells that it has been answered. */
  began(): () => void
  stop(): void
}

export function idleMemory({ idleMs, collect }: IdleMemoryOptions): IdleMemory {
  let running = 0
  let stopped = false
  let timer: NodeJS.Timeout | undefined
  const plan = () => {
    if (stopped || running > 0) return
    // Once for each idle time: what runs by itself makes little.
    timer = setTimeout(onIdle, idleMs).unref()
  }
  const onIdle = () => {
    timer = undefined
    if (running === 0 && !stopped) collect()
  }
  plan()
  return {
    began() {
      running += 1
      if (timer !== undefined) clearTimeout(timer)
      timer = undefined
      let over = false
      return () => {
        if (over) return
        over = true
        running -= 1
        plan()
      }
    },
    stop() {
      stopped = true
      if (timer !== undefined) clearTimeout(timer)
      timer = undefined
    },
  }
}

/** All that V8 can do without: also compiled code that has not run lately, and the pages that are free then. */
export function collectGarbage(): void {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as (options: { type: 'major'; execution: 'sync'; flavor: 'last-resort' }) => void
  setFlagsFromString('--no-expose-gc')
  gc({ type: 'major', execution: 'sync', flavor: 'last-resort' })
}
