/** What work under way counts on: collection leaves it, and is told when it may take what it had to leave. */
export class Pins {
  readonly #counts = new Map<string, number>()
  readonly #passedOver = new Set<string>()
  /** Called when something that a collection had to leave is free. */
  onFreed: () => void = () => {}

  /** Keeps ids from collection until the returned function is called. */
  add(...ids: readonly string[]): () => void {
    for (const id of ids) this.#counts.set(id, (this.#counts.get(id) ?? 0) + 1)
    let released = false
    return () => {
      if (released) return
      released = true
      if (ids.filter((id) => this.#release(id)).length > 0) this.onFreed()
    }
  }

  /** True when a collection waits for it. */
  #release(id: string): boolean {
    const left = (this.#counts.get(id) ?? 1) - 1
    if (left > 0) {
      this.#counts.set(id, left)
      return false
    }
    this.#counts.delete(id)
    return this.#passedOver.delete(id)
  }

  has(id: string): boolean {
    return this.#counts.has(id)
  }

  /** For collection, of what nothing else needs: true keeps it, and has `onFreed` called at its end. */
  passOver(id: string): boolean {
    if (!this.#counts.has(id)) return false
    this.#passedOver.add(id)
    return true
  }
}
