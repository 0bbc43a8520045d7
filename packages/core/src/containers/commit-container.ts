/**
 * docker commit: an image from a container. The recipe: pause it if it runs, pack its writable layer, put that on top of
 * the container's image with the configuration as asked, tag it, let the container go on.
 */
import type * as wire from '@dockerd-ts/api'
import { conflict } from '../errors/engine-error.ts'
import { applyConfigChanges } from '../images/config-changes.ts'
import { familiarString, repositoryAndTag } from '../images/reference.ts'
import type { ImageConfig } from '../ports/images.ts'
import { crashPoint } from '../support/crash-point.ts'
import type { Container } from './container.ts'
import { type ContainerContext, publishContainerEvent } from './container-context.ts'
import { checkReadable } from './export-container.ts'
import { mergeIntoImageConfig } from './merge-config.ts'
import { pauseForCommit, unpauseAfterCommit } from './pause-container.ts'

export interface CommitQuery {
  container: string
  repository?: string
  tag?: string
  comment?: string
  author?: string
  pause: boolean
  changes: readonly string[]
  config?: wire.ContainerConfig
}

export async function commitContainer(context: ContainerContext, query: CommitQuery): Promise<{ Id: string }> {
  const reference = repositoryAndTag(query.repository, query.tag)
  const container = context.registry.find(query.container)
  const { record } = container
  checkReadable(container, 'commit')
  const config = imageConfig(query, record.config)
  const paused = query.pause && (await pauseForCommit(context, container))
  try {
    const id = await context.images.commit({
      parentId: record.imageId,
      layer: layerOf(context, container),
      created: {
        atNs: String(context.clock.nowNs()),
        by: (record.config.Cmd ?? []).join(' '),
        author: query.author ?? '',
        comment: query.comment ?? '',
      },
      config,
      container: { id: record.id, config: record.config },
      ...(reference && { reference }),
    })
    publishContainerEvent(context, container, {
      action: 'commit',
      attributes: {
        comment: query.comment ?? '',
        imageID: id,
        imageRef: reference === undefined ? '' : familiarString(reference),
      },
    })
    crashPoint('commit:done')
    return { Id: id }
  } finally {
    if (paused) await unpauseAfterCommit(context, container)
  }
}

/** A layer read while its container was removed can lack anything: it must not become an image. */
async function* layerOf(context: ContainerContext, container: Container): AsyncGenerator<Buffer> {
  const { rootFilesystems, archives, registry } = context
  crashPoint('commit:paused')
  const tar = archives.pack(rootFilesystems.upperDirectory(container.id), { asLayer: true })
  try {
    for await (const chunk of tar) yield chunk as Buffer
  } finally {
    tar.destroy()
  }
  if (registry.get(container.id) !== container || container.beingRemoved) {
    throw conflict(`You cannot commit container ${container.id} which is being removed`)
  }
  crashPoint('commit:packed')
}

/** What the body and the changes say comes first; the container's own configuration fills in the rest. */
function imageConfig(query: CommitQuery, own: wire.ContainerConfig): ImageConfig {
  const changed = applyConfigChanges((query.config ?? own) as ImageConfig, query.changes)
  return mergeIntoImageConfig(changed as wire.ContainerConfig, own as ImageConfig)
}
