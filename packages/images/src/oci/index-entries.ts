/** From the documents of an index, nested ones too, to the row that tells what is here of it. */
import { type IndexEntry, type IndexRow, internal } from '@dockerd-ts/core'
import { type Descriptor, type Manifest, parseIndex } from './documents.ts'
import { isIndexType } from './media-types.ts'

export interface IndexDocument {
  data: Buffer
  digest: string
  mediaType: string
}

/** `indexes`: the outermost first, then those within it that are at hand. `manifests`: by digest, what is here whole. */
export function indexRow(indexes: readonly IndexDocument[], manifests: ReadonlyMap<string, Manifest>): IndexRow {
  const [outer, ...nested] = indexes
  if (outer === undefined) throw internal('an index without a document')
  const within = new Map(nested.map((document) => [document.digest, document]))
  const entriesOf = (document: IndexDocument): IndexEntry[] =>
    (parseIndex(document.data).manifests ?? []).flatMap((descriptor) => {
      const inner = isIndexType(descriptor.mediaType) ? within.get(descriptor.digest) : undefined
      // Each once: an index that names itself through another one cannot exist, but a document named twice can.
      if (inner !== undefined && within.delete(inner.digest)) return entriesOf(inner)
      return [entryOf(descriptor, manifests.get(descriptor.digest))]
    })
  return {
    digest: outer.digest,
    mediaType: outer.mediaType,
    sizeBytes: outer.data.length,
    nestedDigests: nested.map(({ digest }) => digest),
    entries: entriesOf(outer),
  }
}

function entryOf(descriptor: Descriptor, manifest: Manifest | undefined): IndexEntry {
  const shown = wireDescriptor(descriptor)
  if (manifest === undefined) return { descriptor: shown }
  const layerDigests = manifest.layers.map(({ digest }) => digest)
  return { descriptor: shown, content: { configDigest: manifest.config.digest, layerDigests } }
}

/** As the API carries it. */
export function wireDescriptor({
  platform,
  annotations,
  urls,
  artifactType,
  ...rest
}: Descriptor): IndexEntry['descriptor'] {
  return {
    ...rest,
    ...(urls && { urls }),
    ...(annotations && { annotations }),
    ...(platform && { platform: wirePlatform(platform) }),
    ...(artifactType && { artifactType }),
  }
}

type GivenPlatform = Pick<
  NonNullable<Descriptor['platform']>,
  'architecture' | 'os' | 'variant' | 'os.version' | 'os.features'
>

export function wirePlatform(platform: GivenPlatform): NonNullable<IndexEntry['descriptor']['platform']> {
  const { architecture, os, variant } = platform
  const version = platform['os.version']
  const features = platform['os.features']
  return {
    architecture,
    os,
    ...(version && { 'os.version': version }),
    ...(features && { 'os.features': features }),
    ...(variant && { variant }),
  }
}
