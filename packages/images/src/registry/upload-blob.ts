/**
 * Sends one blob: in one piece, as most registries want it, or in chunks where a registry or what stands before it takes
 * no body of that size. A chunked upload goes on where the registry says it is; any other one begins anew.
 */
import { internal } from '@dockerd-ts/core'
import type { ContentStore } from '../content/content-store.ts'
import type { Descriptor } from '../oci/documents.ts'
import { counted } from '../progress/progress-stream.ts'
import type { HttpAnswer } from './http-client.ts'
import { RegistryError } from './registry-error.ts'
import type { RegistrySession } from './registry-session.ts'
import { type RetryOptions, retrying } from './retry.ts'

const chunkBytes = 8 * 1024 * 1024
const maxChunkBytes = 64 * 1024 * 1024
/** Refusals of the size or the way, not of the blob. */
const tooMuch = new Set([404, 405, 413, 501])
/** How often one upload may have to be taken up where the registry says it is. */
const maxCorrections = 5

export interface BlobUpload {
  content: ContentStore
  session: RegistrySession
  blob: Descriptor
  /** Another repository that may have the blob. */
  mountFrom: string | undefined
  retry: RetryOptions
  onBytes?: ((total: number) => void) | undefined
}

export async function uploadBlob(upload: BlobUpload): Promise<'uploaded' | 'mounted'> {
  const { retry, blob } = upload
  let chunked = false
  return retrying(retry, async (attempt) => {
    const start = await begin(upload, attempt === 1)
    if (start.status === 201) return 'mounted'
    try {
      await (chunked ? inChunks(upload, start) : inOnePiece(upload, start))
      return 'uploaded'
    } catch (error) {
      // A token can end while a large blob is on its way; a stream can't be sent twice, the whole upload can.
      const isRefused = error instanceof RegistryError && error.status === 401 && attempt === 1
      const isTooMuch = error instanceof RegistryError && tooMuch.has(error.status) && !chunked && blob.size > 0
      if (!isRefused && !isTooMuch) throw error
      chunked = isTooMuch
      const again = await begin(upload, false)
      await (chunked ? inChunks(upload, again) : inOnePiece(upload, again))
      return 'uploaded'
    }
  })
}

async function begin({ session, blob, mountFrom, retry }: BlobUpload, mount: boolean): Promise<HttpAnswer> {
  const asksMount = mount && mountFrom !== undefined
  const query = asksMount ? `?${new URLSearchParams({ mount: blob.digest, from: mountFrom })}` : ''
  const answer = await session.ask({
    method: 'POST',
    path: `${session.repository}/blobs/uploads/${query}`,
    // An empty body has a length; registries want it said.
    body: Buffer.alloc(0),
    expected: [201, 202],
    once: true,
    actions: 'pull,push',
    ...(asksMount && { alsoPull: mountFrom }),
    signal: retry.signal,
  })
  await answer.discard()
  return answer
}

function locationOf(answer: HttpAnswer): URL {
  const location = answer.header('location')
  if (location === undefined) throw internal('registry gave no location for the upload')
  return new URL(location, answer.url)
}

/** The registry's own parameters stay as they are written: they may be signed. */
function completing(location: URL, digest: string): URL {
  const target = new URL(location)
  target.search = `${target.search === '' ? '?' : `${target.search}&`}digest=${encodeURIComponent(digest)}`
  return target
}

async function inOnePiece({ session, content, blob, onBytes, retry }: BlobUpload, start: HttpAnswer): Promise<void> {
  const answer = await session.ask({
    method: 'PUT',
    path: completing(locationOf(start), blob.digest),
    headers: { 'content-type': 'application/octet-stream', 'content-length': String(blob.size) },
    body: () => counted(content.read(blob.digest), onBytes),
    expected: [201, 204],
    actions: 'pull,push',
    signal: retry.signal,
  })
  await answer.discard()
}

/** OCI distribution specification, "Pushing a blob in chunks". */
async function inChunks(upload: BlobUpload, start: HttpAnswer): Promise<void> {
  const { session, blob, onBytes, retry } = upload
  const wanted = Number(start.header('oci-chunk-min-length') ?? 0)
  const size = Math.min(Math.max(chunkBytes, Number.isSafeInteger(wanted) ? wanted : 0), maxChunkBytes)
  let target = locationOf(start)
  let corrections = 0
  for (let at = 0; at < blob.size; ) {
    const from = at
    const sent = await retrying(retry, (attempt) => sendChunk(upload, { target, from, size, attempt }))
    if (sent.answer.header('location') !== undefined) target = locationOf(sent.answer)
    else if (!sent.isState) throw internal('registry gave no location for the upload')
    at = reached(sent.answer, sent.isState ? 0 : Math.min(from + size, blob.size))
    // It may have lost what it had taken, but not again and again.
    if (at <= from && !(sent.isState && ++corrections <= maxCorrections)) {
      throw internal('registry makes no progress with the upload')
    }
    onBytes?.(at)
  }
  const done = await session.ask({
    method: 'PUT',
    path: completing(target, blob.digest),
    body: Buffer.alloc(0),
    expected: [201, 204],
    actions: 'pull,push',
    signal: retry.signal,
  })
  await done.discard()
}

interface Chunk {
  target: URL
  from: number
  size: number
  attempt: number
}

interface Sent {
  answer: HttpAnswer
  /** It says how far the upload is, not that the chunk was taken. */
  isState: boolean
}

async function sendChunk({ session, content, blob, retry }: BlobUpload, chunk: Chunk): Promise<Sent> {
  const asked = { actions: 'pull,push', once: true, signal: retry.signal } as const
  const state = async (): Promise<HttpAnswer> => {
    const answer = await session.ask({ ...asked, method: 'GET', path: chunk.target, expected: [202, 204] })
    await answer.discard()
    return answer
  }
  // After a failure the registry says how far it is; it may have taken the chunk before the connection broke.
  if (chunk.attempt > 1) {
    const answer = await state()
    if (reached(answer, 0) > chunk.from) return { answer, isState: true }
  }
  const end = Math.min(chunk.from + chunk.size, blob.size)
  const data = await content.readRange(blob.digest, chunk.from, end - chunk.from)
  const answer = await session.ask({
    ...asked,
    method: 'PATCH',
    path: chunk.target,
    headers: {
      'content-type': 'application/octet-stream',
      'content-range': `${chunk.from}-${end - 1}`,
    },
    body: data,
    expected: [202, 204, 416],
  })
  await answer.discard()
  // Not the range that it expects next.
  return answer.status === 416 ? { answer: await state(), isState: true } : { answer, isState: false }
}

/** `Range: 0-N`: bytes that the registry has. Of an upload without any registries say 0-0; nobody sends a single byte. */
function reached(answer: HttpAnswer, otherwise: number): number {
  const last = /^(?:bytes=)?0-(\d+)$/.exec(answer.header('range') ?? '')?.[1]
  return last === undefined || last === '0' ? otherwise : Number(last) + 1
}
