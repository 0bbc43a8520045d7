/** Image references in Docker's exact semantics: how `alpine`, `host:5000/a/b:tag@sha256:…` are read, and how they are shown. */
import { invalidArgument } from '../errors/engine-error.ts'

/** A normalised reference: the domain is never implicit, `library/` never missing. */
export interface ImageReference {
  /** `docker.io`, `localhost:5000`, … */
  domain: string
  /** `library/alpine` */
  path: string
  tag?: string
  /** `sha256:…` */
  digest?: string
}

const defaultDomain = 'docker.io'
const alphanumeric = '[a-z0-9]+'
const separator = '(?:[._]|__|[-]+)'
const pathComponent = `${alphanumeric}(?:${separator}${alphanumeric})*`
const domainComponent = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])'
const host = `(?:${domainComponent}(?:\\.${domainComponent})*|\\[(?:[a-fA-F0-9:]+)\\])`
const domainAndPort = `${host}(?::[0-9]+)?`
const name = `(?:${domainAndPort}/)?${pathComponent}(?:/${pathComponent})*`
const tag = '[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}'
const digest = '[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}'
const referencePattern = new RegExp(`^(${name})(?::(${tag}))?(?:@(${digest}))?$`)
const tagPattern = new RegExp(`^${tag}$`)
const identifierPattern = /^[a-f0-9]{64}$/
const digestPattern = /^sha256:[a-f0-9]{64}$/
const digestLengths: Readonly<Record<string, number>> = { sha256: 64, sha384: 96, sha512: 128 }
/** Longer input is refused before any pattern runs over it: 255 of name, 128 of tag, a digest, and the domain. */
const maxLength = 1024

/** Reads what a user wrote. Throws invalidArgument in Docker's words. */
export function parseReference(text: string): ImageReference {
  if (identifierPattern.test(text)) {
    throw invalidArgument(`invalid repository name (${text}), cannot specify 64-byte hexadecimal strings`)
  }
  const { domain, remainder } = splitDomain(text)
  const colon = remainder.indexOf(':')
  const remote = colon < 0 ? remainder : remainder.slice(0, colon)
  if (remote.toLowerCase() !== remote) {
    throw invalidArgument(`invalid reference format: repository name (${remote}) must be lowercase`)
  }
  const match = text.length > maxLength ? null : referencePattern.exec(`${domain}/${remainder}`)
  if (match === null) throw invalidArgument('invalid reference format')
  const path = (match[1] ?? '').slice(domain.length + 1)
  if (path.length > 255) throw invalidArgument('repository name must not be more than 255 characters')
  if (match[3] !== undefined) checkDigest(match[3])
  return {
    domain,
    path,
    ...(match[2] !== undefined && { tag: match[2] }),
    ...(match[3] !== undefined && { digest: match[3] }),
  }
}

/** A first component is a registry only if it looks like a host: a dot, a port, an upper-case letter, or `localhost`. */
function splitDomain(text: string): { domain: string; remainder: string } {
  const slash = text.indexOf('/')
  const first = slash < 0 ? '' : text.slice(0, slash)
  const isHost = slash >= 0 && (/[.:]/.test(first) || first === 'localhost' || first.toLowerCase() !== first)
  let domain = isHost ? first : defaultDomain
  let remainder = isHost ? text.slice(slash + 1) : text
  if (domain === 'index.docker.io') domain = defaultDomain
  if (domain === defaultDomain && !remainder.includes('/')) remainder = `library/${remainder}`
  return { domain, remainder }
}

function checkDigest(text: string): void {
  const [algorithm = '', hex = ''] = text.split(':')
  const length = digestLengths[algorithm]
  if (length === undefined) throw invalidArgument('unsupported digest algorithm')
  if (hex.length !== length) throw invalidArgument('invalid checksum digest length')
  if (!/^[a-f0-9]+$/.test(hex)) throw invalidArgument('invalid checksum digest format')
}

export function isDigest(text: string): boolean {
  return digestPattern.test(text)
}

export function isTag(text: string): boolean {
  return tagPattern.test(text)
}

/** `docker.io/library/alpine` */
export function repositoryOf(reference: ImageReference): string {
  return `${reference.domain}/${reference.path}`
}

/** `docker.io/library/alpine:latest@sha256:…`, with what is there. */
export function formatReference(reference: ImageReference): string {
  return suffixed(repositoryOf(reference), reference)
}

/** `alpine`, `user/app`, `localhost:5000/app`: as Docker shows repositories. */
export function familiarName(reference: ImageReference): string {
  if (reference.domain !== defaultDomain) return repositoryOf(reference)
  const parts = reference.path.split('/')
  return parts.length === 2 && parts[0] === 'library' && parts[1] !== undefined ? parts[1] : reference.path
}

/** `alpine:latest`, `alpine@sha256:…`. */
export function familiarString(reference: ImageReference): string {
  return suffixed(familiarName(reference), reference)
}

function suffixed(repository: string, { tag, digest }: ImageReference): string {
  return `${repository}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`
}

/** Adds `latest` to a bare name. */
export function withDefaultTag(reference: ImageReference): ImageReference {
  return reference.tag === undefined && reference.digest === undefined ? { ...reference, tag: 'latest' } : reference
}

/**
 * The form that image rows are keyed by. A digest decides alone: the tag beside it may have moved since.
 */
export function storedReference(reference: ImageReference): string {
  const { domain, path, digest } = reference
  return formatReference(digest === undefined ? withDefaultTag(reference) : { domain, path, digest })
}

/** `repo` and `tag` of a request as one reference; undefined when no repository is named. Throws invalidArgument. */
export function repositoryAndTag(repository: string | undefined, tag: string | undefined): ImageReference | undefined {
  if (repository === undefined || repository === '') return undefined
  const reference = parseReference(repository)
  if (reference.digest !== undefined) throw invalidArgument('cannot import digest reference')
  if (tag !== undefined && tag !== '') {
    if (!isTag(tag)) throw invalidArgument('invalid tag format')
    return { ...reference, tag }
  }
  return { ...reference, tag: reference.tag ?? 'latest' }
}
