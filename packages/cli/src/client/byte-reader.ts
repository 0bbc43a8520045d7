/** Reads a socket by pulling: nothing is taken from the kernel before somebody wants it, which is the backpressure. */
import type { Duplex } from 'node:stream'

const MAX_LINE_BYTES = 64 * 1024

export class ByteReader {
  readonly #socket: Duplex
  #pending: Buffer | undefined
  #ended = false
  #failure: Error | undefined
  #wake: (() => void) | undefined

  constructor(socket: Duplex) {
    this.#socket = socket
    const wake = () => this.#wake?.()
    socket.on('readable', wake)
    socket.on('end', () => {
      this.#ended = true
      wake()
    })
    socket.on('close', () => {
      this.#ended = true
      wake()
    })
    socket.on('error', (error) => {
      this.#failure = error
      wake()
    })
  }

  get failure(): Error | undefined {
    return this.#failure
  }

  /** The next bytes, or undefined at the end; `max` bounds what is returned, the rest stays for later. */
  async chunk(max = Number.POSITIVE_INFINITY): Promise<Buffer | undefined> {
    for (;;) {
      const bytes = this.#pending ?? (this.#socket.read() as Buffer | null) ?? undefined
      this.#pending = undefined
      if (bytes && bytes.length > 0) {
        if (bytes.length <= max) return bytes
        this.#pending = bytes.subarray(max)
        return bytes.subarray(0, max)
      }
      if (this.#failure) throw this.#failure
      if (this.#ended) return undefined
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
      this.#wake = undefined
    }
  }

  /** Exactly `count` bytes, or undefined when the stream ends before the first of them. */
  async exactly(count: number): Promise<Buffer | undefined> {
    const parts: Buffer[] = []
    let missing = count
    while (missing > 0) {
      const part = await this.chunk(missing)
      if (!part) {
        if (parts.length === 0) return undefined
        throw new Error('unexpected EOF')
      }
      parts.push(part)
      missing -= part.length
    }
    return parts.length === 1 ? parts[0] : Buffer.concat(parts)
  }

  /** One line without its line end. Throws when it is longer than any header may be, or cut off. */
  async line(): Promise<string> {
    let line = Buffer.alloc(0)
    for (;;) {
      const part = await this.chunk()
      if (!part) throw new Error(line.length === 0 ? 'EOF' : 'unexpected EOF')
      const at = part.indexOf(10)
      line = Buffer.concat([line, at < 0 ? part : part.subarray(0, at)])
      if (line.length > MAX_LINE_BYTES) throw new Error('malformed HTTP response: line too long')
      if (at < 0) continue
      if (at + 1 < part.length) this.#pending = part.subarray(at + 1)
      const text = line.toString('latin1')
      return text.endsWith('\r') ? text.slice(0, -1) : text
    }
  }
}
