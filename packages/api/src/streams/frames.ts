/**
 * Docker's stream framing for output without a terminal: `[type,0,0,0][length, 32 bits big-endian][payload]`.
 * Type 0 is stdin (read as stdout), 1 stdout, 2 stderr, 3 an error of the engine itself.
 */

export type FrameType = 0 | 1 | 2 | 3

export interface Frame {
  type: FrameType
  payload: Buffer
}

export const frameHeaderBytes = 8

export function encodeFrame(type: FrameType, payload: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(frameHeaderBytes + payload.length)
  frame.writeUInt32BE(type * 0x0100_0000, 0)
  frame.writeUInt32BE(payload.length, 4)
  frame.set(payload, frameHeaderBytes)
  return frame
}

/**
 * Takes bytes as they arrive and gives what they hold, without waiting for whole frames: a frame that is cut by a
 * packet comes out as several pieces of the same type, so nothing is buffered but a partial header.
 */
export class FrameDecoder {
  readonly #header = Buffer.alloc(frameHeaderBytes)
  #headerLength = 0
  #type: FrameType = 1
  #remainingBytes = 0

  /** Throws when a header has an unknown type: the stream is not framed. */
  decode(chunk: Buffer): Frame[] {
    const frames: Frame[] = []
    let offset = 0
    while (offset < chunk.length) {
      if (this.#remainingBytes === 0) {
        offset += this.#fillHeader(chunk, offset)
        continue
      }
      const end = Math.min(chunk.length, offset + this.#remainingBytes)
      frames.push({ type: this.#type, payload: chunk.subarray(offset, end) })
      this.#remainingBytes -= end - offset
      offset = end
    }
    return frames
  }

  /** True between frames: an end of the stream here loses nothing. */
  get atBoundary(): boolean {
    return this.#headerLength === 0 && this.#remainingBytes === 0
  }

  #fillHeader(chunk: Buffer, offset: number): number {
    const copied = chunk.copy(this.#header, this.#headerLength, offset, offset + frameHeaderBytes - this.#headerLength)
    this.#headerLength += copied
    if (this.#headerLength < frameHeaderBytes) return copied
    const type = this.#header[0] ?? 0
    if (type > 3) throw new Error(`unrecognized stream type: ${type}`)
    this.#type = type as FrameType
    this.#remainingBytes = this.#header.readUInt32BE(4)
    this.#headerLength = 0
    return copied
  }
}
