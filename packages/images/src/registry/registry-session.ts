/**
 * A conversation with the registry of one repository: the first endpoint that answers, its way of authentication, and
 * requests that renew a token once when it is refused.
 */
import { EngineError, type ImageReference, internal, type Logger, type RegistryAuth } from '@dockerd-ts/core'
import { Authenticator } from './authenticator.ts'
import { type Endpoint, endpointsOf } from './endpoints.ts'
import { type HttpAnswer, HttpClient, type HttpRequest } from './http-client.ts'
import { requestFailed } from './network-errors.ts'
import { RegistryError, registryError } from './registry-error.ts'
import type { RegistryOptions } from './registry-options.ts'
import { RegistryWarnings } from './registry-warnings.ts'
import { parseRetryAfter, type RetryOptions, retrying } from './retry.ts'

/** Of small requests; blobs have more. */
const maxAttempts = 4
const errorLimitBytes = 64 * 1024

export interface Asked extends Omit<HttpRequest, 'url' | 'signal'> {
  /** Below `/v2/`, or a whole URL (an upload's location). */
  path: string | URL
  /** Statuses that are answers; all others are thrown as RegistryError. */
  expected: readonly number[]
  /** Tokens are for pull unless the scope says more. */
  actions?: 'pull' | 'pull,push'
  /** Another repository that is read: the source of a cross-repository mount. */
  alsoPull?: string
  /** What a token is asked for, where it is not for the repository. */
  scope?: string
  /** The caller tries again itself. Streams are always sent once. */
  once?: boolean
  signal?: AbortSignal | undefined
}

export class RegistrySession {
  readonly endpoint: Endpoint
  readonly repository: string
  readonly #client: HttpClient
  readonly #authenticator: Authenticator

  readonly #retry: RetryOptions
  readonly #warnings: RegistryWarnings

  constructor(
    client: HttpClient,
    authenticator: Authenticator,
    { repository, retry, warnings }: { repository: string; retry: RetryOptions; warnings: RegistryWarnings },
  ) {
    this.#warnings = warnings
    this.#retry = retry
    this.endpoint = client.endpoint
    this.#client = client
    this.#authenticator = authenticator
    this.repository = repository
  }

  /** After a login that wanted one. */
  get identityToken(): string | undefined {
    return this.#authenticator.identityToken
  }

  url(path: string): URL {
    return new URL(`${this.endpoint.base}/v2/${path}`)
  }

  ask(asked: Asked): Promise<HttpAnswer> {
    if (asked.once || typeof asked.body === 'function') return this.#askOnce(asked)
    return retrying({ ...this.#retry, signal: asked.signal }, () => this.#askOnce(asked))
  }

  async #askOnce(asked: Asked): Promise<HttpAnswer> {
    const first = await this.#send(asked)
    if (first.status !== 401 || !this.#isOwn(first.url)) return this.#check(asked, first)
    // A refused token may only have ended; of a stream that was sent the caller begins again.
    this.#authenticator.learn(first.header('www-authenticate'))
    this.#authenticator.forget()
    if (typeof asked.body === 'function') return this.#check(asked, first)
    await first.discard()
    return this.#check(asked, await this.#send(asked))
  }

  async #send(asked: Asked): Promise<HttpAnswer> {
    const { path, actions = 'pull', alsoPull, headers, method, body, signal } = asked
    const url = typeof path === 'string' ? this.url(path) : path
    const scopes = asked.scope !== undefined ? [asked.scope] : this.#scopes(actions)
    if (alsoPull !== undefined) scopes.push(`repository:${alsoPull}:pull`)
    const authorization = await this.#authorization({ method, url, scopes, signal })
    const answer = await this.#client.send({
      method,
      url,
      headers: { ...headers, ...(authorization !== undefined && { authorization }) },
      ...(body !== undefined && { body }),
      sendsOn: true,
      ...(signal && { signal }),
    })
    this.#warnings.note(answer.header('warning'))
    return answer
  }

  #scopes(actions: string): string[] {
    return this.repository === '' ? [] : [`repository:${this.repository}:${actions}`]
  }

  async #authorization(request: {
    method: string
    url: URL
    scopes: readonly string[]
    signal: AbortSignal | undefined
  }): Promise<string | undefined> {
    const { method, url, scopes, signal } = request
    // An upload's location can be elsewhere: it carries its own permission.
    if (!this.#isOwn(url)) return undefined
    try {
      return await this.#authenticator.header(scopes, signal)
    } catch (error) {
      if (!isMissingCredentials(error)) throw error
      throw requestFailed(method, url, new Error(error.message))
    }
  }

  /** Storage and upload servers that the registry sends to are none of those whom the credentials are for, nor may they ask. */
  #isOwn(url: URL): boolean {
    return url.origin === new URL(this.endpoint.base).origin
  }

  async #check({ expected }: Asked, answer: HttpAnswer): Promise<HttpAnswer> {
    if (expected.includes(answer.status)) return answer
    const { status, statusText } = answer
    const body = await answer.text(errorLimitBytes).catch(() => '')
    const retryAfterMs = parseRetryAfter(answer.header('retry-after'))
    throw registryError({ status, statusText, challenge: answer.header('www-authenticate'), body, retryAfterMs })
  }
}

export const isMissingCredentials = (error: unknown): error is EngineError =>
  error instanceof EngineError && !(error instanceof RegistryError) && error.message === 'no basic auth credentials'

export interface SessionRequest {
  auth: RegistryAuth | undefined
  signal?: AbortSignal
  skipMirrors?: boolean
  wantsIdentity?: boolean
  /** This registry may be spoken to without a certificate that is known, or by plain HTTP. */
  insecure?: boolean
}

/** Keeps connections between requests; one per daemon. */
export class RegistryClients {
  readonly #options: RegistryOptions
  readonly #clients = new Map<string, Promise<HttpClient>>()
  #isClosed = false

  readonly #logger: Logger

  constructor(options: RegistryOptions, logger: Logger) {
    this.#options = options
    this.#logger = logger
  }

  /** Endpoints in the order in which they are tried. */
  endpoints(reference: Pick<ImageReference, 'domain'>, insecure = false): Promise<Endpoint[]> {
    if (!insecure) return endpointsOf(reference, this.#options)
    const insecureRegistries = [...this.#options.insecureRegistries, reference.domain]
    return endpointsOf(reference, { ...this.#options, insecureRegistries })
  }

  /** Asks `/v2/` first: an endpoint that can't be reached fails here, in Go's words. */
  async connect(
    endpoint: Endpoint,
    request: { repository: string; auth: RegistryAuth | undefined; signal?: AbortSignal; wantsIdentity?: boolean },
  ): Promise<RegistrySession> {
    const client = await this.#client(endpoint)
    await client.refresh()
    // Credentials are for the registry that was named, not for a mirror of it.
    const authenticator = new Authenticator(client, endpoint.mirror ? undefined : request.auth, request.wantsIdentity)
    const url = new URL(`${endpoint.base}/v2/`)
    const answer = await client.send({ method: 'GET', url, ...(request.signal && { signal: request.signal }) })
    // Only the registry says where its tokens are: another host would name itself and be sent the password.
    if (answer.url.origin === url.origin) authenticator.learn(answer.header('www-authenticate'))
    await answer.discard()
    if (answer.status >= 500) throw internal(`Get "${url}": received unexpected HTTP status: ${answer.status}`)
    // After a mirror comes the registry itself: it is not waited for.
    const retry = { attempts: endpoint.mirror ? 1 : maxAttempts, retryDelayMs: this.#options.retryDelayMs }
    const { repository } = request
    const warnings = new RegistryWarnings(this.#logger, { registry: client.endpoint.base, repository })
    return new RegistrySession(client, authenticator, { repository, retry, warnings })
  }

  /**
   * Runs `work` with the first endpoint that serves: a mirror that fails or lacks the image, and HTTPS that is not spoken
   * there, are passed over. The error of the last one is thrown.
   */
  async withSession<T>(
    reference: ImageReference,
    request: SessionRequest,
    work: (session: RegistrySession) => Promise<T>,
  ): Promise<T> {
    const endpoints = (await this.endpoints(reference, request.insecure)).filter(
      ({ mirror }) => !(mirror && request.skipMirrors),
    )
    let failure: unknown
    for (const endpoint of endpoints) {
      let session: RegistrySession
      try {
        session = await this.connect(endpoint, { ...request, repository: reference.path })
      } catch (error) {
        request.signal?.throwIfAborted()
        failure = error
        continue
      }
      try {
        return await work(session)
      } catch (error) {
        request.signal?.throwIfAborted()
        if (!endpoint.mirror) throw error
        failure = error
      }
    }
    throw failure
  }

  #client(endpoint: Endpoint): Promise<HttpClient> {
    if (this.#isClosed) return Promise.reject(internal('the daemon is stopping'))
    // Whether certificates are checked is settled with the client, and a reload can change it.
    const key = `${endpoint.base} ${endpoint.insecure}`
    const known = this.#clients.get(key)
    if (known !== undefined) return known
    const opening = HttpClient.open(endpoint, this.#options)
    this.#clients.set(key, opening)
    opening.catch(() => this.#clients.delete(key))
    return opening
  }

  /** Ends what is under way: nobody waits for an answer any more. What would try elsewhere after that does not. */
  async close(): Promise<void> {
    this.#isClosed = true
    for (const client of this.#clients.values()) await (await client.catch(() => undefined))?.close()
    this.#clients.clear()
  }
}
