/** Holds a pull against the signature policy: a verdict to be kept with the image, or an error that says why not. */
import { familiarString, forbidden, type ImageReference, repositoryOf, type SignatureVerdict } from '@dockerd-ts/core'
import { nowNs } from '../catalog/register-image.ts'
import type { RegistrySession } from '../registry/registry-session.ts'
import { findSignatures } from './find-signatures.ts'
import { ruleFor, type SignaturePolicy, type SignatureRule } from './signature-policy.ts'
import { checkBundle } from './sigstore-bundle.ts'
import { checkSignature } from './simple-signing.ts'

const refused = (reference: ImageReference, reason: string) =>
  forbidden(`pull of ${familiarString(reference)} is refused by the image signature policy: ${reason}`)

/** Before a registry is asked. Answers the rule, or undefined where no policy is set. */
export function requireAllowed(
  policy: SignaturePolicy | undefined,
  reference: ImageReference,
): SignatureRule | undefined {
  if (policy === undefined) return undefined
  const rule = ruleFor(policy, reference)
  if (rule.kind === 'refuse') throw refused(reference, `rule ${JSON.stringify(rule.name)} refuses every image`)
  return rule
}

interface JudgedPull {
  session: RegistrySession
  reference: ImageReference
  /** What the reference means, then the manifest that an index led to: one of them has to be signed. */
  documents: readonly { digest: string; data: Buffer }[]
  signal: AbortSignal
}

/** Before anything of the image is stored. */
export async function judgePull(rule: SignatureRule, pull: JudgedPull): Promise<SignatureVerdict> {
  const { reference, session, signal } = pull
  const documents = new Map(pull.documents.map(({ digest, data }) => [digest, data]))
  const [named = ''] = documents.keys()
  const common = {
    reference: `${repositoryOf(reference)}@${named}`,
    rule: rule.name,
    checkedAtNs: nowNs(),
  }
  if (rule.kind !== 'signed') return { ...common, verdict: 'accepted' }
  const reasons: string[] = []
  for (const [digest, document] of documents) {
    for await (const found of findSignatures({ session, digest, signal })) {
      const question = { rule, reference, digest }
      const answer =
        found.kind === 'simple'
          ? checkSignature(found.signature, question)
          : checkBundle(found.bundle, question, document)
      if ('reason' in answer) {
        reasons.push(answer.reason)
        continue
      }
      const { key, signedReference } = answer
      return { ...common, verdict: 'verified', signedReference, key: key.path, fingerprint: key.fingerprint }
    }
  }
  throw refused(reference, unsigned(rule.name, named, reasons))
}

function unsigned(rule: string, digest: string, reasons: readonly string[]): string {
  const wanted = `rule ${JSON.stringify(rule)} wants a signature of ${digest}`
  if (reasons.length === 0) return `${wanted}, and the registry has none`
  const told = [...new Set(reasons)].slice(0, 3).join('; ')
  const count = reasons.length === 1 ? 'the one found does not do' : `none of ${reasons.length} found does`
  return `${wanted}, and ${count}: ${told}`
}
