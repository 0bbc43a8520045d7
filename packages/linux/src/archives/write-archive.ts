/**
 * An archive into a container: pumped to the C program, or read by it from the client's own connection, so that a large
 * one does not go through this process. Only a plain archive is lent: the program undoes no compression.
 */
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ArchiveProblem, FileView, LentConnection, WriteRequest } from '@dockerd-ts/core'
import { type StreamingCommand, streamCommand } from '../command/stream-command.ts'
import { maxErrorBytes, place, succeeded } from './copy-program.ts'

export interface WriteArchiveOptions {
  /** The C program. */
  program: string
  /** Undoes whatever compression the first bytes tell. */
  decompress: (source: AsyncIterable<Buffer>) => Promise<AsyncIterable<Buffer>>
  /** Whether these first bytes tell none. */
  isPlain: (head: Buffer) => boolean
}

const pipeBytes = 256 * 1024

export async function writeArchive(
  { program, decompress, isPlain }: WriteArchiveOptions,
  view: FileView,
  request: WriteRequest,
): Promise<ArchiveProblem | undefined> {
  const argv = (more: readonly string[]) => [
    ...[program, 'copy', 'put', ...more],
    ...(view.readOnlyRoot ? ['--read-only-root'] : []),
    ...(request.keepKinds ? ['--keep-kinds'] : []),
    ...(request.owner ? [`--owner=${request.owner.uid}:${request.owner.gid}`] : []),
    ...place(view, request.path),
  ]
  const lent = await request.tar.lend?.(isPlain)
  if (lent !== undefined) return fromConnection(argv([`--body=${lent.leftBytes}`]), lent)
  return pump(argv([]), lazily(request.tar, decompress))
}

/** The connection is given back when the program has ended, and cannot be reading any more. */
async function fromConnection(argv: string[], lent: LentConnection): Promise<ArchiveProblem | undefined> {
  let readBytes: number | undefined
  try {
    const { descriptor: descriptor3, head, closed } = lent
    const command = streamCommand(argv, { stdin: 'pipe', descriptor3, environment: {}, maxErrorBytes })
    const kill = () => command.kill()
    closed.addEventListener('abort', kill)
    if (closed.aborted) kill()
    command.stdin?.end(head)
    const told = lastLine(command)
    try {
      const { exitCode } = await command.finished
      readBytes = bytesRead(await told, exitCode)
    } finally {
      closed.removeEventListener('abort', kill)
    }
    return await succeeded(command)
  } finally {
    lent.giveBack(readBytes)
  }
}

/** What fails before it comes to the body has no line about it. */
function bytesRead(line: string, exitCode: number): number | undefined {
  const found = /^\{"bodyBytes":(\d+)\}$/.exec(line)?.[1]
  if (found !== undefined) return Number(found)
  return exitCode < signalExitCode ? 0 : undefined
}

const signalExitCode = 128
const maxOutputBytes = 4096

async function lastLine({ stdout }: StreamingCommand): Promise<string> {
  let text = ''
  for await (const chunk of stdout) text = (text + chunk).slice(-maxOutputBytes)
  return text.trimEnd().split('\n').at(-1) ?? ''
}

async function pump(argv: string[], bytes: AsyncIterable<Buffer>): Promise<ArchiveProblem | undefined> {
  const command = streamCommand(argv, { stdin: 'pipe', environment: {}, maxErrorBytes })
  command.stdout.resume()
  let sourceError: unknown
  const tar = watched(bytes, (error) => {
    sourceError = error
    // A cut upload must not look like an end.
    command.kill()
  })
  const source = Readable.from(tar, { objectMode: false, highWaterMark: pipeBytes })
  try {
    // A pipe that the program closed is the program's failure, which its exit tells better.
    const feeding = command.stdin === undefined ? undefined : pipeline(source, command.stdin).catch(() => {})
    const problem = await succeeded(command).catch((error) => {
      throw sourceError ?? error
    })
    source.destroy()
    await feeding
    return problem
  } finally {
    source.destroy()
    command.kill()
  }
}

/** Only what the source itself throws: the pipe's own errors are the program's. */
async function* watched(source: AsyncIterable<Buffer>, onError: (error: unknown) => void): AsyncGenerator<Buffer> {
  try {
    yield* source
  } catch (error) {
    onError(error)
    throw error
  }
}

/** The kind of compression is looked for when the first bytes are wanted, so that no request waits for its own body. */
async function* lazily(
  source: AsyncIterable<Buffer>,
  decompress: WriteArchiveOptions['decompress'],
): AsyncGenerator<Buffer> {
  yield* await decompress(source)
}
