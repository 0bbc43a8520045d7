/**
 * Splits a zstd stream into its frames. Node's decompressor ends with the first one, while parallel compressors and
 * seekable layers write many; skippable frames (tables of contents) are passed over. RFC 8878, section 3.1.
 */
import { invalidArgument } from '@dockerd-ts/core'
import { ByteSource } from '../tar/byte-source.ts'

const frameMagic = 0xfd2fb528
const skippableMagic = 0x184d2a50

/** Each frame has to be read to its end before the next is asked for. Throws invalidArgument for damaged data. */
export async function* zstdFrames(source: AsyncIterable<Buffer>): AsyncGenerator<AsyncGenerator<Buffer>> {
  const bytes = new ByteSource(source)
  try {
    for (;;) {
      const head = await bytes.take(4)
      if (head.length === 0) return
      const magic = head.length === 4 ? head.readUInt32LE(0) : 0
      if ((magic & 0xfffffff0) >>> 0 === skippableMagic) {
        const size = (await exactly(bytes, 4)).readUInt32LE(0)
        if (!(await bytes.skip(size))) throw damaged()
      } else if (magic === frameMagic) {
        yield frame(bytes, head)
      } else {
        throw damaged()
      }
    }
  } finally {
    await bytes.close()
  }
}

const damaged = () => invalidArgument('archive is damaged: unexpected end or content of zstd data')

async function exactly(bytes: ByteSource, size: number): Promise<Buffer> {
  const data = await bytes.take(size)
  if (data.length < size) throw damaged()
  return data
}

const dictionaryIdBytes = [0, 1, 2, 4]
const contentSizeBytes = [0, 2, 4, 8]

async function* frame(bytes: ByteSource, magic: Buffer): AsyncGenerator<Buffer> {
  const descriptor = await exactly(bytes, 1)
  const flags = descriptor[0] ?? 0
  const isSingleSegment = (flags & 0x20) !== 0
  const contentSize = flags >> 6 === 0 && isSingleSegment ? 1 : (contentSizeBytes[flags >> 6] ?? 0)
  const rest = (isSingleSegment ? 0 : 1) + (dictionaryIdBytes[flags & 3] ?? 0) + contentSize
  yield Buffer.concat([magic, descriptor, await exactly(bytes, rest)])
  for (let last = false; !last; ) {
    const header = await exactly(bytes, 3)
    yield header
    const value = header.readUIntLE(0, 3)
    last = (value & 1) === 1
    const isRle = ((value >> 1) & 3) === 1
    // A run-length block stores one byte, however long it becomes.
    let left = isRle ? 1 : value >> 3
    while (left > 0) {
      const part = await bytes.next(left)
      if (part === undefined) throw damaged()
      left -= part.length
      yield part
    }
  }
  if ((flags & 0x04) !== 0) yield await exactly(bytes, 4)
}
