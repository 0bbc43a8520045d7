/**
 * docker cp's side in the container: the ContainerArchives port. One short-lived process of the C program per call enters
 * the container's view of its files and works there (its copy/PROTOCOL.md); it ends with the stream or the daemon.
 */
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import {
  type ArchiveProblem,
  type ContainerArchives,
  type FileStat,
  type FileView,
  internal,
  invalidArgument,
  type ViewMount,
  type WriteRequest,
} from '@dockerd-ts/core'
import { type StreamingCommand, streamCommand } from '../command/stream-command.ts'
import { tarOutput } from '../command/tar-output.ts'
import { packTree } from './pack-tree.ts'

export interface ContainerArchivesOptions {
  /** The C program. */
  program: string
  /** Undoes whatever compression the first bytes tell. */
  decompress: (source: AsyncIterable<Buffer>) => Promise<AsyncIterable<Buffer>>
}

/** Exit codes of `copy`; 1 and 2 are failures in words. */
const problems: Readonly<Record<number, ArchiveProblem>> = { 3: 'no such file', 4: 'not a directory' }
const readOnlyExitCode = 5
const maxErrorBytes = 16 * 1024
const maxStatBytes = 16 * 1024
const pipeBytes = 256 * 1024

export function createContainerArchives({ program, decompress }: ContainerArchivesOptions): ContainerArchives {
  return {
    async stat(view, path) {
      const command = start([program, 'copy', 'stat', ...place(view, path)], 'none')
      const found = await readStat(command)
      if ('problem' in found) return found.problem
      command.stdout.resume()
      await succeeded(command)
      return found.stat
    },
    async read(view, path, prefix) {
      const command = start([program, 'copy', 'get', `--prefix=${prefix}`, ...place(view, path)], 'none')
      const found = await readStat(command)
      if ('problem' in found) return found.problem
      return { stat: found.stat, tar: tarOutput(command, failure, found.rest) }
    },
    write: (view, request) => write(program, view, { ...request, tar: lazily(request.tar, decompress) }),
    pack: (directory, { asLayer }) => packTree({ program, directory, asLayer }),
  }
}

const start = (argv: string[], stdin: 'none' | 'pipe'): StreamingCommand =>
  streamCommand(argv, { stdin, environment: {}, maxErrorBytes })

function place({ root, mounts }: FileView, path: string): string[] {
  return [root, path, ...mounts.flatMap((mount) => [modeOf(mount), mount.source, mount.destination])]
}

function modeOf({ writable, nonRecursive, readOnlyTopOnly }: ViewMount): string {
  return `${writable ? 'rw' : 'ro'}${nonRecursive ? ',n' : ''}${readOnlyTopOnly ? ',top' : ''}`
}

function failure(exitCode: number, stderr: string): Error {
  if (exitCode === readOnlyExitCode) return invalidArgument(stderr)
  return internal(stderr === '' ? `the copying program ended with exit code ${exitCode}` : stderr)
}

async function succeeded(command: StreamingCommand): Promise<ArchiveProblem | undefined> {
  const { exitCode, stderr } = await command.finished
  if (exitCode === 0) return undefined
  const problem = problems[exitCode]
  if (problem === undefined) throw failure(exitCode, stderr)
  return problem
}

/** The line that comes before the tar, and what was read beyond it. */
async function readStat(
  command: StreamingCommand,
): Promise<{ stat: FileStat; rest: Buffer } | { problem: ArchiveProblem }> {
  const chunks: Buffer[] = []
  let length = 0
  for (let chunk = await nextChunk(command.stdout); chunk !== undefined; chunk = await nextChunk(command.stdout)) {
    const end = chunk.indexOf(0x0a)
    chunks.push(chunk)
    length += chunk.length
    if (end < 0 && length <= maxStatBytes) continue
    const all = Buffer.concat(chunks)
    const newline = all.indexOf(0x0a)
    if (newline < 0) break
    return { stat: parseStat(all.toString('utf8', 0, newline)), rest: all.subarray(newline + 1) }
  }
  const problem = await succeeded(command)
  if (problem === undefined) throw internal('the copying program told nothing of the file')
  return { problem }
}

/** Undefined at the end. The stream stays open for whoever reads on. */
async function nextChunk(stream: Readable): Promise<Buffer | undefined> {
  for (;;) {
    const chunk: Buffer | null = stream.read()
    if (chunk !== null) return chunk
    if (stream.readableEnded || stream.destroyed) return undefined
    await new Promise<void>((resolve) => {
      const wake = () => {
        for (const event of ['readable', 'end', 'close', 'error']) stream.off(event, wake)
        resolve()
      }
      for (const event of ['readable', 'end', 'close', 'error']) stream.on(event, wake)
    })
  }
}

interface StatLine {
  size: number
  mode: number
  mtimeSeconds: number
  mtimeNanoseconds: number
  linkTargetHex: string
}

function parseStat(line: string): FileStat {
  const { size, mode, mtimeSeconds, mtimeNanoseconds, linkTargetHex } = JSON.parse(line) as StatLine
  return {
    sizeBytes: size,
    mode,
    mtimeNs: String(BigInt(mtimeSeconds) * 1_000_000_000n + BigInt(mtimeNanoseconds)),
    linkTarget: Buffer.from(linkTargetHex, 'hex').toString('utf8'),
  }
}

async function write(program: string, view: FileView, request: WriteRequest): Promise<ArchiveProblem | undefined> {
  const options = [
    ...(view.readOnlyRoot ? ['--read-only-root'] : []),
    ...(request.keepKinds ? ['--keep-kinds'] : []),
    ...(request.owner ? [`--owner=${request.owner.uid}:${request.owner.gid}`] : []),
  ]
  const command = start([program, 'copy', 'put', ...options, ...place(view, request.path)], 'pipe')
  command.stdout.resume()
  let sourceError: unknown
  const tar = watched(request.tar, (error) => {
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
  decompress: ContainerArchivesOptions['decompress'],
): AsyncGenerator<Buffer> {
  yield* await decompress(source)
}
