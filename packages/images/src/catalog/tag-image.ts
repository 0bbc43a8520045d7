/** `POST /images/x/tag`. */
import { familiarString, invalidArgument, repositoryAndTag } from '@dockerd-ts/core'
import { type ImageContext, publishImage } from './image-context.ts'
import { nowNs } from './register-image.ts'

export function tagImage(context: ImageContext, source: string, target: { repository: string; tag?: string }): void {
  const reference = repositoryAndTag(target.repository, target.tag)
  if (reference === undefined) throw invalidArgument('invalid reference format')
  const { row } = context.images.find(source)
  context.images.transaction(() => {
    context.images.setReference(reference, row.id)
    context.images.put({ ...row, lastTaggedAtNs: nowNs() })
  })
  publishImage(context, { action: 'tag', imageId: row.id, name: familiarString(reference) })
}
