/** What the request line and headers say: the API version, the operation, its path parameters, the raw query. */
import type { IncomingMessage } from 'node:http'
import { matchPath, newestApiVersion, type PathMatch } from '@dockerd-ts/api'

export type RequestContext = {
  /** Newest when the path names none. */
  readonly version: string
  readonly search: string
  /** As sent. The header itself is hidden from fastify, which would judge it by its own rules. */
  readonly contentType: string | undefined
} & (
  | { readonly kind: 'operation'; readonly match: PathMatch }
  | { readonly kind: 'redirect'; readonly location: string }
  | { readonly kind: 'notFound' | 'badUrl' | 'options' }
)

const contexts = new WeakMap<IncomingMessage, RequestContext>()

export function contextOf(request: IncomingMessage): RequestContext {
  let context = contexts.get(request)
  if (context === undefined) {
    context = readContext(request)
    contexts.set(request, context)
  }
  return context
}

function readContext(request: IncomingMessage): RequestContext {
  const url = request.url ?? '/'
  const question = url.indexOf('?')
  const search = question === -1 ? '' : url.slice(question + 1)
  const path = decodePath(question === -1 ? url : url.slice(0, question))
  const contentType = request.headers['content-type']
  const facts = { version: newestApiVersion, search, contentType }
  if (path === undefined) return { ...facts, kind: 'badUrl' }
  if (request.method === 'OPTIONS') return { ...facts, kind: 'options' }
  const clean = cleanPath(path)
  if (clean !== path) return { ...facts, kind: 'redirect', location: redirectLocation(clean, search) }
  const versioned = /^\/v([0-9.]+)(\/.*)$/s.exec(path)
  const version = versioned?.[1] ?? newestApiVersion
  const match = matchPath(request.method ?? 'GET', versioned?.[2] ?? path)
  return match === undefined ? { ...facts, version, kind: 'notFound' } : { ...facts, version, kind: 'operation', match }
}

function decodePath(path: string): string | undefined {
  if (!path.startsWith('/')) return undefined
  if (!path.includes('%')) return path
  try {
    return decodeURIComponent(path)
  } catch {
    return undefined
  }
}

/** Without empty, `.` and `..` segments; a trailing slash stays. Docker's router redirects to this form. */
function cleanPath(path: string): string {
  if (!/\/(?:\/|\.\.?(?:\/|$))/.test(path)) return path
  const segments: string[] = []
  for (const segment of path.split('/')) {
    if (segment === '..') segments.pop()
    else if (segment !== '' && segment !== '.') segments.push(segment)
  }
  const clean = `/${segments.join('/')}`
  return path.endsWith('/') && clean !== '/' ? `${clean}/` : clean
}

function redirectLocation(path: string, search: string): string {
  const encoded = path.split('/').map(encodeURIComponent).join('/')
  return search === '' ? encoded : `${encoded}?${search}`
}
