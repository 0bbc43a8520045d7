/** Failures of connections, in the words of Go's net/http that Docker's users know: `Get "https://…": dial tcp: …`. */
import { readFileSync } from 'node:fs'
import { STATUS_CODES } from 'node:http'
import { EngineError, internal } from '@dockerd-ts/core'
import { tlsFailure } from './tls-errors.ts'

const texts: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connect: connection refused',
  EHOSTUNREACH: 'connect: no route to host',
  ENETUNREACH: 'connect: network is unreachable',
  ETIMEDOUT: 'i/o timeout',
  UND_ERR_CONNECT_TIMEOUT: 'i/o timeout',
}

/** The kind stays `internal`: Docker answers 500 when a registry can't be reached. */
export function requestFailed(method: string, url: URL, error: unknown, isProxied = false): EngineError {
  if (error instanceof EngineError) return error
  const text = describe(error, url)
  const said = isProxied && text.startsWith('dial tcp') ? `proxyconnect tcp: ${text}` : text
  return internal(`${capitalized(method)} "${shownUrl(url)}": ${said}`, error)
}

const capitalized = (method: string) => method[0] + method.slice(1).toLowerCase()

/** Signatures in queries and passwords are secrets. */
export function shownUrl(url: URL): string {
  const secret = /sig|token|secret|credential|password|policy|expires|key/i
  const shown = new URL(url)
  shown.username = ''
  shown.password = ''
  for (const key of [...shown.searchParams.keys()]) if (secret.test(key)) shown.searchParams.delete(key)
  return shown.href
}

function describe(error: unknown, url: URL): string {
  const cause = innermost(error)
  const { code } = cause
  if (code === 'ENOTFOUND') return `dial tcp: lookup ${url.hostname}${nameServer()}: no such host`
  if (code === 'EAI_AGAIN') return `dial tcp: lookup ${url.hostname}${nameServer()}: server misbehaving`
  const text = code === undefined ? undefined : texts[code]
  if (text !== undefined) return `dial tcp${addressOf(cause)}: ${text}`
  const tls = tlsFailure(cause, url.hostname)
  if (tls !== undefined) return tls
  const refusal = /^Proxy response \((\d+)\)/.exec(cause.message)?.[1]
  if (refusal !== undefined) return STATUS_CODES[refusal] ?? `unknown status code ${refusal}`
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER' || code === 'ERR_SSL_PACKET_LENGTH_TOO_LONG') {
    return 'http: server gave HTTP response to HTTPS client'
  }
  if (code === 'UND_ERR_SOCKET') return 'EOF'
  if (code === 'ECONNRESET') return 'read: connection reset by peer'
  if (code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT') {
    return 'net/http: request canceled (Client.Timeout exceeded while awaiting headers)'
  }
  return cause.message
}

interface NetworkError {
  code?: string
  message: string
  cert?: { subjectaltname?: string }
  address?: string
  port?: number
}

/** The first of several tried addresses tells; wrappers tell nothing. */
function innermost(error: unknown): NetworkError {
  if (error instanceof AggregateError && error.errors.length > 0) return innermost(error.errors[0])
  if (!(error instanceof Error)) return { message: String(error) }
  if (!('code' in error) && error.cause !== undefined) return innermost(error.cause)
  return error as NetworkError
}

function addressOf({ address, port }: NetworkError): string {
  if (address === undefined) return ''
  return ` ${address.includes(':') ? `[${address}]` : address}:${port}`
}

/** Go names the server it asked; the first one of resolv.conf is what a resolver asks first. */
function nameServer(): string {
  try {
    const match = /^\s*nameserver\s+(\S+)/m.exec(readFileSync('/etc/resolv.conf', 'utf8'))
    return match === null ? '' : ` on ${match[1]}:53`
  } catch {
    return ''
  }
}

const retried = new Set([
  'ECONNRESET',
  'ECONNREFUSED',
  'EPIPE',
  'ETIMEDOUT',
  'EAI_AGAIN',
  'UND_ERR_SOCKET',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
])

/** True for what can be better the next time. */
export function isTransient(error: unknown): boolean {
  const { code } = innermost(error instanceof EngineError ? error.cause : error)
  return code !== undefined && retried.has(code)
}
