/** Runs the C program that unpacks tars into directories and packs directories into tars (its PROTOCOL.md). */
import { open } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { PassThrough, Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { internal, invalidArgument } from '@dockerd-ts/core'
import { type StreamingCommand, streamCommand } from '@dockerd-ts/linux'

export interface UnpackRequest {
  program: string
  directory: string
  /** A tar: a file, which the program reads (and inflates) itself, or a plain stream. */
  source: { path: string; gzip: boolean } | { stream: AsyncIterable<Buffer> }
  /** Whiteouts become overlayfs's. */
  asLayer: boolean
  /** Has the digest of the plain bytes computed. */
  digest?: boolean
  /** Of a file: bytes that have been read. */
  onBytes?: ((total: number) => void) | undefined
  signal?: AbortSignal
}

export interface Unpacked {
  /** As Docker counts: file bytes and link texts, each file once. */
  sizeBytes: number
  entries: number
  /** Where it was asked for. */
  digest?: string
}

const maxErrorBytes = 16 * 1024
const pipeBytes = 256 * 1024

/** Throws invalidArgument when the archive is at fault, internal when the machine is. */
export async function unpack(request: UnpackRequest): Promise<Unpacked> {
  const { source, signal } = request
  signal?.throwIfAborted()
  const file = 'path' in source ? await open(source.path, 'r') : undefined
  try {
    const command = streamCommand(commandLine(request), { stdin: file?.fd ?? 'pipe', environment: {}, maxErrorBytes })
    const stop = () => command.kill()
    signal?.addEventListener('abort', stop, { once: true })
    try {
      return await exchange(command, request)
    } finally {
      signal?.removeEventListener('abort', stop)
      command.kill()
    }
  } finally {
    await file?.close()
  }
}

function commandLine({ program, directory, source, asLayer, digest, onBytes }: UnpackRequest): string[] {
  const flags = {
    '--layer': asLayer,
    '--gzip': 'path' in source && source.gzip,
    '--digest': digest === true,
    '--progress': onBytes !== undefined,
  }
  const set = Object.entries(flags).filter(([, isSet]) => isSet)
  return [program, 'unpack', ...set.map(([flag]) => flag), directory]
}

async function exchange(command: StreamingCommand, { source, signal, onBytes }: UnpackRequest): Promise<Unpacked> {
  const feeding = 'stream' in source ? feed(source.stream, command) : Promise.resolve({})
  const outputs = [lastLine(command.stdout, onBytes), command.finished] as const
  const [fed, output, { exitCode, stderr }] = await Promise.all([feeding, ...outputs])
  signal?.throwIfAborted()
  // A limit that the stream broke, or a cut download, explains more than the program's "unexpected EOF".
  if ('sourceError' in fed) throw fed.sourceError
  if (exitCode === 0) return JSON.parse(output) as Unpacked
  if (exitCode === 1) throw invalidArgument(stderr === '' ? 'invalid tar' : stderr)
  throw failed(exitCode, stderr)
}

/** The lines before it are numbers. */
async function lastLine(stdout: Readable, onBytes: ((total: number) => void) | undefined): Promise<string> {
  let last = ''
  for await (const line of createInterface(stdout)) {
    if (/^\d+$/.test(line)) onBytes?.(Number(line))
    else last = line
  }
  return last
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
