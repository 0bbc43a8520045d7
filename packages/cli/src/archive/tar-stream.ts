/** Reads tar archives entry by entry from a byte source, without holding more than a header in memory. */
import type { ByteSource } from '../client/streams.ts'
import { BLOCK_BYTES, decodeHeader, type Extensions, parsePax, type TarEntry } from './tar-header.ts'

export interface ReadEntry {
  entry: TarEntry
  /** The file's bytes; what is not read is skipped. */
  content: AsyncGenerator<Buffer, void>
}

export async function* readTar(source: ByteSource): AsyncGenerator<ReadEntry, void> {
  let extensions: Extensions = { pax: {}, longName: undefined, longLink: undefined }
  for (;;) {
    const block = await source.exactly(BLOCK_BYTES)
    if (!block) return
    const header = decodeHeader(block, extensions)
    // After the end mark only padding follows.
    if (!header) return drain(source)
    if (header.kind === 'entry') {
      const content = contentOf(source, header.entry.sizeBytes)
      yield { entry: header.entry, content }
      for await (const _ of content);
      extensions = { pax: {}, longName: undefined, longLink: undefined }
      continue
    }
    const body = (await source.exactly(header.sizeBytes)) ?? Buffer.alloc(0)
    await source.exactly((BLOCK_BYTES - (header.sizeBytes % BLOCK_BYTES)) % BLOCK_BYTES || 0)
    const name = () => body.toString('utf8').replace(/\0.*$/s, '')
    if (header.kind === 'pax') extensions.pax = parsePax(body)
    else if (header.kind === 'longName') extensions.longName = name()
    else if (header.kind === 'longLink') extensions.longLink = name()
  }
}

async function* contentOf(source: ByteSource, size: number): AsyncGenerator<Buffer, void> {
  for (let missing = size; missing > 0; ) {
    const piece = await source.chunk(missing)
    if (!piece) throw new Error('unexpected EOF')
    missing -= piece.length
    yield piece
  }
  const rest = (BLOCK_BYTES - (size % BLOCK_BYTES)) % BLOCK_BYTES
  if (rest > 0) await source.exactly(rest)
}

async function drain(source: ByteSource): Promise<void> {
  while (await source.chunk());
}
