/** How the C program's `copy` is called, and what its exit codes mean (its copy/PROTOCOL.md). */
import { type ArchiveProblem, type FileView, internal, invalidArgument, type ViewMount } from '@dockerd-ts/core'
import type { StreamingCommand } from '../command/stream-command.ts'

/** Exit codes; 1 and 2 are failures in words. */
const problems: Readonly<Record<number, ArchiveProblem>> = { 3: 'no such file', 4: 'not a directory' }
const readOnlyExitCode = 5
export const maxErrorBytes = 16 * 1024

export function place({ root, mounts, idMap }: FileView, path: string): string[] {
  return [
    ...(idMap ? [`--id-map=${idMap}`] : []),
    root,
    path,
    ...mounts.flatMap((mount) => [modeOf(mount), mount.source, mount.destination]),
  ]
}

function modeOf({ writable, nonRecursive, readOnlyTopOnly }: ViewMount): string {
  return `${writable ? 'rw' : 'ro'}${nonRecursive ? ',n' : ''}${readOnlyTopOnly ? ',top' : ''}`
}

export function failure(exitCode: number, stderr: string): Error {
  if (exitCode === readOnlyExitCode) return invalidArgument(stderr)
  return internal(stderr === '' ? `the copying program ended with exit code ${exitCode}` : stderr)
}

export async function succeeded(command: StreamingCommand): Promise<ArchiveProblem | undefined> {
  const { exitCode, stderr } = await command.finished
  if (exitCode === 0) return undefined
  const problem = problems[exitCode]
  if (problem === undefined) throw failure(exitCode, stderr)
  return problem
}
