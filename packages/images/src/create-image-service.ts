/** Puts the parts of the images package together. */
import { join } from 'node:path'
import {
  type EventPublisher,
  type HostHelper,
  type ImageCatalog,
  type ImageLedger,
  type ImageRecords,
  type ImageService,
  type Logger,
  type Platform,
  silentLogger,
} from '@dockerd-ts/core'
import { collect } from './catalog/collect.ts'
import type { ImageContext } from './catalog/image-context.ts'
import { ImageStore } from './catalog/image-store.ts'
import { ContentStore } from './content/content-store.ts'
import { Durability, synchroniseWith } from './content/durability.ts'
import { hostPlatform } from './host-platform.ts'
import { createImageCatalog } from './image-catalog.ts'
import { createImageLedger } from './image-ledger.ts'
import { imageService } from './image-service.ts'
import { LayerJobs } from './layers/layer-jobs.ts'
import { LayerStore } from './layers/layer-store.ts'
import { treeRemoval } from './layers/tree-removal.ts'
import { reconcileImages } from './reconcile.ts'
import { createRegistryOperations } from './registry/registry-operations.ts'
import type { RegistryOptions } from './registry/registry-options.ts'

export interface ImageServiceOptions {
  /** `content/` and `layers/` are made below it. */
  dataRoot: string
  /** Path of the C program `dockerd-ts-monitor`, which unpacks layers. */
  layerProgram: string
  records: ImageRecords
  events: EventPublisher
  /** Removes layers' directories; without it Node does. */
  helper?: Pick<HostHelper, 'removeTree'>
  logger?: Logger
  registry?: Partial<RegistryOptions>
  /** This machine's unless given. */
  platform?: Platform
  /** For tests: another one means that the machine was started anew. */
  bootId?: string
}

export interface Images {
  service: ImageService
  catalog: ImageCatalog
  ledger: ImageLedger
  /** To be awaited before anything else: makes the directories, and makes files and rows agree after a crash. */
  reconcile(): Promise<void>
  /** Of the registry client, while it runs; for a reload of the daemon. */
  configure(options: Partial<RegistryOptions>): void
  close(): Promise<void>
}

/** A disk that is busy with others' data can keep a synchronisation for minutes; the daemon's end does not wait so long. */
const settleLimitMs = 10_000

export function createImageService(options: ImageServiceOptions): Images {
  const { dataRoot, layerProgram, records, events, logger = silentLogger } = options
  const host = options.platform ?? hostPlatform()
  const jobs = new LayerJobs(layerProgram)
  const durability = new Durability({
    root: dataRoot,
    synchronise: () => synchroniseWith(jobs, dataRoot),
    logger,
    ...(options.bootId !== undefined && { bootId: options.bootId }),
  })
  const content = new ContentStore(join(dataRoot, 'content'), records, durability)
  const layers = new LayerStore({
    root: join(dataRoot, 'layers'),
    program: layerProgram,
    jobs,
    records,
    content,
    durability,
    removeTree: treeRemoval(options.helper),
  })
  const context: ImageContext = {
    images: new ImageStore(records),
    content,
    layers,
    // Core answers once its containers are known.
    usage: { containersOf: () => [] },
    events,
  }
  const collectFreed = () => {
    collect(context).swept.then(
      (reasons) => reasons.map((error) => logger.warn({ error: String(error) }, 'files of a removed image are left')),
      (error) => logger.error({ error: String(error) }, 'what is no longer used could not be collected'),
    )
  }
  content.pins.onFreed = collectFreed
  layers.pins.onFreed = collectFreed
  const registry = createRegistryOperations({ context, host, logger, options: options.registry ?? {} })
  return {
    service: imageService({ context, host, logger, registry: registry.operations, userAgent: registry.userAgent }),
    catalog: createImageCatalog(context),
    ledger: createImageLedger({ context, dataRoot, logger }),
    reconcile: () => {
      jobs.start()
      return reconcileImages(context, { durability, logger })
    },
    configure: registry.configure,
    async close() {
      await registry.close()
      await durability.close(settleLimitMs)
      await jobs.close()
    },
  }
}
