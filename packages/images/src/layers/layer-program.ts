/** Runs the C program that unpacks tars into directories (its PROTOCOL.md). */
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { internal, invalidArgument } from '@dockerd-ts/core'
import { type StreamingCommand, streamCommand } from '@dockerd-ts/linux'
import type { LayerJobs } from './layer-jobs.ts'

export interface UnpackRequest {
  directory: string
  /** Whiteouts become overlayfs's. */
  asLayer: boolean
  signal?: AbortSignal
}

interface FileRequest extends UnpackRequest {
  jobs: LayerJobs
  /** A tar, which the program reads and inflates itself. */
  path: string
  gzip: boolean
  /** Bytes of the file that have been read. */
  onBytes?: ((total: number) => void) | undefined
}

interface StreamRequest extends UnpackRequest {
  program: string
  /** A plain tar. */
  stream: AsyncIterable<Buffer>
}

export interface Unpacked {
  /** As Docker counts: file bytes and link texts, each file once. */
  sizeBytes: number
  entries: number
  /** Of the plain bytes, unless they were the file's own. */
  digest?: string
}

const maxErrorBytes = 16 * 1024
const pipeBytes = 256 * 1024

/** Throws invalidArgument when the archive is at fault, internal when the machine is. */
export async function unpackFile(request: FileRequest): Promise<Unpacked> {
  const { jobs, path, gzip, directory, asLayer, signal, onBytes } = request
  const options = [...(asLayer ? ['--layer'] : []), ...(gzip ? ['--gzip', '--digest'] : []), '--progress']
  const { exitCode, output, errors } = await jobs.run({
    argv: ['unpack', ...options, directory, path],
    onBytes,
    signal,
  })
  return answer(exitCode, output, errors)
}

/** As `unpackFile`, of data that the program can't read itself. The digest is of what was streamed. */
export async function unpackStream(request: StreamRequest): Promise<Unpacked> {
  const { program, directory, asLayer, stream, signal } = request
  signal?.throwIfAborted()
  const argv = [program, 'unpack', ...(asLayer ? ['--layer'] : []), '--digest', directory]
  const command = streamCommand(argv, { stdin: 'pipe', environment: {}, maxErrorBytes })
  const stop = () => command.kill()
  signal?.addEventListener('abort', stop, { once: true })
  try {
    const outputs = [text(command.stdout), command.finished] as const
    const [fed, output, { exitCode, stderr }] = await Promise.all([feed(stream, command), ...outputs])
    signal?.throwIfAborted()
    // A limit that the stream broke, or a cut download, explains more than the program's "unexpected EOF".
    if ('sourceError' in fed) throw fed.sourceError
    return answer(exitCode, output, stderr)
  } finally {
    signal?.removeEventListener('abort', stop)
    command.kill()
  }
}

function answer(exitCode: number, output: string, errors: string): Unpacked {
  if (exitCode === 0) return JSON.parse(output) as Unpacked
  if (exitCode === 1) throw invalidArgument(errors === '' ? 'invalid tar' : errors)
  throw failed(exitCode, errors)
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
