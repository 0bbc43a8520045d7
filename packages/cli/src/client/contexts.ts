/** Contexts: named daemons, kept in the configuration directory in Docker's own layout. */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TlsFiles } from './endpoint.ts'

interface DockerEndpointMeta {
  Host?: string
  SkipTLSVerify: boolean
}

export interface ContextMeta {
  Name: string
  Metadata: { Description?: string; [other: string]: unknown }
  Endpoints: { docker?: DockerEndpointMeta; [other: string]: unknown }
}

const contextDirName = (name: string): string => createHash('sha256').update(name).digest('hex')

export class ContextStore {
  readonly #root: string
  constructor(configDir: string) {
    this.#root = join(configDir, 'contexts')
  }

  metadataDir(name: string): string {
    return join(this.#root, 'meta', contextDirName(name))
  }

  tlsDir(name: string): string {
    return join(this.#root, 'tls', contextDirName(name))
  }

  list(): ContextMeta[] {
    const dir = join(this.#root, 'meta')
    if (!existsSync(dir)) return []
    const metas = readdirSync(dir).map(
      (entry) => JSON.parse(readFileSync(join(dir, entry, 'meta.json'), 'utf8')) as ContextMeta,
    )
    return metas.sort((a, b) => (a.Name < b.Name ? -1 : 1))
  }

  exists(name: string): boolean {
    return existsSync(join(this.metadataDir(name), 'meta.json'))
  }

  read(name: string): ContextMeta {
    const path = join(this.metadataDir(name), 'meta.json')
    if (!existsSync(path))
      throw new Error(`context ${JSON.stringify(name)}: context not found: open ${path}: no such file or directory`)
    return JSON.parse(readFileSync(path, 'utf8')) as ContextMeta
  }

  write(meta: ContextMeta): void {
    const dir = this.metadataDir(meta.Name)
    mkdirSync(dir, { recursive: true, mode: 0o755 })
    writeFileSync(join(dir, 'meta.json'), JSON.stringify(meta), { mode: 0o644 })
  }

  writeTls(name: string, files: Record<string, Buffer>): void {
    rmSync(this.tlsDir(name), { recursive: true, force: true })
    if (Object.keys(files).length === 0) return
    const dir = join(this.tlsDir(name), 'docker')
    mkdirSync(dir, { recursive: true, mode: 0o700 })
    for (const [file, content] of Object.entries(files)) writeFileSync(join(dir, file), content, { mode: 0o600 })
  }

  remove(name: string): void {
    rmSync(this.metadataDir(name), { recursive: true, force: true })
    rmSync(this.tlsDir(name), { recursive: true, force: true })
  }

  /** The TLS files of the context, or undefined when it has none. */
  tls(meta: ContextMeta): TlsFiles | undefined {
    const dir = join(this.tlsDir(meta.Name), 'docker')
    const skip = meta.Endpoints.docker?.SkipTLSVerify ?? false
    if (!existsSync(dir)) return skip ? { verify: false } : undefined
    const file = (name: string) => (existsSync(join(dir, name)) ? join(dir, name) : undefined)
    return { ca: file('ca.pem'), cert: file('cert.pem'), key: file('key.pem'), verify: !skip }
  }
}
