/** For tests: one image for several platforms, with an attestation, in a scripted registry and as an archive. */
import type { ScriptedRegistry } from './scripted-registry.ts'
import { digest, type Item, type MadeImage, makeImage, tar } from './test-images.ts'

export const indexType = 'application/vnd.oci.image.index.v1+json'
const manifestType = 'application/vnd.oci.image.manifest.v1+json'

export interface MultiPlatform {
  amd64: MadeImage
  arm64: MadeImage
  attestation: Buffer
  index: Buffer
  /** Digests of the manifests. */
  manifests: { amd64: string; arm64: string; attestation: string }
  /** Every blob and document. */
  blobs: Buffer[]
}

export function multiPlatform(name: string): MultiPlatform {
  const base = tar({ name: 'base', type: 'file', data: name })
  const made = (architecture: string) =>
    makeImage({
      layers: [{ tar: base }, { tar: tar({ name: 'arch', type: 'file', data: architecture }) }],
      platform: { architecture },
    })
  const amd64 = made('amd64')
  const arm64 = made('arm64')
  const statement = Buffer.from(
    JSON.stringify({
      _type: 'https://in-toto.io/Statement/v0.1',
      predicateType: 'https://spdx.dev/Document',
      subject: [{ name }],
    }),
  )
  const attested = Buffer.from(
    JSON.stringify({
      architecture: 'unknown',
      os: 'unknown',
      config: {},
      rootfs: { type: 'layers', diff_ids: [digest(statement)] },
    }),
  )
  const manifest = (config: Buffer, layers: Buffer[], mediaType = 'application/vnd.oci.image.layer.v1.tar') =>
    Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: manifestType,
        config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...sized(config) },
        layers: layers.map((layer) => ({ mediaType, ...sized(layer) })),
      }),
    )
  const first = manifest(amd64.config, amd64.layers)
  const second = manifest(arm64.config, arm64.layers)
  const attestation = manifest(attested, [statement], 'application/vnd.in-toto+json')
  const entry = (data: Buffer, rest: object) => ({ mediaType: manifestType, ...sized(data), ...rest })
  const index = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: indexType,
      manifests: [
        entry(first, { platform: { os: 'linux', architecture: 'amd64' } }),
        entry(second, { platform: { os: 'linux', architecture: 'arm64', variant: 'v8' } }),
        entry(attestation, {
          annotations: {
            'vnd.docker.reference.digest': digest(first),
            'vnd.docker.reference.type': 'attestation-manifest',
          },
          platform: { os: 'unknown', architecture: 'unknown' },
        }),
      ],
    }),
  )
  const images = [amd64, arm64].flatMap(({ config, layers }) => [config, ...layers])
  return {
    amd64,
    arm64,
    attestation: statement,
    index,
    manifests: { amd64: digest(first), arm64: digest(second), attestation: digest(attestation) },
    blobs: [...images, attested, statement, first, second, attestation, index],
  }
}

const sized = (data: Buffer) => ({ digest: digest(data), size: data.length })

export function serve(registry: ScriptedRegistry, repository: string, tag: string, image: MultiPlatform): void {
  for (const data of image.blobs) {
    const type = data === image.index ? indexType : manifestType
    registry.content.set(`${repository}/manifests/${digest(data)}`, { data, type })
    registry.content.set(`${repository}/blobs/${digest(data)}`, { data, type: 'application/octet-stream' })
  }
  registry.content.set(`${repository}/manifests/${tag}`, { data: image.index, type: indexType })
}

/** An OCI layout; `without` are digests that it lacks. */
export function layout(name: string, image: MultiPlatform, without: readonly string[] = []): Buffer {
  const index = {
    schemaVersion: 2,
    manifests: [
      { mediaType: indexType, ...sized(image.index), annotations: { 'org.opencontainers.image.ref.name': name } },
    ],
  }
  return tar(
    { name: 'oci-layout', type: 'file', data: '{"imageLayoutVersion":"1.0.0"}' },
    { name: 'index.json', type: 'file', data: JSON.stringify(index) },
    ...[...new Map(image.blobs.map((data) => [digest(data), data]))]
      .filter(([id]) => !without.includes(id))
      .map(([id, data]): Item => ({ name: `blobs/${id.replace(':', '/')}`, type: 'file', data })),
  )
}
