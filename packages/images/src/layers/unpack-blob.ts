/** A layer's blob, compressed or not, into a directory; the digest of its plain bytes is computed on the way. */
import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { decompress, detectCompression } from '../archive/compression.ts'
import type { LayerJobs } from './layer-jobs.ts'
import { unpackFile, unpackStream } from './layer-program.ts'

export interface LayerSource {
  path: string
  /** Of the file, verified. */
  digest: string
  /** Bytes of the blob that have been read. */
  onBytes?: ((total: number) => void) | undefined
  signal?: AbortSignal | undefined
}

const readBytes = 256 * 1024

export async function unpackBlob(
  { jobs, program }: { jobs: LayerJobs; program: string },
  directory: string,
  source: LayerSource,
): Promise<{ diffId: string; sizeBytes: number }> {
  const { path, digest, onBytes, signal } = source
  const common = { directory, asLayer: true, ...(signal && { signal }) }
  const { head, sizeBytes: blobBytes } = await headOf(path)
  const compression = detectCompression(head)
  if (compression === 'none' || compression === 'gzip') {
    const unpacked = await unpackFile({ ...common, jobs, path, gzip: compression === 'gzip', onBytes })
    onBytes?.(blobBytes)
    // An uncompressed blob is its own diff, and its digest has been verified.
    return { diffId: unpacked.digest ?? digest, sizeBytes: unpacked.sizeBytes }
  }
  const stream = await decompress(counted(createReadStream(path, { highWaterMark: readBytes }), onBytes))
  const unpacked = await unpackStream({ ...common, program, stream })
  return { diffId: unpacked.digest ?? '', sizeBytes: unpacked.sizeBytes }
}

const tarMagicAt = 257

/** Compressed, or a tar by its magic: what else an archive of images has are documents. */
export async function looksLikeLayer(path: string): Promise<boolean> {
  const { head } = await headOf(path)
  return detectCompression(head) !== 'none' || head.toString('latin1', tarMagicAt, tarMagicAt + 5) === 'ustar'
}

async function headOf(path: string): Promise<{ head: Buffer; sizeBytes: number }> {
  const handle = await open(path, 'r')
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(512), 0, 512, 0)
    return { head: buffer.subarray(0, bytesRead), sizeBytes: (await handle.stat()).size }
  } finally {
    await handle.close()
  }
}

async function* counted(source: AsyncIterable<Buffer>, onBytes?: (total: number) => void): AsyncGenerator<Buffer> {
  let total = 0
  for await (const chunk of source) {
    total += chunk.length
    onBytes?.(total)
    yield chunk
  }
}
