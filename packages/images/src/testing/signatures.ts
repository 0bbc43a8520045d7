/** For tests: keys, and signatures of the kind that cosign makes, put where cosign puts them. */
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { digest } from './test-images.ts'

export interface TestKey {
  privateKey: KeyObject
  publicPem: string
}

export function makeKey(kind: 'ec' | 'rsa' | 'ed25519'): TestKey {
  const { privateKey, publicKey } =
    kind === 'ec'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : kind === 'rsa'
        ? generateKeyPairSync('rsa', { modulusLength: 2048 })
        : generateKeyPairSync('ed25519')
  return { privateKey, publicPem: publicKey.export({ type: 'spki', format: 'pem' }).toString() }
}

export const payloadOf = (manifestDigest: string, reference: string, type = 'cosign container image signature') =>
  Buffer.from(
    JSON.stringify({
      critical: {
        identity: { 'docker-reference': reference },
        image: { 'docker-manifest-digest': manifestDigest },
        type,
      },
      optional: null,
    }),
  )

export const signed = ({ privateKey }: TestKey, payload: Buffer): string =>
  sign(privateKey.asymmetricKeyType === 'ed25519' ? null : 'sha256', payload, privateKey).toString('base64')

/** A signature manifest: one layer for each signature. */
export function signatureManifest(
  signatures: readonly { payload: Buffer; signature: string }[],
  more: object = {},
): { manifest: Buffer; blobs: Buffer[] } {
  const config = Buffer.from(`{"architecture":"","os":"","config":{},"rootfs":{"type":"layers","diff_ids":[]}}`)
  const layers = signatures.map(({ payload, signature }) => ({
    mediaType: 'application/vnd.dev.cosign.simplesigning.v1+json',
    digest: digest(payload),
    size: payload.length,
    annotations: { 'dev.cosignproject.cosign/signature': signature },
  }))
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: digest(config), size: config.length },
      layers,
      ...more,
    }),
  )
  return { manifest, blobs: [config, ...signatures.map(({ payload }) => payload)] }
}

/** Writes `document` and its keys below `directory`; answers the policy's path. */
export function writePolicy(directory: string, document: object, keys: Readonly<Record<string, TestKey>> = {}): string {
  for (const [name, { publicPem }] of Object.entries(keys)) writeFileSync(`${directory}/${name}`, publicPem)
  const path = `${directory}/policy.json`
  writeFileSync(path, JSON.stringify(document))
  return path
}

/** By plain HTTP, as any client would. */
export async function putManifest(
  repository: string,
  tag: string,
  {
    manifest,
    blobs,
    type = 'application/vnd.oci.image.manifest.v1+json',
  }: { manifest: Buffer; blobs: readonly Buffer[]; type?: string },
): Promise<void> {
  for (const blob of blobs) {
    const begun = await fetch(`http://${repository.replace('/', '/v2/')}/blobs/uploads/`, { method: 'POST' })
    const url = new URL(begun.headers.get('location') ?? '', begun.url)
    url.searchParams.set('digest', digest(blob))
    await created(url, blob, 'application/octet-stream')
  }
  await created(new URL(`http://${repository.replace('/', '/v2/')}/manifests/${tag}`), manifest, type)
}

async function created(url: URL, body: Buffer, type: string): Promise<void> {
  const { status } = await fetch(url, { method: 'PUT', headers: { 'content-type': type }, body: new Uint8Array(body) })
  if (status !== 201) throw new Error(`the registry answered ${status} to PUT ${url.pathname}`)
}
