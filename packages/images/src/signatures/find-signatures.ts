/**
 * Signatures of a manifest, where cosign puts them: under the tag `sha256-….sig`, and as referrers, bundles too. All of it is bounded and
 * fetched only as far as it is asked for.
 */
import { documentLimitBytes, type Manifest, parseManifest } from '../oci/documents.ts'
import { sha256 } from '../oci/identity.ts'
import { mediaTypes } from '../oci/media-types.ts'
import { listReferrers } from '../registry/referrers.ts'
import type { RegistrySession } from '../registry/registry-session.ts'
import { bundleLimitBytes, bundleType } from './sigstore-bundle.ts'
import type { FoundSignature } from './simple-signing.ts'

const payloadType = 'application/vnd.dev.cosign.simplesigning.v1+json'
const artifactType = 'application/vnd.dev.cosign.artifact.sig.v1+json'
const signatureAnnotation = 'dev.cosignproject.cosign/signature'
const payloadLimitBytes = 64 * 1024
const accept = [mediaTypes.ociManifest, mediaTypes.dockerManifest].join(', ')

/** Of one manifest; who puts more there wants to keep the daemon busy. */
const maxSignatures = 64
const maxReferringManifests = 32

interface Search {
  session: RegistrySession
  digest: string
  signal: AbortSignal
}

/** A signature of either kind, for whoever knows the kind to check. */
export type Found = { kind: 'simple'; signature: FoundSignature } | { kind: 'bundle'; bundle: Buffer }

export async function* findSignatures(search: Search): AsyncGenerator<Found> {
  for await (const signature of findSimple(search)) yield { kind: 'simple', signature }
  for await (const bundle of findBundles(search)) yield { kind: 'bundle', bundle }
}

async function* findBundles(search: Search): AsyncGenerator<Buffer> {
  const { session, digest, signal } = search
  const referrers = await listReferrers(session, { digest, artifactType: bundleType }, signal)
  for (const referrer of referrers.slice(0, maxReferringManifests)) {
    const manifest = await fetchSignatureManifest(search, referrer.digest)
    const layer = manifest?.layers.find(({ mediaType }) => mediaType === bundleType)
    if (layer === undefined || layer.size > bundleLimitBytes) continue
    const bundle = await fetchPayload(search, layer.digest, bundleLimitBytes)
    if (bundle !== undefined) yield bundle
  }
}

async function* findSimple(search: Search): AsyncGenerator<FoundSignature> {
  let left = maxSignatures
  for await (const manifest of signatureManifests(search)) {
    for (const layer of manifest.layers) {
      const signature = layer.annotations?.[signatureAnnotation]
      if (layer.mediaType !== payloadType || signature === undefined || layer.size > payloadLimitBytes) continue
      if (left-- === 0) return
      const payload = await fetchPayload(search, layer.digest, payloadLimitBytes)
      if (payload !== undefined) yield { payload, signature }
    }
  }
}

async function* signatureManifests(search: Search): AsyncGenerator<Manifest> {
  const tagged = await fetchSignatureManifest(search, `${search.digest.replace(':', '-')}.sig`)
  if (tagged !== undefined) yield tagged
  const { session, digest, signal } = search
  const referrers = await listReferrers(session, { digest, artifactType }, signal)
  for (const referrer of referrers.slice(0, maxReferringManifests)) {
    const manifest = await fetchSignatureManifest(search, referrer.digest)
    if (manifest !== undefined) yield manifest
  }
}

/** Undefined when there is none, or it is no manifest: a signature that can't be read is no signature. */
async function fetchSignatureManifest({ session, signal }: Search, target: string): Promise<Manifest | undefined> {
  const path = `${session.repository}/manifests/${target}`
  const answer = await session.ask({ method: 'GET', path, headers: { accept }, expected: [200, 404], signal })
  if (answer.status === 404) {
    await answer.discard()
    return undefined
  }
  const data = await answer.bytes(documentLimitBytes)
  try {
    return parseManifest(data)
  } catch {
    return undefined
  }
}

async function fetchPayload(
  { session, signal }: Search,
  digest: string,
  limitBytes: number,
): Promise<Buffer | undefined> {
  const path = `${session.repository}/blobs/${digest}`
  const answer = await session.ask({ method: 'GET', path, expected: [200, 404], signal })
  if (answer.status === 404) {
    await answer.discard()
    return undefined
  }
  const payload = await answer.bytes(limitBytes)
  return sha256(payload) === digest ? payload : undefined
}
