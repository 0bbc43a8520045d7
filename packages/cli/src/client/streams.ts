/** The two forms in which the daemon sends a container's output: raw, and framed by stream. */
import type { ByteReader } from './byte-reader.ts'

const HEADER_BYTES = 8
const STDERR = 2
const SYSTEM_ERROR = 3
const MAX_SYSTEM_ERROR_BYTES = 64 * 1024

export interface Outputs {
  out(bytes: Uint8Array): void
  err(bytes: Uint8Array): void
}

/** A source of bytes that may be asked for a bounded piece. */
export type ByteSource = Pick<ByteReader, 'chunk' | 'exactly'>

/** Copies framed output to the two outputs until it ends. A frame may be of any size; it is passed on in pieces. */
export async function demultiplex(source: ByteSource, outputs: Outputs): Promise<void> {
  for (;;) {
    const header = await source.exactly(HEADER_BYTES)
    if (!header) return
    const stream = header.readUInt8(0)
    let missing = header.readUInt32BE(4)
    if (stream > SYSTEM_ERROR) throw new Error(`unrecognized stream: ${stream}`)
    if (stream === SYSTEM_ERROR) {
      const message = await source.exactly(Math.min(missing, MAX_SYSTEM_ERROR_BYTES))
      throw new Error(`error from daemon in stream: ${message?.toString() ?? ''}`)
    }
    while (missing > 0) {
      const piece = await source.chunk(missing)
      if (!piece) throw new Error('unexpected EOF')
      missing -= piece.length
      if (stream === STDERR) outputs.err(piece)
      else outputs.out(piece)
    }
  }
}

/** Copies raw output until it ends. */
export async function copyRaw(source: ByteSource, out: (bytes: Uint8Array) => void): Promise<void> {
  for (let piece = await source.chunk(); piece; piece = await source.chunk()) out(piece)
}

/** Makes a byte source of a streamed reply. */
export function sourceOf(body: AsyncGenerator<Buffer, void>): ByteSource {
  let pending: Buffer | undefined
  const chunk = async (max = Number.POSITIVE_INFINITY): Promise<Buffer | undefined> => {
    while (!pending || pending.length === 0) {
      const next = await body.next()
      if (next.done) return undefined
      pending = next.value
    }
    const piece = pending.subarray(0, max)
    pending = piece.length < pending.length ? pending.subarray(piece.length) : undefined
    return piece
  }
  const exactly = async (count: number): Promise<Buffer | undefined> => {
    const parts: Buffer[] = []
    for (let missing = count; missing > 0; ) {
      const part = await chunk(missing)
      if (!part) {
        if (parts.length === 0) return undefined
        throw new Error('unexpected EOF')
      }
      parts.push(part)
      missing -= part.length
    }
    return parts.length === 1 ? parts[0] : Buffer.concat(parts)
  }
  return { chunk, exactly }
}
