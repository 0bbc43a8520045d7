/** `GET /images/x/attestations`: the in-toto statements that came with an image. */
import type { IndexEntry, IndexRow } from '@dockerd-ts/core'
import * as z from 'zod'
import { type Descriptor, documentLimitBytes, parseManifest } from '../oci/documents.ts'
import { wireDescriptor } from '../oci/index-entries.ts'
import type { WireAttestation } from '../wire-types.ts'
import { attestedDigest } from './attested-digest.ts'
import type { ImageContext } from './image-context.ts'
import type { StoredImage } from './image-store.ts'
import { isAvailable } from './manifest-summaries.ts'

const statementType = 'application/vnd.in-toto+json'
const predicateAnnotation = 'in-toto.io/predicate-type'
/** Bills of materials of large images. */
const statementLimitBytes = 64 * 1024 * 1024
const statementHead = z.object({ predicateType: z.string() })

export interface AttestationQuery {
  /** Of predicates; none: all. */
  types: readonly string[]
  statement: boolean
}

export async function imageAttestations(
  context: ImageContext,
  { image, index }: { image: StoredImage; index: IndexRow | undefined },
  { types, statement }: AttestationQuery,
): Promise<WireAttestation[]> {
  const entries = (index?.entries ?? []).filter(
    (entry) => attestedDigest(entry.descriptor) === image.row.manifestDigest && isAvailable(context, entry),
  )
  const answers: WireAttestation[] = []
  for (const layer of (await Promise.all(entries.map((entry) => statementsOf(context, entry)))).flat()) {
    const answer = await describe(context, layer, statement)
    if (types.length === 0 || types.includes(answer.PredicateType)) answers.push(answer)
  }
  return answers
}

async function statementsOf({ content }: ImageContext, { descriptor }: IndexEntry): Promise<Descriptor[]> {
  const manifest = parseManifest(await content.readSmall(descriptor.digest, documentLimitBytes))
  return manifest.layers.filter(({ mediaType }) => mediaType === statementType)
}

async function describe({ content }: ImageContext, layer: Descriptor, whole: boolean): Promise<WireAttestation> {
  const told = layer.annotations?.[predicateAnnotation]
  const common = { Descriptor: wireDescriptor(layer) }
  if (told !== undefined && !whole) return { ...common, PredicateType: told }
  const document = JSON.parse((await content.readSmall(layer.digest, statementLimitBytes)).toString())
  const { predicateType } = statementHead.parse(document)
  return { ...common, PredicateType: told ?? predicateType, ...(whole && { Statement: document }) }
}
