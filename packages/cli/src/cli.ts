/** What every command is given: the chosen daemon, the configuration, and the three standard streams. */
import { ApiClient } from './client/api-client.ts'
import { type DaemonAddress, daemonAddress, parseHost, type TlsFiles } from './client/endpoint.ts'
import { type ConfigFile, loadConfig } from './config-file.ts'
import { ExitError, messageOf } from './exit-error.ts'
import { defaultConfigDir, type GlobalFlags } from './options/global-flags.ts'
import { STDERR, STDOUT, writeFully } from './terminal/write.ts'

export class Cli {
  readonly globals: GlobalFlags
  #config: ConfigFile | undefined
  #api: Promise<ApiClient> | undefined

  constructor(globals: GlobalFlags) {
    this.globals = globals
  }

  get configDir(): string {
    return this.globals.config || defaultConfigDir
  }

  get config(): ConfigFile {
    this.#config ??= loadConfig(this.configDir)
    return this.#config
  }

  /** The client of the chosen daemon. No connection is made before the first call. */
  api(): Promise<ApiClient> {
    this.#api ??= this.#openApi()
    return this.#api
  }

  /** The context in use: by flag, environment or configuration; `default` when a host is named directly. */
  contextName(): string {
    const { host, context } = this.globals
    if (context !== '' && host.length > 0)
      throw new ExitError(1, 'Failed to initialize: conflicting options: cannot specify both --host and --context')
    if (context !== '') return context
    if (host.length > 0 || process.env.DOCKER_HOST) return 'default'
    return process.env.DOCKER_CONTEXT || this.config.currentContext || 'default'
  }

  async address(): Promise<DaemonAddress> {
    try {
      const name = this.contextName()
      if (name === 'default') return this.#directAddress()
      const { ContextStore } = await import('./client/contexts.ts')
      const store = new ContextStore(this.configDir)
      const meta = store.read(name)
      return daemonAddress(parseHost(meta.Endpoints.docker?.Host ?? '', false), store.tls(meta))
    } catch (error) {
      if (error instanceof ExitError) throw error
      throw new ExitError(1, `Failed to initialize: unable to resolve docker endpoint: ${messageOf(error)}`)
    }
  }

  /** Writes to stdout at once and in order, however slow the reader is. */
  out(text: string | Uint8Array): void {
    writeFully(STDOUT, text)
  }

  err(text: string | Uint8Array): void {
    writeFully(STDERR, text)
  }

  #directAddress(): DaemonAddress {
    const hosts = this.globals.host
    if (hosts.length > 1) throw new ExitError(1, 'Failed to initialize: specify only one -H')
    const tls = this.#tls()
    return daemonAddress(parseHost(hosts[0] ?? process.env.DOCKER_HOST ?? '', tls !== undefined), tls)
  }

  #tls(): TlsFiles | undefined {
    const { tls, tlsverify, tlscacert, tlscert, tlskey } = this.globals
    const verify = tlsverify || Boolean(process.env.DOCKER_TLS_VERIFY)
    if (!tls && !verify) return undefined
    return { ca: tlscacert, cert: tlscert, key: tlskey, verify }
  }

  async #openApi(): Promise<ApiClient> {
    const fixed = process.env.DOCKER_API_VERSION?.replace(/^v/, '') || undefined
    return new ApiClient(await this.address(), this.config.HttpHeaders ?? {}, fixed)
  }
}
