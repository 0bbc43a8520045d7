/**
 * One signature of the "simple signing" kind: a JSON payload that names a manifest's digest and a reference, and the
 * signature of its bytes. Format: github.com/containers/image, docs/containers-signature.5.md; cosign's SIGNATURE_SPEC.md.
 */
import { type ImageReference, parseReference, repositoryOf } from '@dockerd-ts/core'
import * as z from 'zod'
import type { SignatureKey } from './signature-key.ts'
import type { SignatureRule } from './signature-policy.ts'

/** As it came from a registry: not to be believed. */
export interface FoundSignature {
  payload: Buffer
  /** Base64. */
  signature: string
}

const maxSignatureLength = 8 * 1024

const payloadSchema = z.object({
  critical: z.object({
    type: z.enum(['cosign container image signature', 'atomic container signature']),
    image: z.object({ 'docker-manifest-digest': z.string() }),
    identity: z.object({ 'docker-reference': z.string() }),
  }),
})

export interface SignatureQuestion {
  rule: Extract<SignatureRule, { kind: 'signed' }>
  /** What is pulled. */
  reference: ImageReference
  /** Of the manifest or index that has to be signed. */
  digest: string
}

export type SignatureAnswer = { key: SignatureKey; signedReference: string } | { reason: string }

/** Nothing of the payload is read before a key of the rule has signed it. */
export function checkSignature(found: FoundSignature, { rule, reference, digest }: SignatureQuestion): SignatureAnswer {
  const key = signerOf(found, rule.keys)
  if (key === undefined) return { reason: 'no key of the rule has made the signature' }
  const payload = parsePayload(found.payload)
  if (payload === undefined) return { reason: 'the signed payload is no image signature' }
  const { image, identity } = payload.critical
  if (image['docker-manifest-digest'] !== digest) {
    return { reason: `it is a signature of ${JSON.stringify(image['docker-manifest-digest'].slice(0, 100))}` }
  }
  const signedReference = identity['docker-reference'].slice(0, 1024)
  const isNamed = names(signedReference, expectedRepository(rule, reference), { ...reference, digest })
  return isNamed ? { key, signedReference } : { reason: `it is a signature for ${JSON.stringify(signedReference)}` }
}

function signerOf({ payload, signature }: FoundSignature, keys: readonly SignatureKey[]): SignatureKey | undefined {
  if (signature.length > maxSignatureLength || !/^[A-Za-z0-9+/]+={0,2}$/.test(signature)) return undefined
  const bytes = Buffer.from(signature, 'base64')
  return keys.find((key) => key.verify(payload, bytes))
}

function parsePayload(bytes: Buffer): z.infer<typeof payloadSchema> | undefined {
  try {
    return payloadSchema.safeParse(JSON.parse(bytes.toString('utf8'))).data
  } catch {
    return undefined
  }
}

/** `signed-as` stands for the rule's own prefix: images of a mirror are signed with the name of what it mirrors. */
export function expectedRepository({ name, signedAs }: SignatureQuestion['rule'], reference: ImageReference): string {
  const repository = repositoryOf(reference)
  if (signedAs === undefined) return repository
  return `${signedAs}${repository.slice(name.length)}`
}

/** The same repository; a signature for one tag is none for another. */
function names(signed: string, repository: string, pulled: ImageReference): boolean {
  try {
    const reference = parseReference(signed)
    if (repositoryOf(reference) !== repository) return false
    if (reference.digest !== undefined && reference.digest !== pulled.digest) return false
    return reference.tag === undefined || pulled.tag === undefined || reference.tag === pulled.tag
  } catch {
    return false
  }
}
