/** The Docker API as calls: version negotiation, JSON in and out, streamed bodies, upgraded connections. */
import { clientApiVersion, programVersion } from '../version.ts'
import { dial } from './dial.ts'
import { type DaemonAddress, hostHeader } from './endpoint.ts'
import { connectionError, DaemonError } from './errors.ts'
import {
  type Connection,
  isReusable,
  openConnection,
  type RequestBody,
  type ResponseHead,
  readBody,
  readHead,
  sendRequest,
} from './http.ts'

export type Query = Record<string, string | number | boolean | readonly string[] | undefined>

export interface RequestOptions {
  query?: Query
  /** Sent as JSON. */
  json?: unknown
  /** Sent as it is. */
  body?: RequestBody
  headers?: Record<string, string>
  signal?: AbortSignal
  /** Keep a caller's path as it is, without the /vN.NN prefix. */
  unversioned?: boolean
}

export interface Reply extends ResponseHead {
  body: AsyncGenerator<Buffer, void>
}

const MAX_ERROR_BYTES = 1024 * 1024

export class ApiClient {
  readonly address: DaemonAddress
  readonly #headers: Record<string, string>
  readonly #fixedVersion: string | undefined
  readonly #idle: Connection[] = []
  #negotiated: Promise<PingResult> | undefined

  constructor(address: DaemonAddress, headers: Record<string, string>, fixedVersion: string | undefined) {
    this.address = address
    this.#headers = headers
    this.#fixedVersion = fixedVersion
  }

  /** What the daemon said about itself; asked once. */
  ping(): Promise<PingResult> {
    this.#negotiated ??= this.#ping()
    return this.#negotiated
  }

  /** The API version in use. */
  async version(): Promise<string> {
    return this.#fixedVersion ?? negotiate((await this.ping()).apiVersion)
  }

  async request(method: string, path: string, options: RequestOptions = {}): Promise<Reply> {
    const target = await this.#target(path, options)
    const headers: Record<string, string> = { ...this.#headers, ...options.headers }
    let body = options.body
    if (options.json !== undefined) {
      body = JSON.stringify(options.json)
      headers['Content-Type'] = 'application/json'
    }
    const reply = await this.#exchange(method, target, headers, body, options.signal)
    if (reply.status >= 400) throw await this.#errorOf(reply, target)
    return reply
  }

  async json<T>(method: string, path: string, options: RequestOptions = {}): Promise<T> {
    return JSON.parse(await this.text(method, path, options)) as T
  }

  async text(method: string, path: string, options: RequestOptions = {}): Promise<string> {
    const reply = await this.request(method, path, options)
    return (await collect(reply.body, Number.POSITIVE_INFINITY)).toString()
  }

  /** For calls whose answer carries no information beyond its status. */
  async call(method: string, path: string, options: RequestOptions = {}): Promise<void> {
    const reply = await this.request(method, path, options)
    for await (const _ of reply.body);
  }

  /** Upgrades the connection; the caller owns it from then on. */
  async hijack(path: string, options: RequestOptions = {}): Promise<Connection & { contentType: string }> {
    const target = await this.#target(path, options)
    const connection = await this.#connect('POST', target)
    const headers: Record<string, string> = { ...this.#headers, Connection: 'Upgrade', Upgrade: 'tcp' }
    const body = options.json === undefined ? undefined : JSON.stringify(options.json)
    headers['Content-Type'] = body === undefined ? 'text/plain' : 'application/json'
    try {
      await sendRequest(connection, this.#head('POST', target, headers), body)
      const head = await readHead(connection.reader)
      if (head.status === 101) return { ...connection, contentType: head.headers['content-type'] ?? '' }
      const reply: Reply = { ...head, body: readBody(connection.reader, 'POST', head) }
      if (head.status >= 400) throw await this.#errorOf(reply, target)
      throw new Error(`unable to upgrade to tcp, received ${head.status}`)
    } catch (error) {
      connection.socket.destroy()
      throw error
    }
  }

  /** Closes what is kept open for the next request. */
  close(): void {
    for (const connection of this.#idle.splice(0)) connection.socket.destroy()
  }

  async #target(path: string, options: RequestOptions): Promise<string> {
    const query = encodeQuery(options.query ?? {})
    const prefix = options.unversioned ? '' : `/v${await this.version()}`
    return `${this.address.basePath}${prefix}${path}${query}`
  }

  #head(method: string, target: string, headers: Record<string, string>) {
    const agent = `docker-ts/${programVersion} (linux)`
    return { method, target, host: hostHeader(this.address), headers: { 'User-Agent': agent, ...headers } }
  }

  async #connect(method: string, target: string): Promise<Connection> {
    try {
      return openConnection(await dial(this.address))
    } catch (error) {
      throw this.#connectionError(error, method, target)
    }
  }

  #connectionError(error: unknown, method: string, target: string): Error {
    const scheme = this.address.tls ? 'https' : 'http'
    const authority =
      this.address.protocol === 'unix' ? encodeURIComponent(this.address.address) : hostHeader(this.address)
    return connectionError(error, { host: this.address.host, method, url: `${scheme}://${authority}${target}` })
  }

  async #exchange(
    method: string,
    target: string,
    headers: Record<string, string>,
    body: RequestBody,
    signal?: AbortSignal,
  ): Promise<Reply> {
    const reused = this.#idle.pop()
    const connection = reused && !reused.socket.destroyed ? reused : await this.#connect(method, target)
    const abort = () => connection.socket.destroy()
    signal?.addEventListener('abort', abort)
    try {
      const sending = sendRequest(connection, this.#head(method, target, headers), body)
      // A daemon that refuses early answers while the body is still being sent.
      const failed = new Promise<never>((_, reject) => sending.catch(reject))
      const head = await Promise.race([readHead(connection.reader), failed])
      const reuse = isReusable(method, head)
      return {
        ...head,
        body: this.#bodyOf(connection, method, head, { reuse, sending }, () =>
          signal?.removeEventListener('abort', abort),
        ),
      }
    } catch (error) {
      connection.socket.destroy()
      signal?.throwIfAborted()
      throw this.#connectionError(error, method, target)
    }
  }

  async *#bodyOf(
    connection: Connection,
    method: string,
    head: ResponseHead,
    use: { reuse: boolean; sending: Promise<void> },
    done: () => void,
  ): AsyncGenerator<Buffer, void> {
    let complete = false
    try {
      yield* readBody(connection.reader, method, head)
      if (use.reuse) await use.sending
      complete = use.reuse
    } finally {
      done()
      if (complete) this.#idle.push(connection)
      else connection.socket.destroy()
    }
  }

  async #errorOf(reply: Reply, target: string): Promise<DaemonError> {
    const text = (await collect(reply.body, MAX_ERROR_BYTES)).toString()
    const plain = text.trim()
    if (plain === '') {
      const url = `${this.address.tls ? 'https' : 'http'}://${hostHeader(this.address)}${target.split('?')[0]}`
      const status = `${reply.status} ${reply.statusText}`.trim()
      const reason = `request returned ${status} for API route and version ${url}, check if the server supports the requested API version`
      const error = new DaemonError(reply.status, reason)
      error.message = reason
      return error
    }
    if (reply.headers['content-type'] !== 'application/json') return new DaemonError(reply.status, plain)
    const parsed = JSON.parse(text) as { message?: string }
    return new DaemonError(
      reply.status,
      (parsed.message ?? '').trim() ||
        `API returned a ${reply.status} (${reply.statusText}) but provided no error-message`,
    )
  }

  async #ping(): Promise<PingResult> {
    const path = `${this.address.basePath}/_ping`
    let reply = await this.#exchange('HEAD', path, this.#headers, undefined)
    for await (const _ of reply.body);
    if (reply.status !== 200) {
      reply = await this.#exchange('GET', path, this.#headers, undefined)
      for await (const _ of reply.body);
    }
    return {
      apiVersion: reply.headers['api-version'] ?? '',
      osType: reply.headers.ostype ?? '',
      builderVersion: reply.headers['builder-version'] ?? '',
      experimental: reply.headers['docker-experimental'] === 'true',
    }
  }
}

export interface PingResult {
  apiVersion: string
  osType: string
  builderVersion: string
  experimental: boolean
}

/** The lower of both sides' newest versions; a daemon that does not say is taken for an ancient one. */
function negotiate(daemonVersion: string): string {
  const offered = daemonVersion === '' ? '1.24' : daemonVersion
  return compareVersions(offered, clientApiVersion) < 0 ? offered : clientApiVersion
}

export function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((text) => text.split('.').map(Number)) as [number[], number[]]
  for (let index = 0; index < Math.max(left.length, right.length); index++) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}

/** Go's url.Values: keys sorted, spaces as plus, undefined left out. */
export function encodeQuery(query: Query): string {
  const pairs: string[] = []
  for (const key of Object.keys(query).sort()) {
    const value = query[key]
    if (value === undefined) continue
    for (const one of Array.isArray(value) ? value : [String(value)])
      pairs.push(`${encodePart(key)}=${encodePart(one)}`)
  }
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`
}

function encodePart(text: string): string {
  return encodeURIComponent(text)
    .replace(/[!'()*]/g, (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%20', '+')
}

export async function collect(body: AsyncIterable<Buffer>, limitBytes: number): Promise<Buffer> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of body) {
    size += part.length
    if (size > limitBytes) break
    parts.push(part)
  }
  return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts)
}

/** The values of a streamed JSON body as text, one by one; each stands on a line of its own. */
export async function* jsonTexts(body: AsyncIterable<Buffer>): AsyncGenerator<string, void> {
  let text = ''
  const decoder = new TextDecoder()
  for await (const part of body) {
    text += decoder.decode(part, { stream: true })
    const lines = text.split('\n')
    text = lines.pop() ?? ''
    for (const line of lines) if (line.trim() !== '') yield line
  }
  if (text.trim() !== '') yield text
}

export async function* jsonValues<T>(body: AsyncIterable<Buffer>): AsyncGenerator<T, void> {
  for await (const text of jsonTexts(body)) yield JSON.parse(text) as T
}
