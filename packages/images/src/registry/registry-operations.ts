/** pull, push, search, distribution and login. */
import {
  EngineError,
  type ImageService,
  internal,
  invalidArgument,
  type Logger,
  type Platform,
  parsePlatform,
  parseReference,
  type RegistryAuth,
  withDefaultTag,
} from '@dockerd-ts/core'
import type { ImageContext } from '../catalog/image-context.ts'
import type { RegistryOperations } from '../image-service.ts'
import { documentLimitBytes, parseImageConfig, parseIndex, parseManifest } from '../oci/documents.ts'
import { isIndexType, isManifestType } from '../oci/media-types.ts'
import { progressStream } from '../progress/progress-stream.ts'
import type { WireDistribution } from '../wire-types.ts'
import { BlobDownloads } from './blob-download.ts'
import { searchImages } from './hub-search.ts'
import { type FetchedDocument, fetchManifest } from './manifests.ts'
import { pullImage, withTag } from './pull-image.ts'
import { pushImage } from './push-image.ts'
import { RegistryError } from './registry-error.ts'
import { readManifest, writeManifest } from './registry-manifests.ts'
import { defaultRegistryOptions, type RegistryOptions } from './registry-options.ts'
import { RegistryClients, type RegistrySession } from './registry-session.ts'

export function createRegistryOperations(request: {
  context: ImageContext
  host: Platform
  logger: Logger
  options: Partial<RegistryOptions>
}): {
  operations: RegistryOperations
  /** What begins from now on goes by them. */
  configure(changed: Partial<RegistryOptions>): void
  userAgent: string
  close(): Promise<void>
} {
  const { context, host, logger } = request
  const options = { ...defaultRegistryOptions, ...request.options }
  const clients = new RegistryClients(options, logger)
  const downloads = new BlobDownloads(context.content, options)
  const operations: RegistryOperations = {
    pull: (query) => pullStream({ context, clients, downloads, host, signaturePolicy: options.signaturePolicy }, query),
    push: ({ image, tag, platform: text, auth, signal }) => {
      const reference = withTag(parseReference(image), tag)
      const retry = { attempts: options.maxDownloadAttempts, retryDelayMs: options.retryDelayMs }
      const platform = text === undefined ? undefined : parsePlatform(text, host)
      const push = { context, clients, host, maxConcurrentUploads: options.maxConcurrentUploads, retry }
      return progressStream(
        (report, ended) => pushImage(push, { reference, platform, auth, report, signal: ended }),
        signal,
      )
    },
    search: (query) => searchImages(clients, options, query),
    distribution: (reference, auth) => inspectDistribution(clients, reference, auth),
    registryManifest: (reference, access) => readManifest(clients, reference, access),
    pushManifest: (reference, access) => writeManifest(clients, reference, access),
    login: (auth) => login(clients, auth),
  }
  return {
    operations,
    userAgent: options.userAgent,
    configure: (changed) => {
      Object.assign(options, changed)
      downloads.reconfigure()
    },
    close: () => clients.close(),
  }
}

type PullQuery = Parameters<ImageService['pull']>[0]

async function* pullStream(pull: Parameters<typeof pullImage>[0], query: PullQuery) {
  const reference = withTag(parseReference(query.image), query.tag)
  const platform = query.platform ? parsePlatform(query.platform, pull.host) : undefined
  const work = { reference, platform, auth: query.auth }
  yield* progressStream((report, signal) => pullImage(pull, { ...work, report, signal }), query.signal)
}

async function inspectDistribution(
  clients: RegistryClients,
  text: string,
  auth: RegistryAuth | undefined,
): Promise<WireDistribution> {
  const reference = withDefaultTag(parseReference(text))
  return clients.withSession(reference, { auth }, async (session) => {
    const document = await fetchManifest(session, reference.digest ?? reference.tag ?? 'latest')
    const { mediaType, digest, data } = document
    return { Descriptor: { mediaType, digest, size: data.length }, Platforms: await platformsOf(session, document) }
  })
}

async function platformsOf(
  session: RegistrySession,
  document: FetchedDocument,
): Promise<WireDistribution['Platforms']> {
  if (isIndexType(document.mediaType)) {
    return (parseIndex(document.data).manifests ?? []).flatMap(({ platform }) =>
      platform ? [wirePlatform(platform)] : [],
    )
  }
  if (!isManifestType(document.mediaType)) return []
  const { config } = parseManifest(document.data)
  const path = `${session.repository}/blobs/${config.digest}`
  const answer = await session.ask({ method: 'GET', path, expected: [200] })
  return [wirePlatform(parseImageConfig(await answer.bytes(documentLimitBytes)))]
}

function wirePlatform(platform: {
  os: string
  architecture: string
  variant?: string | undefined
  'os.version'?: string | undefined
}): WireDistribution['Platforms'][number] {
  const { os, architecture, variant } = platform
  const version = platform['os.version']
  return { architecture, os, ...(version && { 'os.version': version }), ...(variant && { variant }) }
}

const hubServer = 'https://index.docker.io/v1/'

/** Checks credentials against a registry; nothing is kept. */
async function login(clients: RegistryClients, auth: RegistryAuth): Promise<{ Status: string; IdentityToken: string }> {
  const server = auth.serveraddress || hubServer
  const host = server.replace(/^https?:\/\//, '').replace(/\/.*$/, '')
  if (host === '') throw invalidArgument(`unable to parse server address: ${server}`)
  const domain = host === 'index.docker.io' || host === 'registry-1.docker.io' ? 'docker.io' : host
  const reference = { domain, path: '' }
  const request = { auth, skipMirrors: true, wantsIdentity: true }
  const token = await clients.withSession(reference, request, async (session) => {
    const url = session.url('')
    try {
      const answer = await session.ask({ method: 'GET', path: '', expected: [200] })
      await answer.discard()
      return session.identityToken
    } catch (error) {
      if (!(error instanceof RegistryError)) throw error
      if (error.status !== 401) throw internal(`login attempt to ${url} failed with status: ${error.status}`, error)
      throw new EngineError('unauthorized', `login attempt to ${url} failed with status: 401 Unauthorized`, {
        cause: error,
      })
    }
  })
  return { IdentityToken: token ?? '', Status: 'Login Succeeded' }
}
