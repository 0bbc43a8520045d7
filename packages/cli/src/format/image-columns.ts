/** The columns of image listings, and the rows an image takes: one for each name. */
import type { ImageSummary } from '../client/wire.ts'
import { familiarName, parseReference } from '../options/reference.ts'
import type { Columns } from './listing.ts'
import { ago, goTime, humanSize, shortId } from './units.ts'

const SIZE_DIGITS = 3
const NONE = '<none>'

export interface ImageRow {
  image: ImageSummary
  repository: string
  tag: string
  digest: string
}

export const imageTable = '{{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}'
export const imageTableWithDigests = '{{.Repository}}\t{{.Tag}}\t{{.Digest}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}'

export function imageColumns(truncate: boolean): Columns<ImageRow> {
  return {
    rowType: '*formatter.imageContext',
    headers: {
      ID: 'IMAGE ID',
      Repository: 'REPOSITORY',
      Tag: 'TAG',
      Digest: 'DIGEST',
      CreatedSince: 'CREATED',
      CreatedAt: 'CREATED AT',
      Size: 'SIZE',
      Containers: 'CONTAINERS',
      VirtualSize: 'SIZE',
      SharedSize: 'SHARED SIZE',
      UniqueSize: 'UNIQUE SIZE',
    },
    values: {
      ID: ({ image }) => (truncate ? shortId(image.Id) : image.Id),
      Repository: (row) => row.repository,
      Tag: (row) => row.tag,
      Digest: (row) => row.digest,
      CreatedSince: ({ image }) => (image.Created <= 0 ? 'N/A' : ago(image.Created)),
      CreatedAt: ({ image }) => goTime(new Date(image.Created * 1000)),
      Size: ({ image }) => humanSize(image.Size, SIZE_DIGITS),
      Containers: ({ image }) => (image.Containers === -1 ? 'N/A' : String(image.Containers)),
      VirtualSize: ({ image }) => humanSize(image.Size),
      SharedSize: ({ image }) => (image.SharedSize === -1 ? 'N/A' : humanSize(image.SharedSize)),
      UniqueSize: ({ image }) => (image.SharedSize === -1 ? 'N/A' : humanSize(image.Size - image.SharedSize)),
    },
  }
}

/** One row for each tag; digests have rows when they are asked for or when an image has no tag. */
export function imageRows(images: readonly ImageSummary[], digests: boolean): ImageRow[] {
  return images.flatMap((image) => rowsOf(image, digests))
}

function rowsOf(image: ImageSummary, showDigests: boolean): ImageRow[] {
  const row = (repository: string, tag: string, digest: string): ImageRow => ({ image, repository, tag, digest })
  const tags = byRepository(image.RepoTags, (reference) => reference.tag)
  const digests = byRepository(image.RepoDigests, (reference) => reference.digest)
  if (tags.size === 0 && digests.size === 0) return [row(NONE, NONE, NONE)]
  const rows: ImageRow[] = []
  for (const [repository, names] of tags) {
    const own = showDigests ? (digests.get(repository) ?? []) : []
    digests.delete(repository)
    for (const tag of names) {
      if (own.length === 0) rows.push(row(repository, tag, NONE))
      for (const digest of own) rows.push(row(repository, tag, digest))
    }
  }
  for (const [repository, names] of digests) {
    if (!showDigests) rows.push(row(repository, NONE, ''))
    else for (const digest of names) rows.push(row(repository, NONE, digest))
  }
  return rows
}

function byRepository(
  references: string[] | null,
  part: (reference: { tag: string; digest: string }) => string,
): Map<string, string[]> {
  const found = new Map<string, string[]>()
  for (const text of references ?? []) {
    if (text.startsWith('<none>')) continue
    const reference = parseReference(text)
    const name = familiarName(reference)
    const value = part(reference)
    if (value !== '') found.set(name, [...(found.get(name) ?? []), value])
  }
  return found
}
