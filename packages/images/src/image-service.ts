/** The image service that the HTTP layer calls: one line to the operation for each method. */
import type { Readable } from 'node:stream'
import {
  type ImageService,
  isEngineError,
  type Logger,
  notFound,
  type Platform,
  type ProgressMessage,
  parsePlatform,
  repositoryAndTag,
} from '@dockerd-ts/core'
import { importArchive } from './archive/import-archive.ts'
import { openUrl } from './archive/import-url.ts'
import { loadArchive } from './archive/load-archive.ts'
import { saveArchive } from './archive/save-archive.ts'
import { imageAttestations } from './catalog/image-attestations.ts'
import type { ImageContext } from './catalog/image-context.ts'
import { imageHistory, inspectImage } from './catalog/inspect-image.ts'
import { listImages } from './catalog/list-images.ts'
import { pruneImages } from './catalog/prune-images.ts'
import { PrunePlans } from './catalog/prune-plans.ts'
import { removeImage, removePlatforms } from './catalog/remove-image.ts'
import { tagImage } from './catalog/tag-image.ts'
import { findImage, indexOf } from './catalog/variants.ts'
import { counted, counter, progressStream } from './progress/progress-stream.ts'

export interface ServiceOptions {
  context: ImageContext
  host: Platform
  logger: Logger
  registry: RegistryOperations
  userAgent: string
}

export type RegistryOperations = Pick<
  ImageService,
  'pull' | 'push' | 'search' | 'distribution' | 'registryManifest' | 'pushManifest' | 'login'
>

export function imageService({ context, host, logger, registry, userAgent }: ServiceOptions): ImageService {
  const plans = new PrunePlans(context)
  const find = (reference: string, platform: string | undefined) =>
    findImage(context.images, reference, platform === undefined ? undefined : parsePlatform(platform, host))
  return {
    ...registry,
    async list(query) {
      return listImages(context, query)
    },
    async inspect(reference, { platform, manifests }) {
      const image = find(reference, platform)
      return inspectImage(context, image, { index: indexOf(context.images, reference, image), manifests })
    },
    async attestations(reference, { platform, ...query }) {
      const image = find(reference, platform)
      return imageAttestations(context, { image, index: indexOf(context.images, reference, image) }, query)
    },
    async history(reference, { platform }) {
      return imageHistory(context.images, find(reference, platform))
    },
    load: (request) => loadStream(context, { ...request, host }),
    import: (request) => importStream(context, { ...request, host, userAgent }),
    save: ({ references, platforms }) => {
      const wanted = platforms.map((platform) => parsePlatform(platform, host))
      return saveArchive(context, { references, platforms: wanted, host })
    },
    async tag(reference, target) {
      tagImage(context, reference, target)
    },
    async remove(reference, options) {
      const platforms = options.platforms.map((platform) => parsePlatform(platform, host))
      const { items, swept } =
        platforms.length > 0
          ? removePlatforms(context, reference, { ...options, platforms, host })
          : removeImage(context, reference, options)
      await finish(swept, logger)
      return items
    },
    async planPrune(filters) {
      return plans.make(filters)
    },
    async applyPrunePlan(id) {
      const { response, swept } = plans.apply(id)
      await finish(swept, logger)
      return response
    },
    async prune(filters) {
      const { response, swept } = pruneImages(context, filters)
      await finish(swept, logger)
      return response
    },
  }
}

/** The rows are gone already: files that stay are removed at the next start. */
async function finish(swept: readonly Promise<unknown[]>[], logger: Logger): Promise<void> {
  for (const reason of (await Promise.all(swept)).flat()) {
    logger.warn({ error: String(reason) }, 'files of a removed image are left')
  }
}

type LoadRequest = Parameters<ImageService['load']>[0] & { host: Platform }

/** As in Docker, what is wrong with the archive is told in the stream, whose status is always 200. */
async function* loadStream(context: ImageContext, request: LoadRequest): AsyncGenerator<ProgressMessage> {
  const platforms = request.platforms.map((platform) => parsePlatform(platform, request.host))
  try {
    yield* progressStream(
      (report, signal) =>
        loadArchive(context, { ...request, archive: buffers(request.archive), platforms, report, signal }),
      request.signal,
    )
  } catch (error) {
    if (request.signal.aborted || !isReported(error)) throw error
    const { message } = error
    yield { errorDetail: { message }, error: message }
  }
}

/** What the client is to read; anything else is the daemon's fault and is logged with its stack. */
const isReported = (error: unknown): error is Error =>
  isEngineError(error) || (error instanceof Error && error.name === 'TarError')

type ImportRequest = Parameters<ImageService['import']>[0] & { host: Platform; userAgent: string }

async function* importStream(context: ImageContext, request: ImportRequest): AsyncGenerator<ProgressMessage> {
  const { repository, tag, platform, host, sourceName } = request
  const reference = repositoryAndTag(repository, tag)
  const wanted = platform === undefined || platform === '' ? host : parsePlatform(platform, host)
  if (wanted.os !== 'linux') throw notFound(`operating system is not supported: ${wanted.os}`)
  const importFrom = (source: AsyncIterable<Buffer>, name: string, signal: AbortSignal) =>
    importArchive(context, {
      source,
      message: request.message || `Imported from ${name}`,
      changes: request.changes,
      platform: wanted,
      signal,
      ...(reference && { reference }),
    })
  yield* progressStream(async (report, signal) => {
    if (sourceName === '-') return report({ status: await importFrom(buffers(request.source), '-', signal) })
    const download = await openUrl(sourceName, { userAgent: request.userAgent, signal })
    try {
      report({ status: `Downloading from ${download.address}` })
      const count = counter(report, { status: 'Importing', total: download.sizeBytes })
      report({ status: await importFrom(counted(download.body, count), download.address, signal) })
    } finally {
      await download.close()
    }
  }, request.signal)
}

/** Without this a stream in text mode could hand strings to the parser. */
async function* buffers(source: Readable): AsyncGenerator<Buffer> {
  for await (const chunk of source) yield typeof chunk === 'string' ? Buffer.from(chunk) : (chunk as Buffer)
}
