/** Small file helpers. */
import { type FileHandle, mkdir, open } from 'node:fs/promises'

export async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

export async function makeDirectories(...paths: readonly string[]): Promise<void> {
  for (const path of paths) await mkdir(path, { recursive: true, mode: 0o710 })
}

const batchBytes = 1024 * 1024

/**
 * Writes chunks one after another, many to a system call, and takes the next ones meanwhile: a socket's chunks are small,
 * and each write is a way to another thread and back. Holds two batches at most.
 */
export class BatchedWriter {
  readonly #handle: FileHandle
  #batch: Buffer[] = []
  #size = 0
  #writing: Promise<void> = Promise.resolve()

  constructor(handle: FileHandle) {
    this.#handle = handle
  }

  /** Throws what an earlier write failed with. The chunk must not be changed afterwards. */
  async write(chunk: Buffer): Promise<void> {
    this.#batch.push(chunk)
    this.#size += chunk.length
    if (this.#size >= batchBytes) await this.#next()
  }

  async #next(): Promise<void> {
    const batch = this.#batch
    this.#batch = []
    this.#size = 0
    await this.#writing
    this.#writing = writeBatch(this.#handle, batch)
    // Thrown by whoever waits for it next.
    this.#writing.catch(() => {})
  }

  /** Everything is in the file. */
  async flush(): Promise<void> {
    await this.#next()
    await this.#writing
  }
}

async function writeBatch(handle: FileHandle, batch: readonly Buffer[]): Promise<void> {
  if (batch.length === 0) return
  const { bytesWritten } = await handle.writev(batch)
  const size = batch.reduce((sum, { length }) => sum + length, 0)
  if (bytesWritten === size) return
  const rest = Buffer.concat(batch).subarray(bytesWritten)
  for (let at = 0; at < rest.length; ) at += (await handle.write(rest, at)).bytesWritten
}

/** True for an error of that code. */
export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code))
}
