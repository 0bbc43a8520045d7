/** Writes to the standard outputs at once and in order. Node's stream objects for them would cost start-up time. */
import { writeSync } from 'node:fs'

export const STDOUT = 1
export const STDERR = 2

const SIGPIPE_EXIT_CODE = 141
const FULL_PIPE_PAUSE_MS = 2

export function writeFully(fd: number, text: string | Uint8Array): void {
  let bytes: Uint8Array = typeof text === 'string' ? Buffer.from(text) : text
  while (bytes.length > 0) {
    try {
      bytes = bytes.subarray(writeSync(fd, bytes))
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code
      // The reader went away: end as SIGPIPE would end a program.
      if (code === 'EPIPE') process.exit(SIGPIPE_EXIT_CODE)
      if (code !== 'EAGAIN') throw error
      // Somebody made the pipe non-blocking and it is full; there is no event to wait for on a bare descriptor.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, FULL_PIPE_PAUSE_MS)
    }
  }
}
