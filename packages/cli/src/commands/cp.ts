/** `cp`: copies files between a container and this machine. */
import { existsSync, lstatSync, statSync } from 'node:fs'
import { posix } from 'node:path'
import { isatty } from 'node:tty'
import { archiveName, type CopyTarget, planCopy, rebase, splitCopyArgument } from '../archive/copy-paths.ts'
import type { Cli } from '../cli.ts'
import { sourceOf } from '../client/streams.ts'
import { defineCommand, exactly } from '../command.ts'
import { ExitError } from '../exit-error.ts'
import { humanSize } from '../format/units.ts'
import { bool } from '../options/flags.ts'
import { containerPath, stdinChunks } from './shared.ts'

interface PathStat {
  name: string
  size: number
  /** Go's file mode: the type in the upper bits. */
  mode: number
  linkTarget: string
}

const GO_DIRECTORY = 2 ** 31
const GO_SYMLINK = 2 ** 27

export default defineCommand({
  usage: ['[OPTIONS] CONTAINER:SRC_PATH DEST_PATH|-', '[OPTIONS] SRC_PATH|- CONTAINER:DEST_PATH'],
  short: 'Copy files between a container and this machine',
  long: "Copy files between a container and this machine\n\n'-' as the source reads a tar archive from standard input and unpacks it in a\ndirectory of the container; '-' as the destination writes one to standard output.",
  aliases: ['docker container cp', 'docker cp'],
  args: exactly(2),
  flags: {
    archive: bool('a', 'Keep owners and groups'),
    'follow-link': bool('L', 'Copy what the source link points to'),
    quiet: bool('q', 'Say nothing about success'),
  },
  async run({ cli, args, flags }) {
    const [source = '', target = ''] = args
    if (source === '') throw new ExitError(1, 'source can not be empty')
    if (target === '') throw new ExitError(1, 'destination can not be empty')
    const from = splitCopyArgument(source)
    const to = splitCopyArgument(target)
    if (from.container !== '' && to.container !== '')
      throw new ExitError(1, 'copying between containers is not supported')
    if (from.container === '' && to.container === '')
      throw new ExitError(1, 'must specify at least one container source')
    const bytes =
      from.container !== ''
        ? await copyOut(cli, from, to.path, flags['follow-link'])
        : await copyIn(cli, from.path, to, { followLink: flags['follow-link'], owners: flags.archive, shown: target })
    if (!flags.quiet && isatty(2) && target !== '-')
      cli.err(`Successfully copied ${humanSize(bytes, 3)} to ${target}\n`)
  },
})

interface ContainerPath {
  container: string
  path: string
}

async function copyOut(cli: Cli, from: ContainerPath, target: string, followLink: boolean): Promise<number> {
  const api = await cli.api()
  if (target !== '-') checkLocalTarget(target)
  let path = from.path
  let rename: string | undefined
  if (followLink) {
    const stat = await containerStat(cli, from.container, path).catch(() => undefined)
    if (stat && isSymlink(stat)) {
      rename = archiveName(path)
      path = posix.resolve(posix.dirname(posix.resolve('/', path)), stat.linkTarget)
    }
  }
  const reply = await api.request('GET', `${containerPath(from.container)}/archive`, { query: { path } })
  const stat = decodeStat(reply.headers['x-docker-container-path-stat'])
  let bytes = 0
  const counted = (async function* () {
    for await (const chunk of reply.body) {
      bytes += chunk.length
      yield chunk
    }
  })()
  if (target === '-') {
    for await (const chunk of counted) cli.out(chunk)
    return bytes
  }
  const real = statSync(target, { throwIfNoEntry: false })
  const baseName = rename ?? archiveName(path)
  const source = { path, isDirectory: isDirectory(stat), baseName }
  const plan = planCopy(source, { path: target, exists: real !== undefined, isDirectory: real?.isDirectory() ?? false })
  const { unpackTar } = await import('../archive/unpack.ts')
  const { resolve } = await import('node:path')
  const top = archiveName(path)
  await unpackTar(sourceOf(counted), resolve(plan.directory), {
    rename: (name) => rebase(name.replace(/\/$/, ''), top, plan.name),
  })
  return bytes
}

function checkLocalTarget(target: string): void {
  const directory = posix.dirname(posix.resolve(target))
  if (!existsSync(directory))
    throw new ExitError(1, `invalid output path: directory ${JSON.stringify(directory)} does not exist`)
}

interface CopyInOptions {
  followLink: boolean
  owners: boolean
  /** The destination as the user gave it. */
  shown: string
}

async function copyIn(cli: Cli, sourcePath: string, to: ContainerPath, options: CopyInOptions): Promise<number> {
  const target = await containerTarget(cli, to)
  let body: AsyncIterable<Buffer>
  let directory = target.path
  if (sourcePath === '-') {
    if (!target.isDirectory) throw new ExitError(1, `destination ${JSON.stringify(options.shown)} must be a directory`)
    body = stdinChunks()
  } else {
    const stats =
      options.followLink || sourcePath.endsWith('/') ? statOrFail(sourcePath, true) : statOrFail(sourcePath, false)
    const name = archiveName(sourcePath)
    const baseName = name === '.' ? '.' : posix.basename(posix.resolve(sourcePath))
    const plan = planCopy({ path: sourcePath, isDirectory: stats.isDirectory(), baseName }, target)
    directory = plan.directory
    const { packPath } = await import('../archive/pack.ts')
    const { realpathSync } = await import('node:fs')
    body = packPath(options.followLink ? realpathSync(sourcePath) : sourcePath, plan.name)
  }
  let bytes = 0
  const counted = (async function* () {
    for await (const chunk of body) {
      bytes += chunk.length
      yield chunk
    }
  })()
  const query = { path: directory, noOverwriteDirNonDir: 'true', copyUIDGID: options.owners ? 'true' : undefined }
  await (await cli.api()).call('PUT', `${containerPath(to.container)}/archive`, {
    query,
    body: counted,
    headers: { 'Content-Type': 'application/x-tar' },
  })
  return bytes
}

function statOrFail(path: string, follow: boolean) {
  const stats = (follow ? statSync : lstatSync)(path, { throwIfNoEntry: false })
  if (!stats)
    throw new ExitError(
      1,
      `lstat ${posix.dirname(posix.resolve(path))}/${posix.basename(path)}: no such file or directory`,
    )
  return stats
}

async function containerTarget(cli: Cli, { container, path }: ContainerPath): Promise<CopyTarget> {
  let resolved = path
  try {
    let stat = await containerStat(cli, container, path)
    if (isSymlink(stat)) {
      resolved = stat.linkTarget.startsWith('/') ? stat.linkTarget : posix.join(posix.dirname(path), stat.linkTarget)
      stat = await containerStat(cli, container, resolved)
    }
    return { path: resolved, exists: true, isDirectory: isDirectory(stat) }
  } catch {
    // Whether the container is there at all, the copy itself will tell.
    return { path: resolved, exists: false, isDirectory: false }
  }
}

async function containerStat(cli: Cli, container: string, path: string): Promise<PathStat> {
  const reply = await (await cli.api()).request('HEAD', `${containerPath(container)}/archive`, { query: { path } })
  for await (const _ of reply.body);
  return decodeStat(reply.headers['x-docker-container-path-stat'])
}

function decodeStat(header: string | undefined): PathStat {
  return JSON.parse(Buffer.from(header ?? 'e30=', 'base64').toString()) as PathStat
}

const isDirectory = ({ mode }: PathStat): boolean => Math.trunc(mode / GO_DIRECTORY) % 2 === 1
const isSymlink = ({ mode }: PathStat): boolean => Math.trunc(mode / GO_SYMLINK) % 2 === 1
