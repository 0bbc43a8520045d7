/**
 * A program that data streams through (layers, archives): its input and output are pipes that the caller reads and
 * writes, what it says on stderr is kept up to a bound. Who starts it ends it: by its input's end, or by `kill`.
 */
import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import type { Readable, Writable } from 'node:stream'
import { CommandError } from './run-command.ts'

export interface StreamingCommand {
  /** Undefined unless the input is a pipe. Its errors are not raised: a program may end without reading it all. */
  stdin: Writable | undefined
  stdout: Readable
  /** After both outputs have ended. Rejects with a CommandError when the program can't be started. */
  finished: Promise<{ exitCode: number; stderr: string }>
  kill(): void
}

export interface StreamingCommandOptions {
  /** A descriptor is handed to the program as it is. */
  stdin: 'none' | 'pipe' | number
  /** What the program gets as descriptor 3; it stays open here. */
  descriptor3?: number
  environment?: Readonly<Record<string, string>>
  /** Of stderr; more is dropped. */
  maxErrorBytes: number
}

export function streamCommand(argv: readonly string[], options: StreamingCommandOptions): StreamingCommand {
  const [program = '', ...rest] = argv
  const child = spawn(program, rest, {
    stdio: [
      options.stdin === 'none' ? 'ignore' : options.stdin,
      'pipe',
      'pipe',
      ...(options.descriptor3 === undefined ? [] : [options.descriptor3]),
    ],
    ...(options.environment && { env: { ...options.environment } }),
  })
  let stderr = Buffer.alloc(0)
  child.stderr?.on('data', (chunk: Buffer) => {
    if (stderr.length < options.maxErrorBytes) stderr = Buffer.concat([stderr, chunk])
  })
  child.stdin?.on('error', () => {})
  const finished = new Promise<{ exitCode: number; stderr: string }>((resolve, reject) => {
    child.on('error', (error) =>
      reject(new CommandError(`${program} could not be started: ${error.message}`, undefined, error)),
    )
    child.on('close', (code, signal) => {
      const exitCode = code ?? 128 + (signal === null ? 0 : (constants.signals[signal] ?? 0))
      resolve({ exitCode, stderr: stderr.toString('utf8', 0, options.maxErrorBytes).trim() })
    })
  })
  // Whoever reads the output first learns of a failure there; `finished` still rejects for who awaits it.
  finished.catch(() => {})
  const { stdout } = child
  if (stdout === null) throw new CommandError(`${program} has no output pipe`)
  return { stdin: child.stdin ?? undefined, stdout, finished, kill: () => void child.kill('SIGKILL') }
}
