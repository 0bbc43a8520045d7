/** `POST /images/x/push`: layers that the registry lacks, the configuration, then the manifest under its tag. */
import {
  EngineError,
  familiarName,
  familiarString,
  type ImageReference,
  internal,
  type ProgressMessage,
  type RegistryAuth,
  repositoryOf,
} from '@dockerd-ts/core'
import { exportableManifest } from '../archive/exportable-manifest.ts'
import { type ImageContext, publishImage } from '../catalog/image-context.ts'
import type { StoredImage } from '../catalog/image-store.ts'
import { Semaphore } from '../layers/semaphore.ts'
import { type Descriptor, parseManifest } from '../oci/documents.ts'
import { shortDigest } from '../oci/identity.ts'
import { counter, type Report } from '../progress/progress-stream.ts'
import { isMissingCredentials, type RegistryClients, type RegistrySession } from './registry-session.ts'
import type { RetryOptions } from './retry.ts'
import { uploadBlob } from './upload-blob.ts'

export interface PushContext {
  context: ImageContext
  clients: RegistryClients
  maxConcurrentUploads: number
  retry: Pick<RetryOptions, 'attempts' | 'retryDelayMs'>
}

export interface PushRequest {
  /** Without a tag all tags of the repository are pushed. */
  reference: ImageReference
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
}

function findTargets({ images }: ImageContext, reference: ImageReference): Target[] {
  const known = images.referencesByName(reference).filter(({ reference: { tag } }) => tag !== undefined)
  if (known.length === 0) {
    throw internal(`An image does not exist locally with the tag: ${familiarName(reference)}`)
  }
  const wanted = reference.tag === undefined ? known : known.filter((other) => other.reference.tag === reference.tag)
  const targets = wanted.flatMap(({ reference: tagged, imageId }) => {
    const image = images.get(imageId)
    return image === undefined ? [] : [{ image, reference: tagged }]
  })
  if (targets.length === 0) throw internal(`tag does not exist: ${familiarString(reference)}`)
  return targets
}

async function pushOne(push: PushContext, session: RegistrySession, request: PushRequest & Target): Promise<void> {
  const { context } = push
  const { id, manifestDigest, blobDigests } = request.image.row
  const release = context.content.pins.add(id, manifestDigest, ...blobDigests)
  try {
    await pushPinned(push, session, request)
  } finally {
    release()
  }
}

async function pushPinned(push: PushContext, session: RegistrySession, request: PushRequest & Target): Promise<void> {
  const { context } = push
  const { image, reference, report, signal } = request
  const tag = reference.tag ?? 'latest'
  const { data, mediaType, digest } = await exportableManifest(context, image)
  const manifest = parseManifest(data)
  for (const layer of manifest.layers) report(line('Preparing', layer.digest))
  const slots = new Semaphore(push.maxConcurrentUploads)
  const uploads = manifest.layers.map((layer) => slots.run(() => pushLayer(push, session, { layer, request })))
  const failed = (await Promise.allSettled(uploads)).find((outcome) => outcome.status === 'rejected')
  if (failed !== undefined) throw failed.reason
  await pushBlob(push, session, { blob: manifest.config, source: repositoryOf(reference), signal })
  const path = `${session.repository}/manifests/${tag}`
  const headers = { 'content-type': mediaType }
  const answer = await session.ask({
    method: 'PUT',
    path,
    headers,
    body: data,
    expected: [200, 201, 202],
    actions: 'pull,push',
    signal,
  })
  await answer.discard()
  noteDigest(context, image, { ...reference, digest })
  report({ status: `${tag}: digest: ${digest} size: ${data.length}` })
  report({ progressDetail: {}, aux: { Tag: tag, Digest: digest, Size: data.length } })
  const id = familiarString(reference)
  publishImage(context, { action: 'push', imageId: image.row.id, id, name: familiarName(reference) })
}

/** Unless the image was removed meanwhile: a name without an image would be left. */
function noteDigest({ images }: ImageContext, { row }: StoredImage, { domain, path, digest }: ImageReference): void {
  if (digest === undefined || images.get(row.id) === undefined) return
  images.transaction(() => images.setReference({ domain, path, digest }, row.id))
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
  const head = { method: 'HEAD', path: `${session.repository}/blobs/${blob.digest}`, expected: [200, 404] } as const
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
