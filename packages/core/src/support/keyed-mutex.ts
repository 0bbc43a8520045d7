/** One operation at a time per key (a container's id), first come, first served; other keys are not held up. */

export class KeyedMutex {
  readonly #tails = new Map<string, Promise<void>>()

  /** Runs `work` when every earlier holder of the key has ended, whether it succeeded or not. */
  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(key)
    let release = () => {}
    const tail = new Promise<void>((resolve) => {
      release = resolve
    })
    this.#tails.set(key, tail)
    try {
      if (before !== undefined) await before
      return await work()
    } finally {
      // The last one in line takes the entry away, so that the map holds busy keys only.
      if (this.#tails.get(key) === tail) this.#tails.delete(key)
      release()
    }
  }

  isHeld(key: string): boolean {
    return this.#tails.has(key)
  }
}
