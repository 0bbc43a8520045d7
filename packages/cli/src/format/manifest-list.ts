/** A manifest list as docker writes it: the same bytes, so that both clients push the same digest. */
import type { Platform, StoredManifest } from '../manifest-store.ts'
import { parseReference } from '../options/reference.ts'

const ociManifest = 'application/vnd.oci.image.manifest.v1+json'
const ociIndex = 'application/vnd.oci.image.index.v1+json'
const dockerList = 'application/vnd.docker.distribution.manifest.list.v2+json'
const indent = 3

/** Throws for a source in another registry: a list names manifests of its own repository. */
export function manifestList(
  domain: string,
  manifests: readonly StoredManifest[],
): { mediaType: string; text: string } {
  for (const { Ref } of manifests) {
    const other = parseReference(Ref).domain
    if (other !== domain) {
      throw new Error(`cannot use source images from a different registry than the target image: ${other} != ${domain}`)
    }
  }
  const mediaType = manifests[0]?.Descriptor.mediaType === ociManifest ? ociIndex : dockerList
  const document = {
    schemaVersion: 2,
    mediaType,
    manifests: manifests.map(({ Descriptor, Raw }) => ({
      mediaType: Descriptor.mediaType,
      size: Buffer.from(Raw, 'base64').length,
      digest: Descriptor.digest,
      platform: orderedPlatform(Descriptor.platform),
    })),
  }
  return { mediaType, text: JSON.stringify(document, undefined, indent) }
}

/** Its keys in Go's order; what is empty is left out. */
export function orderedPlatform(platform: Platform | undefined): Platform {
  const { architecture = '', os = '', variant } = platform ?? {}
  const version = platform?.['os.version']
  const features = platform?.['os.features'] ?? []
  return {
    architecture,
    os,
    ...(version && { 'os.version': version }),
    ...(features.length > 0 && { 'os.features': features }),
    ...(variant && { variant }),
  }
}
