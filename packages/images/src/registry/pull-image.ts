/** `POST /images/create?fromImage=`: an image from its registry, told in Docker's words. */
import {
  familiarName,
  familiarString,
  formatReference,
  type ImageReference,
  internal,
  invalidArgument,
  isDigest,
  isTag,
  type Platform,
  type ProgressMessage,
  platformDistance,
  platformMismatch,
  repositoryOf,
  type SignatureVerdict,
} from '@dockerd-ts/core'
import { type ImageContext, publishImage } from '../catalog/image-context.ts'
import type { StoredImage } from '../catalog/image-store.ts'
import { layerIdsOf, recordImage } from '../catalog/register-image.ts'
import { bestVariant, platformOf } from '../catalog/variants.ts'
import { documentLimitBytes, parseImageConfig } from '../oci/documents.ts'
import { sha256, shortDigest } from '../oci/identity.ts'
import { indexRow } from '../oci/index-entries.ts'
import { isImageConfigType, isLayerType, mediaTypes } from '../oci/media-types.ts'
import { counter } from '../progress/progress-stream.ts'
import { judgePull, requireAllowed } from '../signatures/judge-pull.ts'
import type { SignaturePolicy } from '../signatures/signature-policy.ts'
import type { BlobDownloads } from './blob-download.ts'
import { fetchAttestations } from './fetch-attestations.ts'
import {
  type FetchedDocument,
  fetchManifest,
  headManifest,
  type ResolvedManifest,
  resolveManifest,
} from './manifests.ts'
import type { PullRequest } from './pull-request.ts'
import { pullError } from './registry-error.ts'
import type { RegistryClients, RegistrySession } from './registry-session.ts'
import { listTags } from './tags.ts'

export interface PullContext {
  context: ImageContext
  clients: RegistryClients
  downloads: BlobDownloads
  host: Platform
  signaturePolicy: SignaturePolicy | undefined
}

/** A name without tag or digest pulls all tags. Nothing is reported before the registry has the image. */
export async function pullImage(pull: PullContext, request: PullRequest): Promise<void> {
  const { reference, report, signal, auth } = request
  requireAllowed(pull.signaturePolicy, reference)
  const updated = await pull.clients
    .withSession(reference, { auth, signal }, async (session) => {
      const targets =
        reference.tag !== undefined || reference.digest !== undefined
          ? [reference]
          : (await listTags(session, signal)).map((tag) => ({ ...reference, tag }))
      let any = false
      for (const target of targets) any = (await pullOne(pull, session, { ...request, reference: target })) || any
      return any
    })
    .catch((error) => {
      throw pullError(error, reference)
    })
  const shown = familiarString(reference)
  report({
    status: updated ? `Status: Downloaded newer image for ${shown}` : `Status: Image is up to date for ${shown}`,
  })
  const image = variantOf(pull, request)
  if (image === undefined) return
  publishImage(pull.context, { action: 'pull', imageId: image.row.id, id: shown, name: familiarName(reference) })
  checkPlatform(image, request)
}

function checkPlatform(image: StoredImage, { platform, reference }: PullRequest): void {
  if (platform === undefined || platformDistance(platform, platformOf(image)) !== undefined) return
  throw platformMismatch(familiarString(reference), platform, platformOf(image))
}

/** What the reference means now for the platform that was asked for. */
function variantOf({ context, host }: PullContext, { reference, platform }: PullRequest): StoredImage | undefined {
  const { images } = context
  const index = images.indexByReference(reference)
  if (index === undefined) return images.byReference(reference)
  return bestVariant(images, index, platform ?? host) ?? images.byReference(reference)
}

/** True when the reference means something new now. */
async function pullOne(pull: PullContext, session: RegistrySession, request: PullRequest): Promise<boolean> {
  const { reference, report, signal } = request
  const target = reference.digest ?? reference.tag ?? 'latest'
  const { domain, path, digest } = reference
  const id = digest === undefined ? target : formatReference({ domain, path, digest })
  const started = () => report({ status: `Pulling from ${path}`, id })
  const rule = requireAllowed(pull.signaturePolicy, reference)
  const current = variantOf(pull, request)
  // A signature is looked for each time: the policy, or what the registry has, may have changed since the last pull.
  if (rule?.kind !== 'signed' && current !== undefined && (await isCurrent(pull, session, { ...request, current }))) {
    started()
    report({ status: `Digest: ${digestsOf(pull, current, reference)[0] ?? digest}` })
    return false
  }
  const document = await fetchManifest(session, target, signal)
  const resolved = await resolveManifest(session, document, { ...request, host: pull.host })
  checkClass(resolved)
  const verdict = rule && (await judgePull(rule, { session, reference, documents: [document, resolved], signal }))
  started()
  const image = await fetchImage(pull, session, { request, document, resolved, verdict })
  report({ status: `Digest: ${document.digest}` })
  return image.row.id !== current?.row.id
}

const digestsOf = ({ context }: PullContext, image: StoredImage, reference: ImageReference): string[] =>
  context.images
    .namesOf(image.row.id)
    .filter((other) => repositoryOf(other) === repositoryOf(reference))
    .flatMap(({ digest }) => digest ?? [])

/** Asks only for the tag's digest: most pulls of what is here end with it. */
async function isCurrent(
  pull: PullContext,
  session: RegistrySession,
  { reference, current, platform, signal }: PullRequest & { current: StoredImage },
): Promise<boolean> {
  if (platform !== undefined && platformDistance(platform, platformOf(current)) !== 0) return false
  // The index may have one that serves this machine.
  const hasOthers = pull.context.images.indexByReference(reference) !== undefined
  if (platform === undefined && hasOthers && platformDistance(pull.host, platformOf(current)) !== 0) return false
  // What a power cut took of it is fetched again.
  const { id, manifestDigest, blobDigests } = current.row
  if (![id, manifestDigest, ...blobDigests].every((digest) => pull.context.content.has(digest))) return false
  if (reference.digest !== undefined) return true
  const known = digestsOf(pull, current, reference)
  if (known.length === 0) return false
  const now = await headManifest(session, reference.tag ?? 'latest', signal)
  return now !== undefined && known.includes(now)
}

interface Found {
  request: PullRequest
  /** What the reference names: an index or a manifest. */
  document: FetchedDocument
  /** The manifest of the platform. */
  resolved: ResolvedManifest
  /** Of the signature policy, where there is one. */
  verdict: SignatureVerdict | undefined
}

async function fetchImage(pull: PullContext, session: RegistrySession, found: Found): Promise<StoredImage> {
  const { content, layers, images } = pull.context
  const { request, document, resolved, verdict } = found
  checkTypes(resolved)
  const { indexes } = resolved
  const release = content.pins.add(
    resolved.digest,
    ...indexes.map((index) => index.digest),
    resolved.manifest.config.digest,
    ...resolved.manifest.layers.map((l) => l.digest),
  )
  const unpins: (() => void)[] = [release]
  try {
    const configData = await fetchConfig(pull, session, found)
    const ids = layerIdsOf(parseImageConfig(configData), resolved.manifest.layers.length)
    unpins.push(layers.pins.add(...ids.chainIds))
    const present = heldBlobs(pull, ids.chainIds, resolved)
    // Blobs of other images, which may be removed before this one is recorded.
    unpins.push(content.pins.add(...present.flatMap((digest) => digest ?? [])))
    const blobDigests = await fetchLayers(pull, session, { ...found, ...ids, configData, present })
    const attestations = await fetchAttestations({ ...pull, session, resolved, request, unpins })
    for (const { data, mediaType } of [...indexes, resolved]) {
      await content.put(data, mediaType, repositoryOf(request.reference))
    }
    const image = {
      configData,
      id: resolved.manifest.config.digest,
      manifestDigest: resolved.digest,
      manifestMediaType: resolved.mediaType,
      blobDigests,
    }
    const { domain, path, tag, digest } = request.reference
    const byDigest = { domain, path, digest: digest ?? document.digest }
    const references = digest === undefined && tag !== undefined ? [{ domain, path, tag }, byDigest] : [byDigest]
    const recording = { references, ...(verdict && { verdict }) }
    if (indexes.length === 0) return recordImage(images, image, recording)
    const row = indexRow(indexes, new Map([[resolved.digest, resolved.manifest], ...attestations]))
    return recordImage(images, image, { ...recording, index: { row, host: pull.host } })
  } finally {
    for (const unpin of unpins) unpin()
  }
}

function checkTypes({ manifest }: ResolvedManifest): void {
  const { config, layers } = manifest
  if (!isImageConfigType(config.mediaType)) {
    throw invalidArgument(`unsupported media type ${config.mediaType}`)
  }
  const foreign = layers.find((layer) => !isLayerType(layer.mediaType))
  if (foreign !== undefined) throw invalidArgument(`unsupported media type ${foreign.mediaType}`)
}

/** Docker's own manifests of something else (plugins) are refused before the pull is said to have begun. */
function checkClass({ manifest: { config }, mediaType }: ResolvedManifest): void {
  if (mediaType !== mediaTypes.dockerManifest || isImageConfigType(config.mediaType)) return
  const kind = config.mediaType === mediaTypes.dockerPlugin ? 'plugin' : 'unknown'
  throw internal(`Encountered remote ${JSON.stringify(config.mediaType)}(${kind}) when fetching`)
}

async function fetchConfig(
  { downloads, context }: PullContext,
  session: RegistrySession,
  found: Found,
): Promise<Buffer> {
  const { config } = found.resolved.manifest
  if (config.size > documentLimitBytes) throw invalidArgument('image configuration is too large')
  const { signal, reference } = found.request
  await downloads.download({ session, descriptor: config, source: repositoryOf(reference), signal })
  const data = await context.content.readSmall(config.digest, documentLimitBytes)
  if (sha256(data) !== config.digest) throw internal(`image config verification failed for digest ${config.digest}`)
  return data
}

interface Layers extends Found {
  configData: Buffer
  chainIds: string[]
  diffIds: string[]
  /** The blob of each layer that is here already. */
  present: (string | undefined)[]
}

const heldBlobs = (pull: PullContext, chainIds: readonly string[], { manifest }: ResolvedManifest) =>
  chainIds.map((chainId, index) => heldBlob(pull, chainId, manifest.layers[index]?.digest ?? ''))

/** Downloads and unpacks what is missing, layers side by side. Answers the digests of the blobs that hold the layers. */
async function fetchLayers(pull: PullContext, session: RegistrySession, request: Layers): Promise<string[]> {
  const { resolved, present } = request
  const { report } = request.request
  const tell = (index: number, status: string) => report(line(status, resolved.manifest.layers[index]?.digest))
  for (const [index, held] of present.entries()) tell(index, held === undefined ? 'Pulling fs layer' : 'Already exists')
  // The first failure ends the other transfers: nothing goes on behind an error's back.
  const failed = new AbortController()
  const signal = AbortSignal.any([request.request.signal, failed.signal])
  await Promise.allSettled(
    present.map((held, index) =>
      held === undefined
        ? fetchLayer(pull, session, { ...request, index, signal }).catch((error) => failed.abort(error))
        : undefined,
    ),
  )
  if (failed.signal.aborted) throw failed.signal.reason
  return present.map((held, index) => held ?? resolved.manifest.layers[index]?.digest ?? '')
}

const line = (status: string, digest: string | undefined): ProgressMessage => ({
  status,
  progressDetail: {},
  id: shortDigest(digest ?? ''),
})

/**
 * The manifest's own blob, when the layer is unpacked. The same layer compressed otherwise is no substitute: digests are to
 * stay true when the image is pushed or saved.
 */
function heldBlob({ context }: PullContext, chainId: string, digest: string): string | undefined {
  return context.layers.get(chainId) !== undefined && context.content.has(digest) ? digest : undefined
}

async function fetchLayer(
  { downloads, context }: PullContext,
  session: RegistrySession,
  request: Layers & { index: number; signal: AbortSignal },
): Promise<void> {
  const { resolved, index, chainIds, diffIds, signal } = request
  const { report, reference } = request.request
  const descriptor = resolved.manifest.layers[index]
  const chainId = chainIds[index]
  if (descriptor === undefined || chainId === undefined) return
  const id = shortDigest(descriptor.digest)
  const tell = (status: string) => report(line(status, descriptor.digest))
  tell('Waiting')
  await downloads.download({
    session,
    descriptor,
    source: repositoryOf(reference),
    signal,
    watcher: {
      bytes: counter(report, { status: 'Downloading', id, total: descriptor.size }),
      verifying: () => tell('Verifying Checksum'),
      retry: (seconds) => tell(`Retrying in ${seconds} second${seconds === 1 ? '' : 's'}`),
    },
  })
  tell('Download complete')
  const parentChainId = chainIds[index - 1]
  await context.layers.ensure({
    chainId,
    diffId: diffIds[index] ?? '',
    blobDigest: descriptor.digest,
    onBytes: counter(report, { status: 'Extracting', id, total: descriptor.size }),
    signal,
    ...(parentChainId !== undefined && { parentChainId }),
  })
  tell('Pull complete')
}

/** `fromImage` and `tag` of a request: the tag may be a digest. Throws invalidArgument. */
export function withTag(reference: ImageReference, tag: string | undefined): ImageReference {
  if (tag === undefined || tag === '') return reference
  const { domain, path } = reference
  if (isDigest(tag)) return { domain, path, digest: tag }
  if (tag.includes(':') || !isTag(tag)) throw invalidArgument('invalid tag format')
  return { domain, path, tag, ...(reference.digest !== undefined && { digest: reference.digest }) }
}
