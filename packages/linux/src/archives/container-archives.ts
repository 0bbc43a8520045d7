/**
 * docker cp's side in the container: the ContainerArchives port. One short-lived process of the C program per call enters
 * the container's view of its files and works there (its copy/PROTOCOL.md); it ends with the stream or the daemon.
 */
import type { Readable } from 'node:stream'
import { type ArchiveProblem, type ContainerArchives, type FileStat, internal } from '@dockerd-ts/core'
import { type StreamingCommand, streamCommand } from '../command/stream-command.ts'
import { tarOutput } from '../command/tar-output.ts'
import { failure, maxErrorBytes, place, succeeded } from './copy-program.ts'
import { packTree } from './pack-tree.ts'
import { type WriteArchiveOptions, writeArchive } from './write-archive.ts'

const start = (argv: string[]): StreamingCommand =>
  streamCommand(argv, { stdin: 'none', environment: {}, maxErrorBytes })

export type ContainerArchivesOptions = WriteArchiveOptions

const maxStatBytes = 16 * 1024

export function createContainerArchives(options: ContainerArchivesOptions): ContainerArchives {
  const { program } = options
  return {
    async stat(view, path) {
      const command = start([program, 'copy', 'stat', ...place(view, path)])
      const found = await readStat(command)
      if ('problem' in found) return found.problem
      command.stdout.resume()
      await succeeded(command)
      return found.stat
    },
    async read(view, path, prefix) {
      const command = start([program, 'copy', 'get', `--prefix=${prefix}`, ...place(view, path)])
      const found = await readStat(command)
      if ('problem' in found) return found.problem
      return { stat: found.stat, tar: tarOutput(command, failure, found.rest) }
    },
    write: (view, request) => writeArchive(options, view, request),
    pack: (directory, options) => packTree({ program, directory, ...options }),
  }
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
