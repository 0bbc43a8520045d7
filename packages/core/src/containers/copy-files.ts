/** docker cp: the stat of a path in a container, a tar of it, and a tar unpacked there. Works on stopped ones too. */
import type { Readable } from 'node:stream'
import type * as wire from '@dockerd-ts/api'
import { internal, invalidArgument, notFound } from '../errors/engine-error.ts'
import { fromRoot } from '../mounts/container-path.ts'
import type { ArchiveProblem, ArchiveSource, FileStat } from '../ports/archives.ts'
import { crashPoint } from '../support/crash-point.ts'
import type { Container } from './container.ts'
import { type ContainerContext, publishContainerEvent } from './container-context.ts'
import { userOf } from './container-spec.ts'
import { copyPath, pathStat, tarPrefix } from './copy-path.ts'
import { withFileView } from './file-view.ts'
import { readerOpened } from './tar-reader.ts'

export async function statPath(
  context: ContainerContext,
  reference: string,
  asked: string,
): Promise<wire.ContainerPathStat> {
  const container = context.registry.find(reference)
  const path = copyPath(asked)
  const found = await withFileView(context, container, (view) => context.archives.stat(view, path))
  if (typeof found === 'string') throw problem(found, { path: asked, reference })
  return pathStat(path, found)
}

/** Everything stays mounted until the tar has been read or closed. */
export async function getArchive(
  context: ContainerContext,
  reference: string,
  asked: string,
): Promise<{ stat: wire.ContainerPathStat; tar: Readable }> {
  const container = context.registry.find(reference)
  const path = copyPath(asked)
  const { stat, tar } = await readerOpened<{ stat: FileStat; tar: Readable }>(context, container, (deliver) =>
    withFileView(context, container, async (view) => {
      const found = await context.archives.read(view, path, tarPrefix(path))
      crashPoint('archive:opened')
      if (typeof found === 'string') throw problem(found, { path: asked, reference })
      publishContainerEvent(context, container, { action: 'archive-path' })
      await deliver(found)
    }),
  )
  return { stat: pathStat(path, stat), tar }
}

export interface PutArchiveRequest {
  path: string
  noOverwriteDirNonDir: boolean
  copyUidGid: boolean
  body: ArchiveSource
}

export async function putArchive(
  context: ContainerContext,
  reference: string,
  request: PutArchiveRequest,
): Promise<void> {
  const container = context.registry.find(reference)
  const found = await withFileView(context, container, async (view) => {
    const owner = request.copyUidGid ? await ownerOf(context, container, view.root) : undefined
    crashPoint('extract:opened')
    return context.archives.write(view, {
      path: copyPath(request.path),
      tar: request.body,
      keepKinds: request.noOverwriteDirNonDir,
      ...(owner && { owner }),
    })
  })
  crashPoint('extract:written')
  if (found !== undefined) throw problem(found, { path: request.path, reference })
  publishContainerEvent(context, container, { action: 'extract-to-dir' })
}

/** The container's user; without one the owners of the archive stay. */
async function ownerOf(
  context: ContainerContext,
  { record }: Container,
  root: string,
): Promise<{ uid: number; gid: number } | undefined> {
  if (!record.config.User) return undefined
  const { uid, gid } = await userOf(context, root, { user: record.config.User, groups: [] })
  return { uid, gid }
}

function problem(found: ArchiveProblem, { path, reference }: { path: string; reference: string }): Error {
  if (found === 'not a directory') return invalidArgument('extraction point is not a directory')
  if (found === 'no such file') return notFound(`Could not find the file ${path} in container ${reference}`)
  return internal(`${fromRoot(path)}: ${found}`)
}
