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

export async function writeAll(handle: FileHandle, data: Buffer): Promise<void> {
  for (let at = 0; at < data.length; ) at += (await handle.write(data, at, data.length - at)).bytesWritten
}

/** True for an error of that code. */
export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code))
}
