/** Image references: checking, completing and shortening them as Docker does. */

export interface Reference {
  /** docker.io, or another registry. */
  domain: string
  /** library/alpine */
  path: string
  tag: string
  digest: string
}

const DOMAIN =
  /^(?:(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?$/
const PATH = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*$/
const TAG = /^[\w][\w.-]{0,127}$/
const DIGEST = /^[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}$/
const MAX_NAME_LENGTH = 255

/** Parses what a user wrote; `alpine` becomes docker.io/library/alpine. Throws Docker's texts. */
export function parseReference(text: string): Reference {
  if (/^[a-f0-9]{64}$/.test(text))
    throw new Error(`invalid repository name (${text}), cannot specify 64-byte hexadecimal strings`)
  const { domain, rest } = splitDomain(text)
  const at = rest.indexOf('@')
  const digest = at < 0 ? '' : rest.slice(at + 1)
  const named = at < 0 ? rest : rest.slice(0, at)
  const colon = named.indexOf(':')
  const path = colon < 0 ? named : named.slice(0, colon)
  const tag = colon < 0 ? '' : named.slice(colon + 1)
  if (path.toLowerCase() !== path)
    throw new Error(`invalid reference format: repository name (${path}) must be lowercase`)
  const wrong =
    !PATH.test(path) || !DOMAIN.test(domain) || (colon >= 0 && !TAG.test(tag)) || (at >= 0 && !DIGEST.test(digest))
  if (wrong) throw new Error('invalid reference format')
  if (path.length > MAX_NAME_LENGTH)
    throw new Error(`repository name must not be more than ${MAX_NAME_LENGTH} characters`)
  return { domain, path, tag, digest }
}

function splitDomain(text: string): { domain: string; rest: string } {
  const slash = text.indexOf('/')
  const first = slash < 0 ? '' : text.slice(0, slash)
  const isDomain = slash >= 0 && (/[.:]/.test(first) || first === 'localhost' || first.toLowerCase() !== first)
  let domain = isDomain ? first : 'docker.io'
  let rest = isDomain ? text.slice(slash + 1) : text
  if (domain === 'index.docker.io') domain = 'docker.io'
  if (domain === 'docker.io' && !rest.includes('/')) rest = `library/${rest}`
  return { domain, rest }
}

export function isNameOnly(reference: Reference): boolean {
  return reference.tag === '' && reference.digest === ''
}

/** The name as people write it, without tag and digest. */
export function familiarName({ domain, path }: Reference): string {
  if (domain !== 'docker.io') return `${domain}/${path}`
  return path.startsWith('library/') && path.indexOf('/', 8) < 0 ? path.slice('library/'.length) : path
}

export function familiarString(reference: Reference): string {
  return familiarName(reference) + suffix(reference)
}

export function fullName({ domain, path }: Reference): string {
  return `${domain}/${path}`
}

export function fullString(reference: Reference): string {
  return fullName(reference) + suffix(reference)
}

function suffix({ tag, digest }: Reference): string {
  return `${tag ? `:${tag}` : ''}${digest ? `@${digest}` : ''}`
}

export function withDefaultTag(reference: Reference): Reference {
  return isNameOnly(reference) ? { ...reference, tag: 'latest' } : reference
}
