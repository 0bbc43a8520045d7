/**
 * Numbers every event, delivers it to the listeners at once and keeps it in the store, so that `since` reaches back over
 * restarts of the daemon. Events are written together with the next commit of the engine (the status they tell of) or at
 * the end of the turn, whichever comes first: they cost no commit of their own on the path of a request.
 */
import type * as wire from '@dockerd-ts/api'
import type { EngineEvent, EventPublisher } from '../ports/events.ts'
import type { EventRecords, StoredEvent } from '../ports/records.ts'
import type { Clock } from '../support/clock.ts'

/** A listener that is further behind than this reads from the store until it has caught up. */
const listenerQueueLimit = 1024
const storePageSize = 256

export interface EventQuery {
  sinceNs?: bigint
  untilNs?: bigint
  matches: (event: StoredEvent) => boolean
  signal: AbortSignal
}

interface Listener {
  queue: StoredEvent[]
  /** The queue overflowed: what is missing is in the store. */
  lagging: boolean
  wake: () => void
}

export class EventBus implements EventPublisher {
  readonly #records: EventRecords
  readonly #clock: Clock
  readonly #listeners = new Set<Listener>()
  readonly #pending: StoredEvent[] = []
  #sequence: number
  #flushScheduled = false

  constructor(records: EventRecords, clock: Clock) {
    this.#records = records
    this.#clock = clock
    this.#sequence = records.lastEventSequence()
  }

  get listenerCount(): number {
    return this.#listeners.size
  }

  publish(event: EngineEvent): void {
    this.#sequence += 1
    const stored: StoredEvent = {
      sequence: this.#sequence,
      timeNs: this.#clock.nowNs(),
      type: event.type,
      action: event.action,
      actorId: event.actorId,
      attributes: event.attributes ?? {},
    }
    this.#pending.push(stored)
    for (const listener of this.#listeners) deliver(listener, stored)
    if (this.#flushScheduled) return
    this.#flushScheduled = true
    setImmediate(() => this.flush())
  }

  /** Stores what is pending; inside a transaction of the store it joins that commit. */
  flush(): void {
    this.#flushScheduled = false
    if (this.#pending.length > 0) this.#records.appendEvents(this.#pending.splice(0))
  }

  /** Listens from this call on; past events first when `sinceNs` or `untilNs` is given. */
  subscribe(query: EventQuery): AsyncIterable<wire.EventMessage> {
    const listener: Listener = { queue: [], lagging: false, wake: () => {} }
    this.#listeners.add(listener)
    // Everything up to here is history; what is published from now on lands in the queue.
    return this.#stream(query, listener, this.#sequence)
  }

  async *#stream(query: EventQuery, listener: Listener, historyEnd: number): AsyncGenerator<wire.EventMessage> {
    let last = historyEnd
    const wake = () => listener.wake()
    query.signal.addEventListener('abort', wake)
    try {
      if (query.sinceNs !== undefined || query.untilNs !== undefined) {
        for (const event of this.#history(query, 0, historyEnd)) yield toMessage(event)
      }
      while (!query.signal.aborted) {
        if (listener.lagging) {
          listener.lagging = false
          listener.queue = []
          const end = this.#sequence
          for (const event of this.#history(query, last, end)) yield toMessage(event)
          last = end
        }
        for (const event of listener.queue.splice(0)) {
          if (event.sequence <= last || (query.untilNs !== undefined && event.timeNs > query.untilNs)) continue
          last = event.sequence
          if (query.matches(event)) yield toMessage(event)
        }
        if (listener.queue.length > 0 || listener.lagging || query.signal.aborted) continue
        // What came in time has been delivered, also when it is read late.
        if (this.#isOver(query.untilNs)) return
        // Set anew each time: a timer of a busy event loop may go off a little early.
        const stopTimer = this.#endAt(query.untilNs, wake)
        await new Promise<void>((resolve) => {
          listener.wake = resolve
        })
        stopTimer()
      }
    } finally {
      query.signal.removeEventListener('abort', wake)
      this.#listeners.delete(listener)
    }
  }

  #isOver(untilNs: bigint | undefined): boolean {
    return untilNs !== undefined && this.#clock.nowNs() >= untilNs
  }

  #endAt(untilNs: bigint | undefined, wake: () => void): () => void {
    if (untilNs === undefined) return () => {}
    const delayMs = Number((untilNs - this.#clock.nowNs()) / 1_000_000n) + 1
    // setTimeout's own limit; an until further away than 24 days is longer than any stream lives.
    return this.#clock.after(Math.min(Math.max(delayMs, 0), 2 ** 31 - 1), wake)
  }

  *#history(query: EventQuery, afterSequence: number, endSequence: number): Generator<StoredEvent> {
    this.flush()
    for (let after = afterSequence; ; ) {
      const page = this.#records.readEvents({
        ...(query.sinceNs === undefined ? {} : { sinceNs: query.sinceNs }),
        ...(query.untilNs === undefined ? {} : { untilNs: query.untilNs }),
        afterSequence: after,
        limit: storePageSize,
      })
      for (const event of page) {
        if (event.sequence > endSequence) return
        if (query.matches(event)) yield event
        after = event.sequence
      }
      if (page.length < storePageSize) return
    }
  }
}

function deliver(listener: Listener, event: StoredEvent): void {
  if (listener.queue.length >= listenerQueueLimit) listener.lagging = true
  else listener.queue.push(event)
  listener.wake()
}

/** Go writes the keys of a map in byte order. */
function sorted(attributes: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1)))
}

function toMessage(event: StoredEvent): wire.EventMessage {
  return {
    Type: event.type,
    Action: event.action,
    Actor: { ID: event.actorId, Attributes: sorted(event.attributes) },
    scope: 'local',
    time: Number(event.timeNs / 1_000_000_000n),
    timeNano: event.timeNs,
  }
}
