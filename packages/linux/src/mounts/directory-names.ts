/** Lists directories that need not exist. */
import { readdir } from 'node:fs/promises'
import { isGone } from './safe-walk.ts'

export async function namesIn(directory: string): Promise<string[]> {
  return readdir(directory).catch((error) => {
    if (isGone(error)) return []
    throw error
  })
}
