/** A directory of the host as a tar, packed by the C program (its layer/PROTOCOL.md). */
import type { Readable } from 'node:stream'
import { internal } from '@dockerd-ts/core'
import { streamCommand } from '../command/stream-command.ts'
import { tarOutput } from '../command/tar-output.ts'

const maxErrorBytes = 16 * 1024

/** The stream fails when the program does. */
export function packTree(request: { program: string; directory: string; asLayer: boolean; idMap?: string }): Readable {
  const { program, directory, asLayer, idMap } = request
  const argv = [program, 'pack', ...(idMap ? [`--id-map=${idMap}`] : []), ...(asLayer ? ['--layer'] : []), directory]
  const command = streamCommand(argv, { stdin: 'none', environment: {}, maxErrorBytes })
  return tarOutput(command, (exitCode, stderr) =>
    internal(stderr === '' ? `the packing program ended with exit code ${exitCode}` : stderr),
  )
}
