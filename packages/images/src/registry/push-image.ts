/** `POST /images/x/push`: layers that the registry lacks, the configuration, then the manifest under its tag. */
import {
  EngineError,
  familiarName,
  familiarString,
  type ImageReference,
  type IndexRow,
  internal,
  type Platform,
  type ProgressMessage,
  type RegistryAuth,
  repositoryOf,
} from '@dockerd-ts/core'
import { type ImageContext, publishImage } from '../catalog/image-context.ts'
import type { StoredImage } from '../catalog/image-store.ts'
import { blobsOfIndex } from '../catalog/variants.ts'
import { Semaphore } from '../layers/semaphore.ts'
import type { Descriptor } from '../oci/documents.ts'
import { shortDigest } from '../oci/identity.ts'
import { counter, type Report } from '../progress/progress-stream.ts'
import { isForeign, type PushedDocument, type PushPlan, planPush } from './push-plan.ts'
import { isMissingCredentials, type RegistryClients, type RegistrySession } from './registry-session.ts'
import type { RetryOptions } from './retry.ts'
import { sendManifest } from './send-manifest.ts'
import { uploadBlob } from './upload-blob.ts'

export interface PushContext {
  context: ImageContext
  clients: RegistryClients
  host: Platform
  maxConcurrentUploads: number
  retry: Pick<RetryOptions, 'attempts' | 'retryDelayMs'>
}

export interface PushRequest {
  /** Without a tag all tags of the repository are pushed. */
  reference: ImageReference
  /** Only the manifest for it, of an index. */
  platform: Platform | undefined
  auth: RegistryAuth | undefined
  report: Report
  signal: AbortSignal
}

export async function pushImage(push: PushContext, request: PushRequest): Promise<void> {
  const { reference, report, auth, signal } = request
  report({ status: `The push refers to repository [${repositoryOf(reference)}]` })
  const targets = findTargets(push.context, reference)
  try {
    await push.clients.withSession(reference, { auth, signal, skipMirrors: true }, async (session) => {
      for (const target of targets) await pushOne(push, session, { ...request, ...target })
    })
  } catch (error) {
    // Docker leaves out what was being asked for when credentials are missing.
    const cause = error instanceof EngineError && error.cause
    if (cause instanceof Error && cause.message === 'no basic auth credentials') throw internal(cause.message)
    if (isMissingCredentials(error)) throw internal('no basic auth credentials')
    throw error
  }
}

interface Target {
  image: StoredImage
  reference: ImageReference
  index: IndexRow | undefined
}

function findTargets({ images }: ImageContext, reference: ImageReference): Target[] {
  const known = images.referencesByName(reference).filter(({ reference: { tag } }) => tag !== undefined)
  if (known.length === 0) {
    throw internal(`An image does not exist locally with the tag: ${familiarName(reference)}`)
  }
  const wanted = reference.tag === undefined ? known : known.filter((other) => other.reference.tag === reference.tag)
  const targets = wanted.flatMap(({ reference: tagged, imageId, indexDigest }) => {
    const image = images.get(imageId)
    const index = indexDigest === undefined ? undefined : images.index(indexDigest)
    return image === undefined ? [] : [{ image, reference: tagged, index }]
  })
  if (targets.length === 0) throw internal(`tag does not exist: ${familiarString(reference)}`)
  return targets
}

async function pushOne(push: PushContext, session: RegistrySession, request: PushRequest & Target): Promise<void> {
  const { context } = push
  const { id, manifestDigest, blobDigests } = request.image.row
  const ofIndex = request.index === undefined ? [] : blobsOfIndex(request.index)
  const release = context.content.pins.add(id, manifestDigest, ...blobDigests, ...ofIndex)
  try {
    await pushPinned(push, session, request)
  } finally {
    release()
  }
}

async function pushPinned(push: PushContext, session: RegistrySession, request: PushRequest & Target): Promise<void> {
  const { image, reference, report } = request
  const tag = reference.tag ?? 'latest'
  const plan = await planPush(push.context, { ...request, host: push.host })
  await pushBlobs(push, session, { plan, request })
  for (const child of plan.children) await putManifest(session, { document: child, name: child.digest, request })
  await putManifest(session, { document: plan.target, name: tag, request })
  const { digest, data } = plan.target
  // Another platform's manifest is no name of what the tag means here.
  if (plan.imageId === image.row.id) noteDigest(push.context, request, { ...reference, digest })
  report({ status: `${tag}: digest: ${digest} size: ${data.length}` })
  if (plan.instead !== undefined) {
    report({ progressDetail: {}, aux: { manifestPushedInsteadOfIndex: true, ...plan.instead } })
  }
  report({ progressDetail: {}, aux: { Tag: tag, Digest: digest, Size: data.length } })
  const id = familiarString(reference)
  publishImage(push.context, { action: 'push', imageId: image.row.id, id, name: familiarName(reference) })
}

async function pushBlobs(
  push: PushContext,
  session: RegistrySession,
  { plan, request }: { plan: PushPlan; request: PushRequest },
): Promise<void> {
  const { reference, report, signal } = request
  for (const layer of plan.layers) report(line('Preparing', layer.digest))
  const slots = new Semaphore(push.maxConcurrentUploads)
  const uploads = plan.layers.map((layer) => slots.run(() => pushLayer(push, session, { layer, request })))
  const failed = (await Promise.allSettled(uploads)).find((outcome) => outcome.status === 'rejected')
  if (failed !== undefined) throw failed.reason
  for (const blob of plan.configs) await pushBlob(push, session, { blob, source: repositoryOf(reference), signal })
}

async function putManifest(
  session: RegistrySession,
  { document, name, request }: { document: PushedDocument; name: string; request: PushRequest },
): Promise<void> {
  await sendManifest(session, document, name, request.signal)
}

/** Unless the image was removed meanwhile: a name without an image would be left. */
function noteDigest({ images }: ImageContext, { image, index }: Target, reference: ImageReference): void {
  const { domain, path, digest } = reference
  if (digest === undefined || images.get(image.row.id) === undefined) return
  const whole = index?.digest === digest ? digest : undefined
  images.transaction(() => images.setReference({ domain, path, digest }, image.row.id, whole))
}

const line = (status: string, digest: string): ProgressMessage => ({
  status,
  progressDetail: {},
  id: shortDigest(digest),
})

async function pushLayer(
  push: PushContext,
  session: RegistrySession,
  { layer, request }: { layer: Descriptor; request: PushRequest },
): Promise<void> {
  const { report, signal } = request
  if (isForeign(layer)) return report(line('Skipped foreign layer', layer.digest))
  const id = shortDigest(layer.digest)
  const onBytes = counter(report, { status: 'Pushing', id, total: layer.size })
  const onRetry = (seconds: number) =>
    report(line(`Retrying in ${seconds} second${seconds === 1 ? '' : 's'}`, layer.digest))
  const source = repositoryOf(request.reference)
  const outcome = await pushBlob(push, session, { blob: layer, source, onBytes, onRetry, signal })
  if (outcome.kind === 'mounted') report(line(`Mounted from ${outcome.from}`, layer.digest))
  else report(line(outcome.kind === 'exists' ? 'Layer already exists' : 'Pushed', layer.digest))
}

type Outcome = { kind: 'exists' } | { kind: 'mounted'; from: string } | { kind: 'pushed' }

interface BlobPush {
  blob: Descriptor
  /** `docker.io/library/alpine`: from now on it is known to have the blob. */
  source: string
  onBytes?: (total: number) => void
  onRetry?: (seconds: number) => void
  signal: AbortSignal
}

async function pushBlob(push: PushContext, session: RegistrySession, request: BlobPush): Promise<Outcome> {
  const { blob, signal } = request
  const { content } = push.context
  // Who knows no HEAD takes what it may have.
  const expected = [200, 404, 405]
  const head = { method: 'HEAD', path: `${session.repository}/blobs/${blob.digest}`, expected } as const
  const found = await session.ask({ ...head, actions: 'pull,push', signal })
  await found.discard()
  if (found.status === 200) {
    content.addSource(blob.digest, request.source)
    return { kind: 'exists' }
  }
  const mountFrom = mountSource(content.get(blob.digest)?.sources ?? [], session)
  const retry = { ...push.retry, signal, waiting: request.onRetry }
  const outcome = await uploadBlob({ content, session, blob, mountFrom, retry, onBytes: request.onBytes })
  content.addSource(blob.digest, request.source)
  return outcome === 'mounted' ? { kind: 'mounted', from: mountFrom ?? session.repository } : { kind: 'pushed' }
}

/** Another repository of the same registry that is known to have the blob. */
function mountSource(sources: readonly string[], session: RegistrySession): string | undefined {
  const { host } = new URL(session.endpoint.base)
  const domain = host === 'registry-1.docker.io' ? 'docker.io' : host
  return sources
    .filter((source) => source.startsWith(`${domain}/`))
    .map((source) => source.slice(domain.length + 1))
    .find((repository) => repository !== session.repository)
}
