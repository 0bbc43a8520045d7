/** `POST /images/x/tag`. */
import { familiarString, invalidArgument, repositoryAndTag } from '@dockerd-ts/core'
import { type ImageContext, publishImage } from './image-context.ts'
import { nowNs } from './register-image.ts'
import { indexOf } from './variants.ts'

export function tagImage(context: ImageContext, source: string, target: { repository: string; tag?: string }): void {
  const reference = repositoryAndTag(target.repository, target.tag)
  if (reference === undefined) throw invalidArgument('invalid reference format')
  const image = context.images.find(source)
  const { row } = image
  // A name stands for all platforms that its index has.
  const index = indexOf(context.images, source, image)
  context.images.transaction(() => {
    context.images.setReference(reference, row.id, index?.digest)
    context.images.put({ ...row, lastTaggedAtNs: nowNs() })
  })
  publishImage(context, { action: 'tag', imageId: row.id, name: familiarString(reference) })
}
