/**
 * HTTP to one endpoint: connections kept, certificates per registry, redirects followed without taking credentials along,
 * bodies bounded. Answers of any status are returned; only failing to get one throws.
 */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { internal } from '@dockerd-ts/core'
import type { Dispatcher, request } from 'undici'
import { hasCode } from '../content/files.ts'
import type { Endpoint } from './endpoints.ts'
import { requestFailed, shownUrl } from './network-errors.ts'
import { bypassesProxy } from './proxy-rules.ts'

export interface HttpRequest {
  method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  url: URL
  headers?: Readonly<Record<string, string>>
  /** A function begins a stream anew, each time the request is sent. */
  body?: Buffer | (() => AsyncIterable<Buffer>)
  /** A 307 or 308 sends the body on to where it leads, too. Of reads every redirect is followed. */
  sendsOn?: boolean
  signal?: AbortSignal
}

export interface HttpAnswer {
  status: number
  statusText: string
  header(name: string): string | undefined
  /** To be read, or discarded. */
  body: AsyncIterable<Buffer>
  /** The whole body as text; more than the limit throws. */
  text(limitBytes: number): Promise<string>
  bytes(limitBytes: number): Promise<Buffer>
  discard(): Promise<void>
  /** Where redirects led. */
  url: URL
}

const connectTimeoutMs = 30_000
const headersTimeoutMs = 60_000
const bodyTimeoutMs = 60_000
const maxRedirects = 10
const redirects = new Set([301, 302, 303, 307, 308])
/** Those that keep method and body. */
const keepingRedirects = new Set([307, 308])

export class HttpClient {
  readonly endpoint: Endpoint
  readonly #request: typeof request
  readonly #direct: Dispatcher
  /** The same one where there is no proxy. */
  readonly #proxied: Dispatcher
  readonly #userAgent: string

  private constructor(
    endpoint: Endpoint,
    parts: { direct: Dispatcher; proxied: Dispatcher; request: typeof request; userAgent: string },
  ) {
    this.endpoint = endpoint
    this.#request = parts.request
    this.#direct = parts.direct
    this.#proxied = parts.proxied
    this.#userAgent = parts.userAgent
  }

  static async open(
    endpoint: Endpoint,
    options: { certificatesDirectory: string; userAgent: string },
  ): Promise<HttpClient> {
    // Only who speaks to a registry pays for its client: several megabytes of a daemon's memory.
    const { Agent, EnvHttpProxyAgent, request } = await import('./undici-client.ts')
    const { host } = new URL(endpoint.base)
    const certificates = await readCertificates(join(options.certificatesDirectory, host))
    const tls = { ...certificates, rejectUnauthorized: !endpoint.insecure }
    const timeouts = { headersTimeout: headersTimeoutMs, bodyTimeout: bodyTimeoutMs, allowH2: false }
    const connect = { ...tls, timeout: connectTimeoutMs }
    const direct = new Agent({ ...timeouts, connect })
    // Which hosts it is for is settled by our own rules; plain HTTP is asked of it, not tunnelled through it.
    const proxied = hasProxy()
      ? new EnvHttpProxyAgent({ ...timeouts, connect, requestTls: tls, noProxy: '', proxyTunnel: false })
      : direct
    return new HttpClient(endpoint, { direct, proxied, request, userAgent: options.userAgent })
  }

  /** Throws an EngineError in Go's words when there is no answer. */
  async send(sent: HttpRequest): Promise<HttpAnswer> {
    let { url } = sent
    let headers = sent.headers ?? {}
    for (let hop = 0; hop <= maxRedirects; hop++) {
      const answer = await this.#once({ ...sent, url, headers })
      const location = answer.header('location')
      if (location === undefined || !follows(sent, answer.status)) return answer
      await answer.discard()
      const next = new URL(location, url)
      this.#checkRedirect(url, next)
      // Storage behind a registry must not see its credentials.
      if (next.origin !== url.origin) headers = without(headers, 'authorization')
      url = next
    }
    throw internal(`${sent.method} "${shownUrl(sent.url)}": stopped after ${maxRedirects} redirects`)
  }

  #checkRedirect(from: URL, to: URL): void {
    const isDowngrade = from.protocol === 'https:' && to.protocol !== 'https:'
    if ((to.protocol === 'https:' || to.protocol === 'http:') && (!isDowngrade || this.endpoint.insecure)) return
    throw internal(`registry redirects to an unsafe address: ${shownUrl(to)}`)
  }

  async #once({ method, url, headers, body, signal }: HttpRequest): Promise<HttpAnswer> {
    signal?.throwIfAborted()
    try {
      const answer = await this.#request(url, {
        method,
        headers: { 'user-agent': this.#userAgent, ...headers },
        dispatcher: bypassesProxy(url, noProxy()) ? this.#direct : this.#proxied,
        // undici's types know no async iterables.
        ...(body !== undefined && { body: (typeof body === 'function' ? body() : body) as Buffer }),
        ...(signal && { signal }),
      })
      return wrap(answer, url, method)
    } catch (error) {
      signal?.throwIfAborted()
      throw requestFailed(method, url, error)
    }
  }

  /** Not undici's `close`, which waits for every request under way, from a silent registry for a minute or for ever. */
  async close(): Promise<void> {
    await Promise.all([...new Set([this.#direct, this.#proxied])].map((dispatcher) => dispatcher.destroy()))
  }
}

function follows({ method, sendsOn = false }: HttpRequest, status: number): boolean {
  const isRead = method === 'GET' || method === 'HEAD'
  return isRead ? redirects.has(status) : sendsOn && keepingRedirects.has(status)
}

function wrap(answer: Dispatcher.ResponseData, url: URL, method: string): HttpAnswer {
  const bytes = async (limitBytes: number) => {
    const parts: Buffer[] = []
    let size = 0
    for await (const part of readBody(answer, url, method)) {
      size += part.length
      if (size > limitBytes) throw internal(`answer of ${shownUrl(url)} is larger than ${limitBytes} bytes`)
      parts.push(part)
    }
    return Buffer.concat(parts)
  }
  return {
    status: answer.statusCode,
    statusText: answer.statusText ?? '',
    header: (name) => {
      const value = answer.headers[name]
      return Array.isArray(value) ? value.join(', ') : value
    },
    body: readBody(answer, url, method),
    bytes,
    text: async (limitBytes) => (await bytes(limitBytes)).toString('utf8'),
    discard: async () => {
      await answer.body.dump({ limit: 128 * 1024 }).catch(() => {})
    },
    url,
  }
}

async function* readBody(answer: Dispatcher.ResponseData, url: URL, method: string): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of answer.body) yield chunk as Buffer
  } catch (error) {
    throw requestFailed(method, url, error)
  }
}

const without = (headers: Readonly<Record<string, string>>, name: string) =>
  Object.fromEntries(Object.entries(headers).filter(([key]) => key.toLowerCase() !== name))

const hasProxy = () =>
  ['http_proxy', 'https_proxy', 'HTTP_PROXY', 'HTTPS_PROXY'].some((name) => (process.env[name] ?? '') !== '')

const noProxy = () => process.env.no_proxy || process.env.NO_PROXY || ''

/** Docker's layout: every `*.crt` is an authority; `x.cert` and `x.key` identify this client. */
async function readCertificates(directory: string): Promise<{ ca?: string[]; cert?: string; key?: string }> {
  const names: string[] = await readdir(directory).catch((error) => {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return []
    throw error
  })
  const read = (name: string) => readFile(join(directory, name), 'utf8')
  const authorities = names.filter((name) => name.endsWith('.crt'))
  const certificate = names.find((name) => name.endsWith('.cert'))
  const key = certificate?.replace(/\.cert$/, '.key')
  if (certificate !== undefined && (key === undefined || !names.includes(key))) {
    throw internal(
      `missing key ${key} for client certificate ${certificate}. CA certificates must use the extension .crt`,
    )
  }
  return {
    ...(authorities.length > 0 && {
      ca: [...(await systemAuthorities()), ...(await Promise.all(authorities.map(read)))],
    }),
    ...(certificate !== undefined && key !== undefined && { cert: await read(certificate), key: await read(key) }),
  }
}

/** Naming authorities replaces the built-in ones: they are added, as Docker adds. */
async function systemAuthorities(): Promise<readonly string[]> {
  const { getCACertificates } = await import('node:tls')
  return getCACertificates('default')
}
