/**
 * What is attested about a pulled manifest (provenance, bills of materials) comes with it, as BuildKit puts it into the
 * index. What the registry lacks of it is left out: the image is whole without.
 */
import { repositoryOf } from '@dockerd-ts/core'
import { attestedDigest } from '../catalog/attested-digest.ts'
import { collect } from '../catalog/collect.ts'
import type { ImageContext } from '../catalog/image-context.ts'
import { type Descriptor, type Manifest, parseIndex, parseManifest } from '../oci/documents.ts'
import { isManifestType } from '../oci/media-types.ts'
import type { BlobDownloads } from './blob-download.ts'
import { fetchManifest, type ResolvedManifest } from './manifests.ts'
import type { PullRequest } from './pull-request.ts'
import { RegistryError } from './registry-error.ts'
import type { RegistrySession } from './registry-session.ts'

const maxAttestations = 10
const maxBytes = 256 * 1024 * 1024

interface Fetch {
  context: ImageContext
  downloads: BlobDownloads
  session: RegistrySession
  resolved: ResolvedManifest
  request: PullRequest
  /** Releases what is pinned. */
  unpins: (() => void)[]
}

/** The manifests that are here whole now, by digest. */
export async function fetchAttestations(fetch: Fetch): Promise<Map<string, Manifest>> {
  const { resolved } = fetch
  const found = new Map<string, Manifest>()
  const descriptors = resolved.indexes
    .flatMap(({ data }) => parseIndex(data).manifests ?? [])
    .filter((descriptor) => isManifestType(descriptor.mediaType) && attestedDigest(descriptor) === resolved.digest)
  for (const descriptor of descriptors.slice(0, maxAttestations)) {
    try {
      const manifest = await fetchOne(fetch, descriptor)
      if (manifest !== undefined) found.set(descriptor.digest, manifest)
    } catch (error) {
      fetch.request.signal.throwIfAborted()
      if (!(error instanceof RegistryError)) throw error
    }
  }
  return found
}

async function fetchOne(fetch: Fetch, { digest }: Descriptor): Promise<Manifest | undefined> {
  const { context, downloads, session, request, unpins } = fetch
  const { signal, reference } = request
  const document = await fetchManifest(session, digest, signal)
  const manifest = parseManifest(document.data)
  const blobs = [manifest.config, ...manifest.layers]
  if (blobs.reduce((sum, { size }) => sum + size, 0) > maxBytes) return undefined
  const release = context.content.pins.add(digest, ...blobs.map((blob) => blob.digest))
  const source = repositoryOf(reference)
  try {
    for (const blob of blobs) await downloads.download({ session, descriptor: blob, source, signal })
    await context.content.put(document.data, document.mediaType, source)
  } catch (error) {
    release()
    // What came of it has no owner.
    await collect(context).swept
    throw error
  }
  unpins.push(release)
  return manifest
}
