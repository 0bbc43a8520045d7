/** Reads exact numbers of bytes from a stream of chunks, without gathering more than it is asked for. */

export class ByteSource {
  readonly #iterator: AsyncIterator<Buffer>
  #chunk: Buffer = Buffer.alloc(0)
  #at = 0
  #ended = false

  constructor(source: AsyncIterable<Buffer>) {
    this.#iterator = source[Symbol.asyncIterator]()
  }

  /** The next bytes, at most `limit`; undefined at the end. */
  async next(limit: number): Promise<Buffer | undefined> {
    while (this.#at === this.#chunk.length) {
      if (this.#ended) return undefined
      const { value, done } = await this.#iterator.next()
      if (done) {
        this.#ended = true
        return undefined
      }
      this.#chunk = value
      this.#at = 0
    }
    const from = this.#at
    this.#at = Math.min(this.#chunk.length, from + limit)
    return this.#chunk.subarray(from, this.#at)
  }

  /** Exactly `size` bytes, or fewer at the end of the stream. `size` is bounded by the caller. */
  async take(size: number): Promise<Buffer> {
    const first = await this.next(size)
    if (first === undefined || first.length === size) return first ?? Buffer.alloc(0)
    const parts = [first]
    let have = first.length
    while (have < size) {
      const part = await this.next(size - have)
      if (part === undefined) break
      parts.push(part)
      have += part.length
    }
    return Buffer.concat(parts)
  }

  /** Passes over `size` bytes; false when the stream ended before. */
  async skip(size: number): Promise<boolean> {
    let left = size
    while (left > 0) {
      const part = await this.next(left)
      if (part === undefined) return false
      left -= part.length
    }
    return true
  }

  /** Reads to the end; a producer that is piped in here never meets a closed reader. */
  async drain(): Promise<void> {
    while ((await this.next(Number.MAX_SAFE_INTEGER)) !== undefined);
  }

  /** Tells the producer that nothing more is wanted. */
  async close(): Promise<void> {
    this.#ended = true
    this.#chunk = Buffer.alloc(0)
    this.#at = 0
    await this.#iterator.return?.()
  }
}
