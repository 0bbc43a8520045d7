/** Where the C program lies in a source tree; an installed daemon names its own place. */
import { fileURLToPath } from 'node:url'

export function monitorProgramInSourceTree(): string {
  return fileURLToPath(new URL('../../../monitor/build/dockerd-ts-monitor', import.meta.url))
}
