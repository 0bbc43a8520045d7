/** At most so many at a time; the others wait their turn. */

export class Semaphore {
  /** Below zero after the number was lowered: so many have to end before one may begin. */
  #free: number
  #slots: number
  readonly #waiting: (() => void)[] = []

  constructor(slots: number) {
    this.#free = slots
    this.#slots = slots
  }

  /** Work under way goes on. */
  resize(slots: number): void {
    this.#free += slots - this.#slots
    this.#slots = slots
    while (this.#free > 0 && this.#waiting.length > 0) this.#admit()
  }

  #admit(): void {
    this.#free--
    this.#waiting.shift()?.()
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    try {
      return await work()
    } finally {
      this.#free++
      if (this.#free > 0 && this.#waiting.length > 0) this.#admit()
    }
  }
}
