/** docker export and docker diff: the whole root filesystem as a tar, and what the container changed in it. */
import type { Readable } from 'node:stream'
import type * as wire from '@dockerd-ts/api'
import { conflict } from '../errors/engine-error.ts'
import type { Container } from './container.ts'
import { type ContainerContext, publishContainerEvent } from './container-context.ts'
import { idMapOf, mountIdsOf } from './id-map.ts'
import { readerOpened } from './tar-reader.ts'

/** Places of volumes are in it as empty directories: only the root filesystem is read. */
export async function exportContainer(context: ContainerContext, reference: string): Promise<Readable> {
  const container = context.registry.find(reference)
  checkReadable(container, 'export')
  const { tar } = await readerOpened<{ tar: Readable }>(context, container, (deliver) =>
    context.rootFilesystems.use(
      container.id,
      async (root) => {
        publishContainerEvent(context, container, { action: 'export' })
        const idMap = idMapOf(context, container.record.hostConfig)?.text
        await deliver({ tar: context.archives.pack(root, { asLayer: false, ...(idMap && { idMap }) }) })
      },
      mountIdsOf(context, container.record.hostConfig),
    ),
  )
  return tar
}

export function checkReadable({ record }: Container, verb: 'export' | 'commit'): void {
  if (record.status === 'dead') throw conflict(`You cannot ${verb} container ${record.id} which is Dead`)
  if (record.status === 'removing') throw conflict(`You cannot ${verb} container ${record.id} which is being removed`)
}

const changeKinds = { modified: 0, added: 1, deleted: 2 } as const

/** A container that changed nothing answers null, as in Docker. */
export async function containerChanges(context: ContainerContext, reference: string): Promise<wire.FilesystemChange[]> {
  const { id, record } = context.registry.find(reference)
  const found = await context.rootFilesystems.changes(id, mountIdsOf(context, record.hostConfig))
  return found.map(({ path, kind }) => ({ Path: path, Kind: changeKinds[kind] }))
}
