/**
 * Manifest lists that are being put together, as docker keeps them: `manifests/<list>/<manifest>` in the configuration
 * directory, one JSON file each, so that both clients work on the same ones.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Cli } from './cli.ts'
import type { ApiClient } from './client/api-client.ts'
import { isNotFound } from './client/errors.ts'
import { registryAuthHeader } from './client/registry-auth.ts'
import { part } from './commands/shared.ts'
import { messageOf } from './exit-error.ts'
import { familiarString, fullString, parseReference, type Reference, withDefaultTag } from './options/reference.ts'

export interface Platform {
  architecture: string
  os: string
  'os.version'?: string
  'os.features'?: string[]
  variant?: string
}

export interface StoredManifest {
  Ref: string
  Descriptor: { mediaType: string; digest: string; size: number; platform?: Platform }
  /** base64 */
  Raw: string
  SchemaV2Manifest?: unknown
  OCIManifest?: unknown
}

/** `what` stands before the text of the error, with the name that is wrong. */
export function normalizeReference(text: string, what?: string): Reference {
  try {
    return withDefaultTag(parseReference(text))
  } catch (error) {
    throw what === undefined ? error : new Error(`${what} ${text}: ${messageOf(error)}`)
  }
}

const fileName = (reference: Reference) => fullString(reference).replaceAll(':', '-').replaceAll('/', '_')

export class ManifestStore {
  readonly #root: string

  constructor(configDir: string) {
    this.#root = join(configDir, 'manifests')
  }

  #path(list: Reference, manifest?: Reference): string {
    return join(this.#root, fileName(list), ...(manifest ? [fileName(manifest)] : []))
  }

  get(list: Reference, manifest: Reference): StoredManifest | undefined {
    try {
      return JSON.parse(readFileSync(this.#path(list, manifest), 'utf8')) as StoredManifest
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    }
  }

  /** In the order of the files' names; undefined when there is no such list. */
  list(list: Reference): StoredManifest[] | undefined {
    try {
      const names = readdirSync(this.#path(list)).sort()
      return names.map((name) => JSON.parse(readFileSync(join(this.#path(list), name), 'utf8')) as StoredManifest)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    }
  }

  save(list: Reference, manifest: Reference, stored: StoredManifest): void {
    mkdirSync(this.#path(list), { recursive: true })
    const path = this.#path(list, manifest)
    // Not beside it: every file there is read as a manifest.
    const temporary = join(this.#root, `.${process.pid}.tmp`)
    writeFileSync(temporary, JSON.stringify(stored))
    renameSync(temporary, path)
  }

  remove(list: Reference): void {
    rmSync(this.#path(list), { recursive: true })
  }
}

export const noSuchManifest = (reference: Reference) => new Error(`No such manifest: ${fullString(reference)}`)

interface RegistryManifest {
  Descriptor: StoredManifest['Descriptor']
  Raw: string
}

const ociManifest = 'application/vnd.oci.image.manifest.v1+json'

function stored(name: string, { Descriptor, Raw }: RegistryManifest): StoredManifest {
  const document: unknown = JSON.parse(Buffer.from(Raw, 'base64').toString())
  const key = Descriptor.mediaType === ociManifest ? 'OCIManifest' : 'SchemaV2Manifest'
  return { Ref: name, Descriptor, Raw, [key]: document }
}

/** From the registry, by the daemon: one manifest, or those of a list. */
export async function fetchManifests(
  cli: Cli,
  reference: Reference,
  insecure: boolean,
): Promise<{ manifest: StoredManifest } | { list: StoredManifest[] }> {
  const api = await cli.api()
  const found = await askRegistry(cli, api, { reference, insecure })
  if (found.Manifests === undefined) return { manifest: stored(fullString(reference), found) }
  const list = found.Manifests.map((manifest) =>
    stored(`${fullString({ ...reference, digest: manifest.Descriptor.digest })}`, manifest),
  )
  return { list }
}

async function askRegistry(
  cli: Cli,
  api: ApiClient,
  { reference, insecure }: { reference: Reference; insecure: boolean },
): Promise<RegistryManifest & { Manifests?: RegistryManifest[] }> {
  try {
    return await api.json('GET', `/distribution/${part(fullString(reference))}/manifest`, {
      query: { insecure: insecure ? 1 : undefined },
      headers: { 'X-Registry-Auth': await registryAuthHeader(cli, reference.domain) },
    })
  } catch (error) {
    if (isNotFound(error)) throw new Error(`no such manifest: ${familiarString(reference)}`)
    throw error
  }
}

export async function pushManifest(
  cli: Cli,
  reference: Reference,
  request: { mediaType: string; raw: string; insecure: boolean; mounts?: { From: string; Digest: string }[] },
): Promise<string> {
  const api = await cli.api()
  const answer = await api.json<{ Digest: string }>('POST', `/distribution/${part(fullString(reference))}/manifest`, {
    query: { insecure: request.insecure ? 1 : undefined },
    headers: { 'X-Registry-Auth': await registryAuthHeader(cli, reference.domain) },
    json: { MediaType: request.mediaType, Raw: request.raw, Mounts: request.mounts ?? [] },
  })
  return answer.Digest
}
