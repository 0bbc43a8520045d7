/** Manifests in a registry, read and written without an image here: what `docker manifest` does. */
import {
  familiarString,
  type ImageReference,
  type ImageService,
  invalidArgument,
  notFound,
  parseReference,
  withDefaultTag,
} from '@dockerd-ts/core'
import { documentLimitBytes, mediaTypeOf, parseImageConfig, parseIndex, parseManifest } from '../oci/documents.ts'
import { sha256 } from '../oci/identity.ts'
import { wireDescriptor, wirePlatform } from '../oci/index-entries.ts'
import { isIndexType, isManifestType } from '../oci/media-types.ts'
import type { WireDescriptor } from '../wire-types.ts'
import { type FetchedDocument, fetchManifest } from './manifests.ts'
import { RegistryError } from './registry-error.ts'
import type { RegistryClients, RegistrySession } from './registry-session.ts'
import { sendManifest } from './send-manifest.ts'

type ManifestAnswer = Awaited<ReturnType<ImageService['registryManifest']>>
type ReadAccess = Parameters<ImageService['registryManifest']>[1]
type WriteAccess = Parameters<ImageService['pushManifest']>[1]

/** Each is a request of its own; an index of a release has some tens. */
const maxManifests = 200

export function readManifest(clients: RegistryClients, text: string, access: ReadAccess): Promise<ManifestAnswer> {
  const reference = withDefaultTag(parseReference(text))
  const request = { auth: access.auth, insecure: access.insecure, signal: access.signal, skipMirrors: true }
  return clients
    .withSession(reference, request, async (session) => {
      const document = await fetchManifest(session, reference.digest ?? reference.tag ?? 'latest', access.signal)
      if (isIndexType(document.mediaType)) return answerForIndex(session, document, access.signal)
      if (!isManifestType(document.mediaType)) {
        throw invalidArgument(`unsupported manifest format: ${document.mediaType}`)
      }
      return answer(document, { platform: await platformOfConfig(session, document, access.signal) })
    })
    .catch((error) => {
      if (error instanceof RegistryError && error.status === 404) throw noSuchManifest(reference)
      throw error
    })
}

const noSuchManifest = (reference: ImageReference) => notFound(`no such manifest: ${familiarString(reference)}`)

const answer = (document: FetchedDocument, rest: Partial<WireDescriptor>): ManifestAnswer => ({
  Descriptor: { mediaType: document.mediaType, digest: document.digest, size: document.data.length, ...rest },
  Raw: document.data.toString('base64'),
})

async function answerForIndex(
  session: RegistrySession,
  document: FetchedDocument,
  signal: AbortSignal,
): Promise<ManifestAnswer> {
  const descriptors = parseIndex(document.data).manifests ?? []
  if (descriptors.length > maxManifests) throw invalidArgument(`the index names more than ${maxManifests} manifests`)
  const manifests: ManifestAnswer[] = []
  for (const descriptor of descriptors) {
    const child = await fetchManifest(session, descriptor.digest, signal)
    const { platform } = wireDescriptor(descriptor)
    manifests.push(answer(child, platform ? { platform } : {}))
  }
  return { ...answer(document, {}), Manifests: manifests }
}

async function platformOfConfig(
  session: RegistrySession,
  document: FetchedDocument,
  signal: AbortSignal,
): Promise<NonNullable<WireDescriptor['platform']>> {
  const { config } = parseManifest(document.data)
  const path = `${session.repository}/blobs/${config.digest}`
  const found = await session.ask({ method: 'GET', path, expected: [200], signal })
  const data = await found.bytes(documentLimitBytes)
  if (sha256(data) !== config.digest)
    throw invalidArgument(`image config verification failed for digest ${config.digest}`)
  return wirePlatform(parseImageConfig(data))
}

export function writeManifest(
  clients: RegistryClients,
  text: string,
  access: WriteAccess,
): Promise<{ Digest: string }> {
  const reference = withDefaultTag(parseReference(text))
  const { MediaType, Raw, Mounts } = access.manifest
  const data = Buffer.from(Raw, 'base64')
  const mediaType = mediaTypeOf(data, MediaType)
  if (mediaType !== MediaType) throw invalidArgument(`the manifest is of media type ${mediaType}, not ${MediaType}`)
  const digest = sha256(data)
  if (reference.digest !== undefined && reference.digest !== digest) {
    throw invalidArgument(`content does not match its digest: expected ${reference.digest}, got ${digest}`)
  }
  const request = { auth: access.auth, insecure: access.insecure, signal: access.signal, skipMirrors: true }
  return clients.withSession(reference, request, async (session) => {
    for (const mount of Mounts ?? []) await mountBlob(session, mount, access.signal)
    const name = reference.digest ?? reference.tag ?? 'latest'
    await sendManifest(session, { data, digest, mediaType }, name, access.signal)
    return { Digest: digest }
  })
}

/** From another repository, unless it is there already. Nothing is uploaded: there is no image here to take it from. */
async function mountBlob(
  session: RegistrySession,
  { From, Digest }: { From: string; Digest: string },
  signal: AbortSignal,
): Promise<void> {
  const { path } = parseReference(`${session.endpoint.base.replace(/^https?:\/\//, '')}/${From}@${Digest}`)
  const common = { actions: 'pull,push', signal } as const
  const head = `${session.repository}/blobs/${Digest}`
  const found = await session.ask({ ...common, method: 'HEAD', path: head, expected: [200, 404, 405] })
  await found.discard()
  if (found.status === 200) return
  const mounted = await session.ask({
    ...common,
    method: 'POST',
    path: `${session.repository}/blobs/uploads/?${new URLSearchParams({ mount: Digest, from: path })}`,
    body: Buffer.alloc(0),
    expected: [201, 202],
    alsoPull: path,
  })
  await mounted.discard()
  if (mounted.status !== 201) throw invalidArgument(`error mounting ${From}@${Digest} to ${session.repository}`)
}
