/** Public keys that verify signatures: ECDSA P-256, RSA and Ed25519, as cosign and skopeo make them. */
import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto'
import { readFileSync } from 'node:fs'

export interface SignatureKey {
  /** The file it came from. */
  path: string
  /** `SHA256:` and the digest of the key's SubjectPublicKeyInfo in base64. */
  fingerprint: string
  verify(payload: Buffer, signature: Buffer): boolean
}

const leastRsaBits = 2048

/** Reads a PEM file with one public key. Throws an Error that names the file. */
export function signatureKey(path: string): SignatureKey {
  const pem = readFileSync(path, 'utf8')
  // Node would derive the public key; where a signing key lies is no place for a daemon to look.
  if (pem.includes('PRIVATE KEY')) throw new Error(`${path} is a private key: name the public one`)
  let key: KeyObject
  try {
    key = createPublicKey(pem)
  } catch (error) {
    throw new Error(`${path} is no public key in PEM form`, { cause: error })
  }
  const hash = hashOf(key)
  if (hash === undefined)
    throw new Error(`${path}: only ECDSA P-256, RSA (from ${leastRsaBits} bits) and Ed25519 keys are known`)
  const der = key.export({ type: 'spki', format: 'der' })
  return {
    path,
    fingerprint: `SHA256:${createHash('sha256').update(der).digest('base64')}`,
    verify: (payload, signature) => verify(hash, payload, key, signature),
  }
}

/** Null: the algorithm has its own. Undefined: not a key for this. */
function hashOf({ asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject): 'sha256' | null | undefined {
  if (type === 'ed25519') return null
  if (type === 'ec' && details?.namedCurve === 'prime256v1') return 'sha256'
  return type === 'rsa' && (details?.modulusLength ?? 0) >= leastRsaBits ? 'sha256' : undefined
}
