/**
 * Whether the client has gone, beside other work. Not a promise that is raced with again and again: every race would stay
 * registered with it, and with the race its result, so that a long answer would be held whole until its end.
 */
import type { ServerResponse } from 'node:http'

export class Departure {
  #gone: boolean
  readonly #leave = new Set<() => void>()

  constructor(response: ServerResponse) {
    this.#gone = response.destroyed
    response.once('close', () => {
      this.#gone = true
      for (const leave of this.#leave) leave()
      this.#leave.clear()
    })
  }

  /** What the work gives, or 'gone' as soon as the client has gone; a later failure of the work is then nobody's. */
  or<T>(work: Promise<T>): Promise<T | 'gone'> {
    return new Promise((resolve, reject) => {
      const leave = () => resolve('gone')
      if (this.#gone) leave()
      else this.#leave.add(leave)
      work.then(resolve, reject).finally(() => this.#leave.delete(leave))
    })
  }
}
