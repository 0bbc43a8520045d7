/**
 * Proves to a registry who asks: anonymous or named bearer tokens by scope, or basic authentication. Secrets stay in this
 * file and in the headers it makes; no error text carries one.
 */
import { internal, type RegistryAuth } from '@dockerd-ts/core'
import * as z from 'zod'
import { parse } from '../oci/documents.ts'
import { type Challenge, parseChallenges } from './challenge.ts'
import type { HttpClient } from './http-client.ts'
import { registryError } from './registry-error.ts'
import { parseRetryAfter } from './retry.ts'

const tokenBody = z.object({
  token: z.string().optional(),
  access_token: z.string().optional(),
  expires_in: z.number().optional(),
  refresh_token: z.string().optional(),
})

const clientId = 'docker'
/** Tokens that name no life live a minute. */
const defaultLifeSeconds = 60
const tokenAnswerLimitBytes = 1024 * 1024

export class Authenticator {
  readonly #client: HttpClient
  readonly #auth: RegistryAuth
  #challenges: Challenge[] = []
  readonly #tokens = new Map<string, { header: string; expiresAtMs: number }>()

  readonly #wantsIdentity: boolean
  #identityToken: string | undefined

  /** `wantsIdentity`: a login, which asks for a token to keep in the password's place. */
  constructor(client: HttpClient, auth: RegistryAuth | undefined, wantsIdentity = false) {
    this.#client = client
    this.#auth = auth ?? {}
    this.#wantsIdentity = wantsIdentity
  }

  /** What a login got to keep, where the registry's authorization server gives such tokens. */
  get identityToken(): string | undefined {
    return this.#identityToken
  }

  /** What the registry's first answer asked for. */
  learn(header: string | undefined): void {
    const challenges = parseChallenges(header ?? '')
    if (challenges.length > 0) this.#challenges = challenges
  }

  /** The token did not do: the next request gets a new one. */
  forget(): void {
    this.#tokens.clear()
  }

  /** Value of the Authorization header, or undefined. A scope is `repository:name:pull`. */
  async header(scopes: readonly string[], signal?: AbortSignal): Promise<string | undefined> {
    if (this.#auth.registrytoken) return `Bearer ${this.#auth.registrytoken}`
    const bearer = this.#challenges.find(({ scheme }) => scheme === 'bearer')
    if (bearer !== undefined) return this.#bearer(bearer, scopes, signal)
    if (!this.#challenges.some(({ scheme }) => scheme === 'basic')) return undefined
    const basic = this.#basic()
    if (basic === undefined) throw internal('no basic auth credentials')
    return basic
  }

  #basic(): string | undefined {
    const { username, password } = this.#auth
    if (!username || password === undefined) return undefined
    return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
  }

  async #bearer(challenge: Challenge, scopes: readonly string[], signal?: AbortSignal): Promise<string> {
    const scope = scopes.join(' ')
    const known = this.#tokens.get(scope)
    if (known !== undefined && known.expiresAtMs > Date.now()) return known.header
    const { realm, service } = challenge.parameters
    const url = URL.parse(realm ?? '')
    if (url === null || !/^https?:$/.test(url.protocol)) throw internal('registry names no valid place for tokens')
    const identity = this.#auth.identitytoken
    const isSecret = identity || this.#basic() !== undefined
    if (url.protocol === 'http:' && !this.#client.endpoint.insecure && isSecret) {
      throw internal('registry wants credentials over plain HTTP')
    }
    const answer = identity
      ? await this.#exchange({ url, service, scope, identity, signal })
      : await this.#fetch({ url, service, scope, signal })
    if (this.#wantsIdentity && answer.refresh_token) this.#identityToken = answer.refresh_token
    const token = answer.token || answer.access_token
    if (!token) throw internal('authorization server did not include a token in the response')
    const lifeSeconds = Math.max(answer.expires_in ?? 0, defaultLifeSeconds)
    const header = `Bearer ${token}`
    // Ten seconds early: a token must not end on its way.
    this.#tokens.set(scope, { header, expiresAtMs: Date.now() + (lifeSeconds - 10) * 1000 })
    return header
  }

  async #fetch(request: TokenRequest): Promise<z.infer<typeof tokenBody>> {
    const { url, service, scope, signal } = request
    const target = new URL(url)
    if (service !== undefined) target.searchParams.set('service', service)
    for (const one of scope.split(' ')) if (one !== '') target.searchParams.append('scope', one)
    const basic = this.#basic()
    if (basic !== undefined) target.searchParams.set('account', this.#auth.username ?? '')
    if (this.#wantsIdentity) {
      target.searchParams.set('offline_token', 'true')
      target.searchParams.set('client_id', clientId)
    }
    return this.#answer(
      await this.#client.send({
        method: 'GET',
        url: target,
        ...(basic !== undefined && { headers: { authorization: basic } }),
        ...(signal && { signal }),
      }),
    )
  }

  async #exchange(request: TokenRequest & { identity: string }): Promise<z.infer<typeof tokenBody>> {
    const { url, service, scope, identity, signal } = request
    const form = new URLSearchParams({ grant_type: 'refresh_token', client_id: clientId, refresh_token: identity })
    if (service !== undefined) form.set('service', service)
    if (scope !== '') form.set('scope', scope)
    return this.#answer(
      await this.#client.send({
        method: 'POST',
        url,
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: Buffer.from(form.toString()),
        ...(signal && { signal }),
      }),
    )
  }

  async #answer(answer: Awaited<ReturnType<HttpClient['send']>>): Promise<z.infer<typeof tokenBody>> {
    const body = await answer.text(tokenAnswerLimitBytes)
    if (answer.status === 200) return parse(tokenBody, body, 'token')
    const { status, statusText } = answer
    const retryAfterMs = parseRetryAfter(answer.header('retry-after'))
    throw registryError({ status, statusText, challenge: answer.header('www-authenticate'), body, retryAfterMs })
  }
}

interface TokenRequest {
  url: URL
  service: string | undefined
  scope: string
  signal: AbortSignal | undefined
}
