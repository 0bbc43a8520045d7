/** The file in which a monitor leaves how its process ended. */
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import type { ProcessExit } from '@dockerd-ts/core'
import { parseProcessExit } from './process-exit.ts'

/** Undefined when there is none. It is replaced by renaming, so what is there is whole. */
export async function readExitFile(directory: string): Promise<ProcessExit | undefined> {
  try {
    return parseProcessExit(await readFile(path.join(directory, 'exit.json'), 'utf8'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
