/** Runs the C program that unpacks tars into directories and packs directories into tars (its PROTOCOL.md). */
import { type ChildProcess, spawn } from 'node:child_process'
import { open } from 'node:fs/promises'
import { PassThrough, Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { internal, invalidArgument } from '@dockerd-ts/core'

export interface UnpackRequest {
  program: string
  directory: string
  /** An uncompressed tar: a file, which the program reads itself, or a stream. */
  source: { path: string } | { stream: AsyncIterable<Buffer> }
  /** Whiteouts become overlayfs's, and the filesystem is synchronised at the end. */
  asLayer: boolean
  signal?: AbortSignal
}

const maxMessageBytes = 16 * 1024

/** Throws invalidArgument when the archive is at fault, internal when the machine is. Answers the size Docker counts. */
export async function unpack(request: UnpackRequest): Promise<{ sizeBytes: number; entries: number }> {
  const { program, directory, source, asLayer, signal } = request
  signal?.throwIfAborted()
  const file = 'path' in source ? await open(source.path, 'r') : undefined
  try {
    const child = spawn(program, ['unpack', ...(asLayer ? ['--layer', '--sync'] : []), directory], {
      stdio: [file?.fd ?? 'pipe', 'pipe', 'pipe'],
      env: {},
    })
    const finished = collect(child)
    const stop = () => child.kill('SIGKILL')
    signal?.addEventListener('abort', stop, { once: true })
    try {
      const fed = 'stream' in source && child.stdin !== null ? feed(source.stream, child) : undefined
      const [result, feeding] = await Promise.all([finished, fed])
      signal?.throwIfAborted()
      return readResult(result, feeding)
    } finally {
      signal?.removeEventListener('abort', stop)
      child.kill('SIGKILL')
    }
  } finally {
    await file?.close()
  }
}

/** Answers the error of the source, if it had one; then the child was stopped and its own message says nothing. */
async function feed(stream: AsyncIterable<Buffer>, child: ChildProcess): Promise<{ sourceError?: unknown }> {
  const input = Readable.from(stream, { objectMode: false, highWaterMark: 256 * 1024 })
  let sourceError: unknown
  input.once('error', (error) => {
    sourceError = error
  })
  try {
    if (child.stdin !== null) await pipeline(input, child.stdin)
  } catch {
    // A closed pipe is the child's failure, which its exit tells better; a failed source must not look like an end.
    if (sourceError !== undefined) child.kill('SIGKILL')
  }
  return sourceError === undefined ? {} : { sourceError }
}

interface Finished {
  status: number | null
  signal: NodeJS.Signals | null
  output: string
  message: string
}

function collect(child: ChildProcess): Promise<Finished> {
  let output = ''
  let message = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    if (output.length < maxMessageBytes) output += text
  })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    if (message.length < maxMessageBytes) message += text
  })
  return new Promise((resolve, reject) => {
    child.on('error', (error) => reject(internal(`the layer program can't be started: ${error.message}`, error)))
    child.on('close', (status, signal) => resolve({ status, signal, output, message: message.trim() }))
  })
}

function readResult(
  { status, signal, output, message }: Finished,
  feeding: { sourceError?: unknown } | undefined,
): { sizeBytes: number; entries: number } {
  // A limit that the stream broke (EngineError) explains more than the child's "unexpected EOF".
  if (feeding !== undefined && 'sourceError' in feeding) throw feeding.sourceError
  if (status === 0) return JSON.parse(output) as { sizeBytes: number; entries: number }
  if (status === 1) throw invalidArgument(message === '' ? 'invalid tar' : message)
  throw internal(message === '' ? `the layer program ended with ${signal ?? status}` : message)
}

/** A directory as a tar. The stream fails when the program does. */
export function pack(request: { program: string; directory: string; asLayer: boolean }): Readable {
  const { program, directory, asLayer } = request
  const child = spawn(program, ['pack', ...(asLayer ? ['--layer'] : []), directory], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {},
  })
  const output = new PassThrough({ highWaterMark: 256 * 1024 })
  const finished = collectErrors(child)
  child.stdout?.pipe(output, { end: false })
  finished.then(
    ({ status, signal, message }) => {
      if (status === 0) output.end()
      else output.destroy(internal(message === '' ? `the layer program ended with ${signal ?? status}` : message))
    },
    (error) => output.destroy(error),
  )
  output.on('close', () => child.kill('SIGKILL'))
  return output
}

function collectErrors(child: ChildProcess): Promise<Finished> {
  let message = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    if (message.length < maxMessageBytes) message += text
  })
  return new Promise((resolve, reject) => {
    child.on('error', (error) => reject(internal(`the layer program can't be started: ${error.message}`, error)))
    child.on('close', (status, signal) => resolve({ status, signal, output: '', message: message.trim() }))
  })
}
