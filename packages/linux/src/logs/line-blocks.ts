/** Reads a file in blocks of whole lines. */
import { createReadStream } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { createGunzip } from 'node:zlib'

const blockBytes = 256 * 1024
/** Longer than any record: 16 KiB of text, each byte escaped, with its attributes. A longer line is skipped. */
const lineLimitBytes = 4 * 1024 * 1024
const newline = 0x0a

/** Puts pieces of a file together to whole lines; bounded. */
export class LineAssembler {
  #carried: Buffer = Buffer.alloc(0)
  #skipping = false

  /** Bytes that wait for the end of their line. */
  get carriedBytes(): number {
    return this.#carried.length
  }

  /** Whole lines, the last byte a newline; undefined when the pieces so far hold none. */
  add(piece: Buffer): Buffer | undefined {
    let usable = piece
    if (this.#skipping) {
      const end = piece.indexOf(newline)
      if (end < 0) return undefined
      this.#skipping = false
      usable = piece.subarray(end + 1)
    }
    const last = usable.lastIndexOf(newline)
    const rest = usable.subarray(last + 1)
    const lines = last < 0 ? undefined : this.#withCarried(usable.subarray(0, last + 1))
    this.#carry(rest)
    return lines
  }

  /** The last line, which has no newline; with one added. undefined when there is none. */
  finish(): Buffer | undefined {
    if (this.#carried.length === 0) return undefined
    const line = Buffer.concat([this.#carried, Buffer.from([newline])])
    this.#carried = Buffer.alloc(0)
    return line
  }

  reset(): void {
    this.#carried = Buffer.alloc(0)
    this.#skipping = false
  }

  #withCarried(lines: Buffer): Buffer {
    if (this.#carried.length === 0) return lines
    const joined = Buffer.concat([this.#carried, lines])
    this.#carried = Buffer.alloc(0)
    return joined
  }

  #carry(rest: Buffer): void {
    if (rest.length === 0) return
    if (this.#carried.length + rest.length > lineLimitBytes) {
      this.reset()
      this.#skipping = true
      return
    }
    this.#carried = this.#carried.length === 0 ? rest : Buffer.concat([this.#carried, rest])
  }
}

/** Reads on from a position; what is read is given out once. */
export class FileCursor {
  readonly handle: FileHandle
  readonly identity: string
  position: number
  /** Nothing from there on is read. */
  readonly #endPosition: number
  readonly #lines = new LineAssembler()

  constructor(
    file: { handle: FileHandle; identity: string },
    { position = 0, endPosition = Number.POSITIVE_INFINITY }: { position?: number; endPosition?: number } = {},
  ) {
    this.handle = file.handle
    this.identity = file.identity
    this.position = position
    this.#endPosition = endPosition
  }

  /** Behind the lines that were given out. */
  get place(): { identity: string; position: number } {
    return { identity: this.identity, position: this.position - this.#lines.carriedBytes }
  }

  /** The next whole lines; undefined at the end of what is written so far. */
  async next(): Promise<Buffer | undefined> {
    for (;;) {
      const wantedBytes = Math.min(blockBytes, this.#endPosition - this.position)
      if (wantedBytes <= 0) return undefined
      const buffer = Buffer.allocUnsafeSlow(wantedBytes)
      const { bytesRead } = await this.handle.read(buffer, 0, wantedBytes, this.position)
      if (bytesRead === 0) return undefined
      this.position += bytesRead
      const lines = this.#lines.add(buffer.subarray(0, bytesRead))
      if (lines) return lines
    }
  }

  /** What stands after the last newline, when nothing more will be written. */
  rest(): Buffer | undefined {
    return this.#lines.finish()
  }

  /** True when the file has become shorter than what was read of it; reading starts anew then. */
  async restartIfTruncated(): Promise<boolean> {
    if ((await this.handle.stat()).size >= this.position) return false
    this.position = 0
    this.#lines.reset()
    return true
  }
}

/** Whole lines of a compressed file. One that is cut off (a crash while it was written) ends where it ends. */
export async function* gunzippedLines(filePath: string): AsyncGenerator<Buffer> {
  const lines = new LineAssembler()
  const file = createReadStream(filePath)
  const stream = createGunzip({ chunkSize: blockBytes })
  file.on('error', (error) => stream.destroy(error))
  file.pipe(stream)
  try {
    for await (const piece of stream as AsyncIterable<Buffer>) {
      const block = lines.add(piece)
      if (block) yield block
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ENOENT' && !code?.startsWith('Z_')) throw error
  } finally {
    file.destroy()
    stream.destroy()
  }
  const rest = lines.finish()
  if (rest) yield rest
}
