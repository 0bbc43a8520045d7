/** Finds out how a stream is compressed, by its first bytes, and undoes it: in the thread pool, or by xz and bzip2. */
import { Readable } from 'node:stream'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import { invalidArgument, notImplemented } from '@dockerd-ts/core'
import { streamCommand } from '@dockerd-ts/linux'
import { hasCode } from '../content/files.ts'
import { zstdFrames } from './zstd-frames.ts'

export type Compression = 'none' | 'gzip' | 'zstd' | 'bzip2' | 'xz'

const signatures: readonly [Compression, Buffer][] = [
  ['gzip', Buffer.from([0x1f, 0x8b, 0x08])],
  ['zstd', Buffer.from([0x28, 0xb5, 0x2f, 0xfd])],
  ['bzip2', Buffer.from('BZh')],
  ['xz', Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00])],
]
/** A zstd stream may begin with skippable frames: 0x184D2A50 to …5F, little-endian. */
const isSkippableZstd = (head: Buffer) =>
  head.length >= 4 && (head.readUInt32LE(0) & 0xff_ff_ff_f0) >>> 0 === 0x18_4d_2a_50

export function detectCompression(head: Buffer): Compression {
  if (isSkippableZstd(head)) return 'zstd'
  return signatures.find(([, signature]) => head.subarray(0, signature.length).equals(signature))?.[0] ?? 'none'
}

const headBytes = 6

/** Of the first bytes: enough of them to tell, and no compression that is known. */
export const isPlain = (head: Buffer): boolean => head.length >= headBytes && detectCompression(head) === 'none'

/** The kind, and the stream with its head put back. */
async function peekCompression(
  source: AsyncIterable<Buffer>,
): Promise<{ compression: Compression; stream: AsyncIterable<Buffer> }> {
  const iterator = source[Symbol.asyncIterator]()
  const parts: Buffer[] = []
  let have = 0
  while (have < headBytes) {
    const { value, done } = await iterator.next()
    if (done) break
    parts.push(value)
    have += value.length
  }
  return { compression: detectCompression(Buffer.concat(parts)), stream: rejoin(parts, iterator) }
}

async function* rejoin(parts: Buffer[], iterator: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield* parts
    for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value
  } finally {
    await iterator.return?.()
  }
}

const outputChunkBytes = 256 * 1024

/** The plain bytes. Throws invalidArgument for damaged data. */
export async function decompress(source: AsyncIterable<Buffer>): Promise<AsyncIterable<Buffer>> {
  const { compression, stream } = await peekCompression(source)
  switch (compression) {
    case 'none':
      return stream
    case 'gzip':
      return through(stream, createGunzip({ chunkSize: outputChunkBytes }))
    case 'zstd':
      return throughZstd(stream)
    case 'bzip2':
    case 'xz':
      return throughProgram(stream, compression)
  }
}

async function* throughZstd(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  for await (const frame of zstdFrames(source)) {
    yield* through(frame, createZstdDecompress({ chunkSize: outputChunkBytes }))
  }
}

async function* through(
  source: AsyncIterable<Buffer>,
  transform: ReturnType<typeof createGunzip> | ReturnType<typeof createZstdDecompress>,
): AsyncGenerator<Buffer> {
  const input = Readable.from(source, { objectMode: false, highWaterMark: outputChunkBytes })
  // A failure of the source (a cut download) must reach the reader, or it would wait for ever.
  input.on('error', (error) => transform.destroy(error))
  input.pipe(transform)
  try {
    for await (const chunk of transform) yield chunk
  } catch (error) {
    if (hasCode(error, 'Z_DATA_ERROR', 'Z_BUF_ERROR') || isZstdError(error)) {
      throw invalidArgument(`archive is damaged: ${(error as Error).message}`, error)
    }
    throw error
  } finally {
    input.destroy()
    transform.destroy()
  }
}

const isZstdError = (error: unknown) =>
  error instanceof Error && 'code' in error && String(error.code).startsWith('ZSTD_error')

async function* throughProgram(source: AsyncIterable<Buffer>, program: 'xz' | 'bzip2'): AsyncGenerator<Buffer> {
  const command = streamCommand([program, '-d', '-c', '-q'], { stdin: 'pipe', maxErrorBytes: 4096 })
  const input = Readable.from(source, { objectMode: false })
  let sourceError: unknown
  input.on('error', (error) => {
    sourceError = error
    command.kill()
  })
  if (command.stdin !== undefined) input.pipe(command.stdin)
  try {
    for await (const chunk of command.stdout) yield chunk
    const { exitCode } = await command.finished.catch((error) => {
      if (!hasCode(error.cause, 'ENOENT')) throw error
      throw notImplemented(`${program}-compressed archives need the program ${program}, which is not installed`)
    })
    if (sourceError !== undefined) throw sourceError
    if (exitCode !== 0) throw invalidArgument(`archive is damaged: ${program} could not read it`)
  } finally {
    input.destroy()
    command.kill()
  }
}
