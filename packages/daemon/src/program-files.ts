/** Files that belong to the program: beside the bundle in a release, in the source tree while developing. */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { monitorProgramInSourceTree } from '@dockerd-ts/linux'

/** The C program. */
export function monitorProgram(): string {
  const beside = fileURLToPath(new URL('./dockerd-ts-monitor', import.meta.url))
  return existsSync(beside) ? beside : monitorProgramInSourceTree()
}
