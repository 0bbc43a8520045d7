/**
 * One signature in a Sigstore bundle (v0.3, as cosign 3 makes them), checked by public key: of the manifest's own bytes, or a
 * DSSE envelope with an in-toto statement of cosign's. Format: github.com/sigstore/protobuf-specs, sigstore_bundle.proto;
 * github.com/secure-systems-lab/dsse, protocol.md. Certificates, timestamps and logs are not looked at: the key decides.
 */
import { parseReference, repositoryOf } from '@dockerd-ts/core'
import * as z from 'zod'
import type { SignatureKey } from './signature-key.ts'
import { expectedRepository, type SignatureAnswer, type SignatureQuestion } from './simple-signing.ts'

export const bundleType = 'application/vnd.dev.sigstore.bundle.v0.3+json'
export const bundleLimitBytes = 256 * 1024

const base64 = z
  .string()
  .max(bundleLimitBytes)
  .regex(/^[A-Za-z0-9+/]+={0,2}$/)
const bundleSchema = z.object({
  mediaType: z.literal(bundleType),
  messageSignature: z.object({ signature: base64 }).optional(),
  dsseEnvelope: z
    .object({
      payload: base64,
      payloadType: z.literal('application/vnd.in-toto+json'),
      signatures: z
        .array(z.object({ sig: base64 }))
        .min(1)
        .max(8),
    })
    .optional(),
})

const statementSchema = z.object({
  _type: z.enum(['https://in-toto.io/Statement/v1', 'https://in-toto.io/Statement/v0.1']),
  // Signed provenance says how an image was made, not that it may be used.
  predicateType: z.literal('https://sigstore.dev/cosign/sign/v1'),
  subject: z
    .array(z.object({ name: z.string().max(1024).optional(), digest: z.record(z.string(), z.string()) }))
    .max(64),
})

/** `document`: the bytes of the digest that the question is about. Nothing signed is read before a key has signed it. */
export function checkBundle(found: Buffer, question: SignatureQuestion, document: Buffer): SignatureAnswer {
  const { messageSignature, dsseEnvelope } = parse(bundleSchema, found) ?? {}
  const { keys } = question.rule
  if (messageSignature !== undefined) {
    const key = signerOf(keys, document, [messageSignature.signature])
    return key === undefined ? unsigned : { key, signedReference: question.digest }
  }
  if (dsseEnvelope === undefined) return { reason: 'the bundle can not be read' }
  const payload = Buffer.from(dsseEnvelope.payload, 'base64')
  const signed = preAuthenticated(dsseEnvelope.payloadType, payload)
  const key = signerOf(
    keys,
    signed,
    dsseEnvelope.signatures.map(({ sig }) => sig),
  )
  if (key === undefined) return unsigned
  const statement = parse(statementSchema, payload)
  if (statement === undefined) return { reason: 'the signed statement is no image signature' }
  const hex = question.digest.replace('sha256:', '')
  const subject = statement.subject.find(({ digest }) => digest.sha256 === hex)
  if (subject === undefined) {
    const other = statement.subject[0]?.digest.sha256?.slice(0, 100) ?? ''
    return { reason: `it is a signature of ${JSON.stringify(`sha256:${other}`)}` }
  }
  const name = subject.name ?? ''
  if (name !== '' && !isRepository(name, expectedRepository(question.rule, question.reference))) {
    return { reason: `it is a signature for ${JSON.stringify(name)}` }
  }
  return { key, signedReference: name || question.digest }
}

const unsigned: SignatureAnswer = { reason: 'no key of the rule has made the signature' }

function signerOf(keys: readonly SignatureKey[], signed: Buffer, signatures: readonly string[]) {
  const all = signatures.map((text) => Buffer.from(text, 'base64'))
  return keys.find((key) => all.some((signature) => key.verify(signed, signature)))
}

/** What DSSE has signed: type and body with their lengths, so that neither can pass for the other. */
function preAuthenticated(type: string, body: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`DSSEv1 ${Buffer.byteLength(type)} ${type} ${body.length} `), body])
}

function isRepository(name: string, repository: string): boolean {
  try {
    return repositoryOf(parseReference(name)) === repository
  } catch {
    return false
  }
}

function parse<T>(schema: z.ZodType<T>, bytes: Buffer): T | undefined {
  try {
    return schema.safeParse(JSON.parse(bytes.toString('utf8'))).data
  } catch {
    return undefined
  }
}
