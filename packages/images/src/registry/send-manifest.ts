/**
 * `PUT …/manifests/…`. What a manifest refers to, by its `subject`, is told by a tag where the registry has no referrers
 * API: OCI distribution specification, "Pushing Manifests with Subject".
 */
import { invalidArgument } from '@dockerd-ts/core'
import * as z from 'zod'
import { documentLimitBytes, parse, parseIndex } from '../oci/documents.ts'
import { isIndexType, mediaTypes } from '../oci/media-types.ts'
import type { FetchedDocument } from './manifests.ts'
import type { RegistrySession } from './registry-session.ts'

/** What is malformed is the registry's to refuse: it took the document. */
const referring = z.object({
  subject: z
    .object({ digest: z.string().regex(/^sha256:[a-f0-9]{64}$/) })
    .nullish()
    .catch(undefined),
  artifactType: z.string().optional().catch(undefined),
  config: z.object({ mediaType: z.string() }).nullish().catch(undefined),
  annotations: z.record(z.string(), z.string()).nullish().catch(undefined),
})

export async function sendManifest(
  session: RegistrySession,
  document: FetchedDocument,
  name: string,
  signal: AbortSignal,
): Promise<void> {
  const answer = await put(session, document, name, signal)
  if (answer.header('oci-subject') !== undefined) return
  const { subject, artifactType, config, annotations } = parse(referring, document.data, 'manifest')
  if (!subject) return
  const { mediaType, digest, data } = document
  const type = artifactType || config?.mediaType
  await addReferrer(session, subject.digest, {
    signal,
    descriptor: {
      mediaType,
      digest,
      size: data.length,
      ...(type && { artifactType: type }),
      ...(annotations && { annotations }),
    },
  })
}

async function put(
  session: RegistrySession,
  document: { data: Buffer; mediaType: string },
  name: string,
  signal: AbortSignal,
) {
  const answer = await session.ask({
    method: 'PUT',
    path: `${session.repository}/manifests/${name}`,
    headers: { 'content-type': document.mediaType },
    body: document.data,
    expected: [200, 201, 202],
    actions: 'pull,push',
    signal,
  })
  await answer.discard()
  return answer
}

/** To the index under the tag `sha256-…` of the subject, unless it is there. */
async function addReferrer(
  session: RegistrySession,
  subject: string,
  { descriptor, signal }: { descriptor: { digest: string; [key: string]: unknown }; signal: AbortSignal },
): Promise<void> {
  const tag = subject.replace(':', '-')
  const path = `${session.repository}/manifests/${tag}`
  const headers = { accept: mediaTypes.ociIndex }
  const found = await session.ask({ method: 'GET', path, headers, expected: [200, 404], actions: 'pull,push', signal })
  const old = await found.bytes(documentLimitBytes)
  const index = found.status === 200 ? readIndex(old, tag) : { manifests: [] }
  if (index.manifests.some((known) => known.digest === descriptor.digest)) return
  const next = {
    ...index,
    schemaVersion: 2,
    mediaType: mediaTypes.ociIndex,
    manifests: [...index.manifests, descriptor],
  }
  const data = Buffer.from(JSON.stringify(next))
  await put(session, { data, mediaType: mediaTypes.ociIndex }, tag, signal)
}

/** As it is written: what this engine does not know of it is kept. */
function readIndex(data: Buffer, tag: string): { manifests: { digest: string }[] } {
  const { mediaType = mediaTypes.ociIndex } = parseIndex(data)
  if (!isIndexType(mediaType)) throw invalidArgument(`the tag ${tag} names no list of referrers`)
  const document = JSON.parse(data.toString())
  return { ...document, manifests: document.manifests ?? [] }
}
