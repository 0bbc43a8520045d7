/** `GET /images/json`: one summary for each image, newest first. */
import { type Filters, familiarString, type ImageReference } from '@dockerd-ts/core'
import { goTimeSeconds, parseGoTime } from '../oci/go-time.ts'
import type { WireImageSummary } from '../wire-types.ts'
import { type ImageFilter, imageFilter } from './image-filters.ts'
import type { ImageStore, StoredImage } from './image-store.ts'
import { manifestSummaries, type SummaryContext, targetDescriptor } from './manifest-summaries.ts'

export interface ListQuery {
  all: boolean
  filters: Filters
  sharedSize: boolean
  manifests: boolean
}

export function listImages(context: SummaryContext, query: ListQuery): WireImageSummary[] {
  const { images: store, usage } = context
  const filter = imageFilter(query.filters, store, 'list')
  const images = store.list()
  const references = store.referencesByImage()
  const parents = new Set(images.map(({ row }) => row.parentId))
  const shared = query.sharedSize ? sharedSizes(store, images) : undefined
  const variants = variantIds(store)
  const found: { created: bigint; summary: WireImageSummary }[] = []
  for (const image of images) {
    if (!filter.accepts(image)) continue
    const own = references.get(image.row.id) ?? []
    // Shown under the name of its index, with the variant that the name means.
    if (own.length === 0 && variants.has(image.row.id)) continue
    const shown = own.filter((reference) => filter.acceptsReference(reference))
    if (!isListed({ shown, filter, isParent: parents.has(image.row.id), all: query.all })) continue
    const summary = summarize(image, shown)
    const index = store.indexMeantBy(image.row.id)
    const platforms = index === undefined ? [image] : store.variantsOf(index)
    summary.Containers = platforms.reduce((sum, { row }) => sum + usage.containersOf(row.id).length, 0)
    summary.Descriptor = targetDescriptor(context, image, index)
    if (query.manifests) {
      summary.Manifests = manifestSummaries(context, image, index)
      summary.Size = summary.Manifests.reduce((sum, { Size }) => sum + Size.Total, 0)
    }
    if (shared !== undefined) summary.SharedSize = shared.get(image.row.id) ?? 0
    found.push({ created: parseGoTime(image.document.created) ?? 0n, summary })
  }
  found.sort((a, b) => (a.created < b.created ? 1 : a.created > b.created ? -1 : 0))
  return found.map(({ summary }) => summary)
}

/** Images without a name are shown when they are no step towards another one; `dangling` decides about the others. */
function isListed(request: {
  shown: readonly ImageReference[]
  filter: ImageFilter
  isParent: boolean
  all: boolean
}): boolean {
  const { shown, filter, isParent, all } = request
  if (filter.dangling === true && isParent) return false
  if (shown.length > 0) return filter.dangling !== true || shown.every(({ tag }) => tag === undefined)
  if (isParent && !all) return false
  return filter.dangling !== false && !filter.filtersReferences
}

function summarize({ row, document }: StoredImage, references: readonly ImageReference[]): WireImageSummary {
  return {
    Containers: -1,
    Created: goTimeSeconds(document.created),
    Id: row.id,
    Labels: document.config?.Labels ?? null,
    ParentId: row.parentId ?? '',
    RepoDigests: references.filter(({ digest }) => digest !== undefined).map(familiarString),
    RepoTags: references.filter(({ tag }) => tag !== undefined).map(familiarString),
    SharedSize: -1,
    Size: row.sizeBytes,
  }
}

/** Images that indexes with a name have. */
const variantIds = (store: ImageStore): Set<string> =>
  new Set(
    store
      .indexes()
      .filter(({ digest }) => store.namesOfIndex(digest).length > 0)
      .flatMap(({ entries }) => entries.flatMap(({ content }) => content?.configDigest ?? [])),
  )

/** Bytes of each image's layers that another image has too. */
function sharedSizes(store: ImageStore, images: readonly StoredImage[]): Map<string, number> {
  const users = new Map<string, number>()
  for (const { row } of images) for (const id of row.chainIds) users.set(id, (users.get(id) ?? 0) + 1)
  const sizes = new Map(store.records.listLayers().map((layer) => [layer.chainId, layer.sizeBytes]))
  return new Map(
    images.map(({ row }) => [
      row.id,
      row.chainIds.filter((id) => (users.get(id) ?? 0) > 1).reduce((sum, id) => sum + (sizes.get(id) ?? 0), 0),
    ]),
  )
}
