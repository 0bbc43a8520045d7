/**
 * Which images may be pulled: by registry or repository prefix all of them, those that one of some public keys signed, or
 * none. Read from a file whose every key is checked before the policy counts.
 */
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { type ImageReference, invalidArgument, parseReference, repositoryOf } from '@dockerd-ts/core'
import * as z from 'zod'
import { type SignatureKey, signatureKey } from './signature-key.ts'

export type SignatureRule =
  | { name: string; kind: 'accept' | 'refuse' }
  | { name: string; kind: 'signed'; keys: readonly SignatureKey[]; signedAs: string | undefined }

export interface SignaturePolicy {
  default: SignatureRule
  /** By `registry.example.com`, `registry.example.com/team`, … or `*.example.com`. */
  rules: ReadonlyMap<string, SignatureRule>
}

const policyLimitBytes = 1024 * 1024
const maxKeys = 64

const requirement = z.union([
  z.enum(['accept', 'refuse']),
  z.strictObject({ 'public-keys': z.array(z.string().min(1)).min(1).max(maxKeys), 'signed-as': z.string().optional() }),
])
const policyDocument = z.strictObject({ default: requirement, rules: z.record(z.string(), requirement).default({}) })

/** Throws invalidArgument that names the file and what is wrong in it. */
export function readSignaturePolicy(path: string): SignaturePolicy {
  const wrong = (message: string, cause?: unknown) =>
    invalidArgument(`image signature policy ${path}: ${message}`, cause)
  let document: unknown
  try {
    const text = readFileSync(path, 'utf8')
    if (text.length > policyLimitBytes) throw new Error(`larger than ${policyLimitBytes} bytes`)
    document = JSON.parse(text)
  } catch (error) {
    throw wrong((error as Error).message, error)
  }
  const parsed = policyDocument.safeParse(document)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw wrong(`${issue?.path.join('.') || 'policy'}: ${issue?.message}`)
  }
  const base = dirname(resolve(path))
  try {
    const rules = Object.entries(parsed.data.rules).map(([text, wanted]) => {
      const name = prefix(text)
      return [name, rule(name, wanted, base)] as const
    })
    return { default: rule('default', parsed.data.default, base), rules: new Map(rules) }
  } catch (error) {
    throw wrong((error as Error).message, error)
  }
}

function rule(name: string, wanted: z.infer<typeof requirement>, base: string): SignatureRule {
  if (typeof wanted === 'string') return { name, kind: wanted }
  const signedAs = wanted['signed-as']
  if (signedAs !== undefined && name.startsWith('*.')) throw new Error(`${name}: signed-as needs a prefix without "*"`)
  if (signedAs !== undefined && name === 'default') throw new Error('default: signed-as needs a prefix')
  return {
    name,
    kind: 'signed',
    keys: wanted['public-keys'].map((path) => signatureKey(resolve(base, path))),
    signedAs: signedAs === undefined ? undefined : prefix(signedAs),
  }
}

/** As repositories are named inside: `index.docker.io` is `docker.io`. Throws for what can match nothing. */
function prefix(name: string): string {
  if (/^\*(?:\.[a-z0-9-]+)+$/i.test(name)) return name
  const [host = '', ...path] = name.split('/')
  const isHost = /[.:]/.test(host) || host === 'localhost'
  if (!isHost) throw new Error(`${JSON.stringify(name)} names no registry: write docker.io/library/alpine, not alpine`)
  const domain = host === 'index.docker.io' ? 'docker.io' : host
  const { tag, digest } = parseReference([domain, ...(path.length > 0 ? path : ['any', 'any'])].join('/'))
  if (tag !== undefined || digest !== undefined) throw new Error(`${JSON.stringify(name)} has a tag or digest`)
  return [domain, ...path].join('/')
}

/** The longest prefix decides; then wildcards, the longest first; then the default. */
export function ruleFor(policy: SignaturePolicy, reference: ImageReference): SignatureRule {
  const parts = repositoryOf(reference).split('/')
  for (let length = parts.length; length > 0; length--) {
    const found = policy.rules.get(parts.slice(0, length).join('/'))
    if (found !== undefined) return found
  }
  const labels = reference.domain.split('.')
  for (let start = 1; start < labels.length; start++) {
    const found = policy.rules.get(['*', ...labels.slice(start)].join('.'))
    if (found !== undefined) return found
  }
  return policy.default
}
