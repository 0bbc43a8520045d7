/** Manifests of a repository: fetched, verified, and for an index the one for the platform chosen. */
import {
  formatPlatform,
  type ImageReference,
  internal,
  invalidArgument,
  notFound,
  type Platform,
} from '@dockerd-ts/core'
import { byPlatform } from '../archive/archive-images.ts'
import { documentLimitBytes, type Manifest, mediaTypeOf, parseIndex, parseManifest } from '../oci/documents.ts'
import { sha256 } from '../oci/identity.ts'
import { isIndexType, isManifestType, isSchema1Type, mediaTypes } from '../oci/media-types.ts'
import type { RegistrySession } from './registry-session.ts'

export interface FetchedDocument {
  data: Buffer
  digest: string
  mediaType: string
}

const accept = [
  mediaTypes.ociManifest,
  mediaTypes.dockerManifest,
  mediaTypes.ociIndex,
  mediaTypes.dockerList,
  `${mediaTypes.dockerSchema1Signed};q=0.1`,
].join(', ')

/** `target` is a tag or a digest; what a digest names is verified. */
export async function fetchManifest(
  session: RegistrySession,
  target: string,
  signal?: AbortSignal,
): Promise<FetchedDocument> {
  const path = `${session.repository}/manifests/${target}`
  const answer = await session.ask({ method: 'GET', path, headers: { accept }, expected: [200], signal })
  const data = await answer.bytes(documentLimitBytes)
  const digest = sha256(data)
  if (target.startsWith('sha256:') && target !== digest) {
    throw internal(`manifest verification failed for digest ${target}`)
  }
  return { data, digest, mediaType: mediaTypeOf(data, contentType(answer.header('content-type'))) }
}

/** The digest that a tag has now, without fetching (registries do not count it as a pull); undefined: not told. A registry
 * may leave the digest out, or know no HEAD. */
export async function headManifest(
  session: RegistrySession,
  target: string,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const path = `${session.repository}/manifests/${target}`
  const answer = await session.ask({ method: 'HEAD', path, headers: { accept }, expected: [200, 404, 405], signal })
  await answer.discard()
  return answer.status === 200 ? answer.header('docker-content-digest') : undefined
}

const contentType = (header: string | undefined) => (header ?? '').split(';')[0]?.trim() ?? ''

export interface ResolvedManifest extends FetchedDocument {
  manifest: Manifest
  /** The indexes that led to it, outermost first. */
  indexes: FetchedDocument[]
}

const maxIndexDepth = 3

/** Follows an index to the manifest for the platform. */
export async function resolveManifest(
  session: RegistrySession,
  document: FetchedDocument,
  request: { reference: ImageReference; host: Platform; platform: Platform | undefined; signal?: AbortSignal },
  indexes: FetchedDocument[] = [],
): Promise<ResolvedManifest> {
  const { data, mediaType } = document
  if (isManifestType(mediaType)) return { ...document, manifest: parseManifest(data), indexes }
  if (isSchema1Type(mediaType)) {
    throw invalidArgument(
      'Docker Image Format v1 and Docker Image manifest version 2, schema 1 support has been removed. ' +
        'Ask the image author to upgrade it to the OCI image format.',
    )
  }
  if (!isIndexType(mediaType) || indexes.length > maxIndexDepth) {
    throw invalidArgument(`unsupported manifest media type "${mediaType}"`)
  }
  const wanted = request.platform === undefined ? [] : [request.platform]
  const [chosen] = byPlatform(parseIndex(data).manifests ?? [], { host: request.host, wanted })
  if (chosen === undefined) {
    const shown = formatPlatform(request.platform ?? request.host)
    throw notFound(`no matching manifest for ${shown} in the manifest list entries`)
  }
  const next = await fetchManifest(session, chosen.digest, request.signal)
  return resolveManifest(session, next, request, [...indexes, document])
}
