/** The output of a program as a stream that fails when the program does: a truncated tar must not look whole. */
import { PassThrough, type Readable } from 'node:stream'
import type { StreamingCommand } from './stream-command.ts'

const pipeBytes = 256 * 1024

/** Closing the stream ends the program. `failure` words an exit code that is not 0. */
export function tarOutput(
  command: StreamingCommand,
  failure: (exitCode: number, stderr: string) => Error,
  head: Buffer = Buffer.alloc(0),
): Readable {
  const output = new PassThrough({ highWaterMark: pipeBytes })
  if (head.length > 0) output.write(head)
  command.stdout.pipe(output, { end: false })
  command.finished.then(
    ({ exitCode, stderr }) => {
      if (exitCode === 0) output.end()
      else output.destroy(failure(exitCode, stderr))
    },
    (error) => output.destroy(error),
  )
  output.on('close', () => command.kill())
  return output
}
