/** `POST /images/x/tag`. */
import { familiarString, type ImageReference, invalidArgument, isTag, parseReference } from '@dockerd-ts/core'
import { type ImageContext, publishImage } from './image-context.ts'
import { nowNs } from './register-image.ts'

/** `repo` and `tag` of a request as one reference; undefined when no repository is named. Throws invalidArgument. */
export function repositoryAndTag(repository: string | undefined, tag: string | undefined): ImageReference | undefined {
  if (repository === undefined || repository === '') return undefined
  const reference = parseReference(repository)
  if (reference.digest !== undefined) throw invalidArgument('cannot import digest reference')
  if (tag !== undefined && tag !== '') {
    if (!isTag(tag)) throw invalidArgument('invalid tag format')
    return { ...reference, tag }
  }
  return { ...reference, tag: reference.tag ?? 'latest' }
}

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
