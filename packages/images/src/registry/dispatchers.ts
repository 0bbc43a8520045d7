/** Connections to one registry: straight, or by the proxy that the environment names for the scheme, as Go's programs do it. */
import { internal } from '@dockerd-ts/core'
import type { Dispatcher } from 'undici'
import type { Certificates } from './certificates.ts'
import { bypassesProxy } from './proxy-rules.ts'

const connectTimeoutMs = 30_000
const timeouts = { headersTimeout: 60_000, bodyTimeout: 60_000, allowH2: false }

export interface Route {
  dispatcher: Dispatcher
  /** A failure to connect is the proxy's. */
  isProxied: boolean
}

export class Dispatchers {
  readonly #direct: Dispatcher
  readonly #proxied: ReadonlyMap<string, Dispatcher>

  private constructor(direct: Dispatcher, proxied: ReadonlyMap<string, Dispatcher>) {
    this.#direct = direct
    this.#proxied = proxied
  }

  static async open(tls: Certificates & { rejectUnauthorized: boolean }): Promise<Dispatchers> {
    // Only who speaks to a registry pays for its client: several megabytes of a daemon's memory.
    const { Agent, ProxyAgent } = await import('./undici-client.ts')
    const connect = { ...tls, timeout: connectTimeoutMs }
    const proxied = new Map<string, Dispatcher>()
    for (const [scheme, proxy] of [
      ['http:', proxyFrom('http_proxy')],
      ['https:', proxyFrom('https_proxy')],
    ] as const) {
      // Plain HTTP is asked of the proxy, not tunnelled through it.
      const options = { ...timeouts, connect, requestTls: tls, connectTimeout: connectTimeoutMs, proxyTunnel: false }
      if (proxy !== undefined) proxied.set(scheme, new ProxyAgent({ ...options, uri: proxy }))
    }
    return new Dispatchers(new Agent({ ...timeouts, connect }), proxied)
  }

  to(url: URL): Route {
    const noProxy = process.env.no_proxy || process.env.NO_PROXY || ''
    const proxied = bypassesProxy(url, noProxy) ? undefined : this.#proxied.get(url.protocol)
    return proxied ? { dispatcher: proxied, isProxied: true } : { dispatcher: this.#direct, isProxied: false }
  }

  /** When what is under way has ended. */
  retire(): Promise<unknown> {
    return Promise.all(this.#all().map((dispatcher) => dispatcher.close()))
  }

  /** Not undici's `close`, which waits for every request under way, from a silent registry for a minute or for ever. */
  destroy(): Promise<unknown> {
    return Promise.all(this.#all().map((dispatcher) => dispatcher.destroy()))
  }

  #all(): Dispatcher[] {
    return [this.#direct, ...this.#proxied.values()]
  }
}

/** `proxy:3128` is one of plain HTTP. The address is in no error: it can hold a password. */
function proxyFrom(name: string): string | undefined {
  const text = process.env[name] || process.env[name.toUpperCase()] || ''
  if (text === '') return undefined
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`)
  if (url === null || !/^(?:https?|socks5):$/.test(url.protocol)) {
    throw internal(`proxyconnect tcp: invalid address in ${name.toUpperCase()}`)
  }
  return url.href
}
