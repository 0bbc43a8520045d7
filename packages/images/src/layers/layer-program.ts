/** Runs the C program that unpacks tars into directories and packs directories into tars (its PROTOCOL.md). */
import { open } from 'node:fs/promises'
import { PassThrough, Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { internal, invalidArgument } from '@dockerd-ts/core'
import { type StreamingCommand, streamCommand } from '@dockerd-ts/linux'

export interface UnpackRequest {
  program: string
  directory: string
  /** An uncompressed tar: a file, which the program reads itself, or a stream. */
  source: { path: string } | { stream: AsyncIterable<Buffer> }
  /** Whiteouts become overlayfs's, and the filesystem is synchronised at the end. */
  asLayer: boolean
  signal?: AbortSignal
}

export interface Unpacked {
  /** As Docker counts: file bytes and link texts, each file once. */
  sizeBytes: number
  entries: number
}

const maxErrorBytes = 16 * 1024
const pipeBytes = 256 * 1024

/** Throws invalidArgument when the archive is at fault, internal when the machine is. */
export async function unpack(request: UnpackRequest): Promise<Unpacked> {
  const { program, directory, source, asLayer, signal } = request
  signal?.throwIfAborted()
  const file = 'path' in source ? await open(source.path, 'r') : undefined
  try {
    const argv = [program, 'unpack', ...(asLayer ? ['--layer', '--sync'] : []), directory]
    const command = streamCommand(argv, { stdin: file?.fd ?? 'pipe', environment: {}, maxErrorBytes })
    const stop = () => command.kill()
    signal?.addEventListener('abort', stop, { once: true })
    try {
      return await exchange(command, source, signal)
    } finally {
      signal?.removeEventListener('abort', stop)
      command.kill()
    }
  } finally {
    await file?.close()
  }
}

async function exchange(
  command: StreamingCommand,
  source: UnpackRequest['source'],
  signal: AbortSignal | undefined,
): Promise<Unpacked> {
  const feeding = 'stream' in source ? feed(source.stream, command) : Promise.resolve({})
  const [fed, output, { exitCode, stderr }] = await Promise.all([feeding, text(command.stdout), command.finished])
  signal?.throwIfAborted()
  // A limit that the stream broke, or a cut download, explains more than the program's "unexpected EOF".
  if ('sourceError' in fed) throw fed.sourceError
  if (exitCode === 0) return JSON.parse(output) as Unpacked
  if (exitCode === 1) throw invalidArgument(stderr === '' ? 'invalid tar' : stderr)
  throw failed(exitCode, stderr)
}

const failed = (exitCode: number, stderr: string) =>
  internal(stderr === '' ? `the layer program ended with exit code ${exitCode}` : stderr)

/** Answers the error of the source, if it had one: then the program is stopped, for a failed source must not look like an end. */
async function feed(stream: AsyncIterable<Buffer>, command: StreamingCommand): Promise<{ sourceError?: unknown }> {
  const input = Readable.from(stream, { objectMode: false, highWaterMark: pipeBytes })
  const result: { sourceError?: unknown } = {}
  input.once('error', (error) => {
    result.sourceError = error
    command.kill()
  })
  // A pipe that the program closed is the program's failure, which its exit tells better.
  if (command.stdin !== undefined) await pipeline(input, command.stdin).catch(() => {})
  return result
}

/** A directory as a tar. The stream fails when the program does. */
export function pack(request: { program: string; directory: string; asLayer: boolean }): Readable {
  const { program, directory, asLayer } = request
  const argv = [program, 'pack', ...(asLayer ? ['--layer'] : []), directory]
  const command = streamCommand(argv, { stdin: 'none', environment: {}, maxErrorBytes })
  const output = new PassThrough({ highWaterMark: pipeBytes })
  command.stdout.pipe(output, { end: false })
  command.finished.then(
    ({ exitCode, stderr }) => {
      if (exitCode === 0) output.end()
      else output.destroy(failed(exitCode, stderr))
    },
    (error) => output.destroy(error),
  )
  output.on('close', () => command.kill())
  return output
}
