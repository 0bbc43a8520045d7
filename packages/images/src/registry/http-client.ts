/**
 * HTTP to one endpoint: connections kept, certificates per registry, redirects followed without taking credentials along,
 * bodies bounded. Answers of any status are returned; only failing to get one throws.
 */
import { join } from 'node:path'
import { internal } from '@dockerd-ts/core'
import type { Dispatcher, request } from 'undici'
import { fingerprint, readCertificates } from './certificates.ts'
import { Dispatchers } from './dispatchers.ts'
import type { Endpoint } from './endpoints.ts'
import { requestFailed, shownUrl } from './network-errors.ts'

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

const maxRedirects = 10
const redirects = new Set([301, 302, 303, 307, 308])
/** Those that keep method and body. */
const keepingRedirects = new Set([307, 308])

export class HttpClient {
  readonly endpoint: Endpoint
  readonly #request: typeof request
  readonly #userAgent: string
  readonly #certificatesDirectory: string | undefined
  #dispatchers: Dispatchers
  #fingerprint: string
  /** Of certificates that have changed since, while requests still go over them. */
  readonly #retiring = new Set<Dispatchers>()

  private constructor(endpoint: Endpoint, parts: Parts) {
    this.endpoint = endpoint
    this.#request = parts.request
    this.#userAgent = parts.userAgent
    this.#certificatesDirectory = parts.certificatesDirectory
    this.#dispatchers = parts.dispatchers
    this.#fingerprint = parts.fingerprint
  }

  static async open(
    endpoint: Endpoint,
    options: { certificatesDirectory: string | undefined; userAgent: string },
  ): Promise<HttpClient> {
    const { request } = await import('./undici-client.ts')
    const root = options.certificatesDirectory
    const certificatesDirectory = root === undefined ? undefined : join(root, new URL(endpoint.base).host)
    const now = await fingerprint(certificatesDirectory)
    const dispatchers = await openDispatchers(endpoint, certificatesDirectory)
    const { userAgent } = options
    return new HttpClient(endpoint, { request, userAgent, certificatesDirectory, dispatchers, fingerprint: now })
  }

  /** New requests go by the certificates that are there now. */
  async refresh(): Promise<void> {
    const now = await fingerprint(this.#certificatesDirectory)
    if (now === this.#fingerprint) return
    const opened = await openDispatchers(this.endpoint, this.#certificatesDirectory)
    const old = this.#dispatchers
    this.#dispatchers = opened
    this.#fingerprint = now
    this.#retiring.add(old)
    void old
      .retire()
      .catch(() => {})
      .then(() => this.#retiring.delete(old))
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
    const { dispatcher, isProxied } = this.#dispatchers.to(url)
    try {
      const answer = await this.#request(url, {
        method,
        headers: { 'user-agent': this.#userAgent, ...headers },
        dispatcher,
        // undici's types know no async iterables.
        ...(body !== undefined && { body: (typeof body === 'function' ? body() : body) as Buffer }),
        ...(signal && { signal }),
      })
      return wrap(answer, url, method)
    } catch (error) {
      signal?.throwIfAborted()
      throw requestFailed(method, url, error, isProxied)
    }
  }

  /** Ends what is under way. */
  async close(): Promise<void> {
    await Promise.all([this.#dispatchers, ...this.#retiring].map((dispatchers) => dispatchers.destroy()))
  }
}

interface Parts {
  request: typeof request
  userAgent: string
  certificatesDirectory: string | undefined
  dispatchers: Dispatchers
  fingerprint: string
}

async function openDispatchers(
  { insecure }: Endpoint,
  certificatesDirectory: string | undefined,
): Promise<Dispatchers> {
  return Dispatchers.open({ ...(await readCertificates(certificatesDirectory)), rejectUnauthorized: !insecure })
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
