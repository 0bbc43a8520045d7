/** Docker's multiplexed stream: `[type,0,0,0][uint32 big-endian length]` before each piece of output. */

const types = { stdin: 0, stdout: 1, stderr: 2, systemError: 3 } as const

/** One frame in one buffer, so that it is one write. */
export function frame(type: keyof typeof types, payload: Buffer): Buffer {
  const framed = Buffer.allocUnsafe(8 + payload.length)
  framed.writeUInt32BE(types[type] << 24, 0)
  framed.writeUInt32BE(payload.length, 4)
  payload.copy(framed, 8)
  return framed
}

/** Takes the frames off a stream that comes in pieces of any size; holds back no more than a part of a header. */
export class Unframer {
  #header = Buffer.alloc(0)
  #left = 0
  #wanted = true
  readonly #only: number | undefined

  /** `only`: what else comes is dropped. */
  constructor(only?: keyof typeof types) {
    this.#only = only && types[only]
  }

  /** The payload in this piece, of every stream that is wanted. */
  payload(piece: Buffer): Buffer {
    const parts: Buffer[] = []
    let rest = this.#header.length > 0 ? Buffer.concat([this.#header, piece]) : piece
    this.#header = Buffer.alloc(0)
    while (rest.length > 0) {
      if (this.#left === 0) {
        if (rest.length < 8) break
        this.#left = rest.readUInt32BE(4)
        this.#wanted = this.#only === undefined || rest[0] === this.#only
        rest = rest.subarray(8)
        continue
      }
      const part = rest.subarray(0, this.#left)
      if (this.#wanted) parts.push(part)
      this.#left -= part.length
      rest = rest.subarray(part.length)
    }
    this.#header = Buffer.from(rest)
    return Buffer.concat(parts)
  }
}
