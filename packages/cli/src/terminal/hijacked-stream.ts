/** Joins this program's standard streams to an upgraded connection: `run`, `attach`, `exec`, `start -a`. */
import { isatty } from 'node:tty'
import type { Cli } from '../cli.ts'
import { type Connection, write } from '../client/http.ts'
import { copyRaw, demultiplex } from '../client/streams.ts'
import { DEFAULT_DETACH_KEYS, DetachScanner, parseDetachKeys } from './detach-keys.ts'
import { enterRawMode } from './raw-mode.ts'

export interface JoinOptions {
  tty: boolean
  stdin: boolean
  stdout: boolean
  stderr: boolean
  /** Empty for the default sequence. */
  detachKeys: string
}

/** How a joined stream ended: the other side closed it, or the user left with the detach keys. */
export type JoinEnd = 'closed' | 'detached'

/** Starts copying; the returned promise settles when the output has ended or the user detached. */
export async function joinStreams(cli: Cli, connection: Connection, options: JoinOptions): Promise<JoinEnd> {
  const raw = options.stdin && options.tty && isatty(0)
  const keys = parseDetachKeys(options.detachKeys || DEFAULT_DETACH_KEYS)
  const restore = raw ? enterRawMode() : () => {}
  process.once('exit', restore)
  try {
    const output = copyOutput(cli, connection, options).then((): JoinEnd => 'closed')
    if (!options.stdin) {
      return await output
    }
    const detached = copyInput(connection, options.tty ? new DetachScanner(keys) : undefined)
    return await Promise.race([output, detached])
  } finally {
    restore()
    process.off('exit', restore)
    if (options.stdin) process.stdin.pause()
    connection.socket.destroy()
  }
}

async function copyOutput(cli: Cli, connection: Connection, options: JoinOptions): Promise<void> {
  const out = options.stdout ? (bytes: Uint8Array) => cli.out(bytes) : () => {}
  const err = options.stderr ? (bytes: Uint8Array) => cli.err(bytes) : () => {}
  if (options.tty) return copyRaw(connection.reader, options.stdout ? out : err)
  return demultiplex(connection.reader, { out, err })
}

/** Settles only on detaching; the end of the input closes the sending half and leaves the output running. */
function copyInput({ socket }: Connection, scanner: DetachScanner | undefined): Promise<JoinEnd> {
  return new Promise((resolve, reject) => {
    const pump = async () => {
      for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
        const { forward, detached } = scanner ? scanner.scan(chunk) : { forward: chunk, detached: false }
        if (forward.length > 0) await write(socket, Buffer.from(forward))
        if (detached) return resolve('detached')
        if (socket.destroyed) return
      }
      socket.end()
    }
    // A container that does not read its input any more is no error of ours: its output tells the rest.
    pump().catch((error: NodeJS.ErrnoException) =>
      error.code === 'EPIPE' || error.code === 'ECONNRESET' ? undefined : reject(error),
    )
  })
}
