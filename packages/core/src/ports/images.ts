/** What containers need of images: which image a reference means, its configuration, and its layers as directories. */
import type * as wire from '@dockerd-ts/api'
import type { ImageReference } from '../images/reference.ts'

export interface ImageCatalog {
  /** Full id, reference (tag, digest), or id prefix. Throws notFound `No such image: x` in Docker's words. */
  resolve(reference: string, platform?: Platform): ImageSummary
  /** Lower directories for overlayfs, topmost first, as paths relative to `layersRoot`. Pins nothing. */
  layerDirectories(imageId: string): { layersRoot: string; directories: string[] }
  /** The manifest that the image came with; undefined when the image is gone. */
  manifestOf(imageId: string): wire.OCIDescriptor | undefined
  /** Containers that use an image are asked for by image removal and list; core answers. */
  setUsage(usage: ImageUsage): void
  /** Bytes of all layers, each once, and of those that images with containers need. */
  layerUsage(): { totalBytes: number; usedBytes: number }
  /**
   * Makes an image from another one and a layer on top of it, and tags it. The layer's tar is read to its end; an error
   * of it is thrown and leaves nothing behind.
   */
  commit(request: CommitRequest): Promise<string>
  /** Called when a container is gone: layers that only it still held (its image was removed by force) can go. */
  containerRemoved(imageId: string): void
}

export interface CommitRequest {
  parentId: string
  layer: AsyncIterable<Buffer>
  /** `docker commit` as the image's history and its own fields tell it. */
  created: {
    /** Unix nanoseconds. */
    atNs: string
    by: string
    author: string
    comment: string
  }
  config: ImageConfig
  /** The container that it is made from, and what was configured there. */
  container: { id: string; config: wire.ContainerConfig }
  reference?: ImageReference
}

export interface ImageUsage {
  /** Containers made from the image, with running ones marked. */
  containersOf(imageId: string): readonly { id: string; name: string; running: boolean }[]
}

export interface Platform {
  os: string
  architecture: string
  variant?: string
}

export interface ImageSummary {
  /** sha256:… of the image configuration. */
  id: string
  platform: Platform
  config: ImageConfig
  sizeBytes: number
}

/** The `config` object of an OCI image configuration, as stored; https://github.com/opencontainers/image-spec/blob/main/config.md */
export interface ImageConfig {
  User?: string
  ExposedPorts?: Record<string, Record<string, never>>
  Env?: string[]
  Entrypoint?: string[] | null
  Cmd?: string[] | null
  Volumes?: Record<string, Record<string, never>>
  WorkingDir?: string
  Labels?: Record<string, string>
  StopSignal?: string
  Healthcheck?: {
    Test?: string[]
    Interval?: number
    Timeout?: number
    StartPeriod?: number
    StartInterval?: number
    Retries?: number
  }
  Shell?: string[]
  OnBuild?: string[]
  ArgsEscaped?: boolean
}

/** Rows that the images package keeps; implemented by the store. All calls are synchronous, short transactions. */
export interface ImageRecords {
  putImage(image: ImageRow): void
  getImage(id: string): ImageRow | undefined
  listImages(): ImageRow[]
  deleteImage(id: string): void
  /**
   * Normalised references: `docker.io/library/alpine:latest` or `…@sha256:…`; at most one image each. `indexDigest`: the
   * index that is meant, of which the image is the variant that serves this machine best.
   */
  setReference(reference: string, imageId: string, indexDigest?: string): void
  deleteReference(reference: string): void
  listReferences(): ReferenceRow[]
  /** Indexes that references name: images for several platforms. */
  putIndex(index: IndexRow): void
  listIndexes(): IndexRow[]
  deleteIndex(digest: string): void
  putLayer(layer: LayerRow): void
  getLayer(chainId: string): LayerRow | undefined
  listLayers(): LayerRow[]
  deleteLayer(chainId: string): void
  /** Blobs in the content store and leases that pin them while work is under way. */
  putBlob(blob: BlobRow): void
  getBlob(digest: string): BlobRow | undefined
  listBlobs(): BlobRow[]
  deleteBlob(digest: string): void
  transaction<T>(work: () => T extends Promise<unknown> ? never : T): T
}

export interface ImageRow {
  /** Digest of the configuration blob. */
  id: string
  /** Digest of the manifest in the content store. */
  manifestDigest: string
  manifestMediaType: string
  /** The raw configuration document. */
  configJson: string
  /** Chain ids, lowest first. */
  chainIds: string[]
  /** Blob digests (as compressed), lowest first. */
  blobDigests: string[]
  sizeBytes: number
  createdAtNs: string
  lastTaggedAtNs?: string
  parentId?: string
  /** Removed by force while containers are made from it: shown nowhere, but its layers stay until they are gone. */
  hidden?: boolean
  /** Of pulls under a signature policy, one for each reference, the newest last. */
  signatureVerdicts?: SignatureVerdict[]
}

/** Why an image was let in. Pulls that were refused leave nothing. */
export interface SignatureVerdict {
  /** `registry.example.com/app@sha256:…`: what the pulled name meant. */
  reference: string
  /** `accepted`: the policy asks for no signature. */
  verdict: 'verified' | 'accepted'
  /** The policy's rule that decided. */
  rule: string
  /** What the signature itself names. */
  signedReference?: string
  /** File of the public key. */
  key?: string
  fingerprint?: string
  checkedAtNs: string
}

export interface ReferenceRow {
  reference: string
  imageId: string
  indexDigest?: string
}

/** An image index or manifest list whose document is in the content store, and what is here of its manifests. */
export interface IndexRow {
  digest: string
  mediaType: string
  sizeBytes: number
  /** Digests of indexes within it that are here. */
  nestedDigests: string[]
  /** In the order of the document; those of nested indexes stand in their place. */
  entries: IndexEntry[]
}

export interface IndexEntry {
  /** As the index has it. */
  descriptor: wire.OCIDescriptor
  /** What the manifest consists of; absent until it was asked for. These blobs are kept while the index has a name. */
  content?: {
    /** For an image's manifest the image's id. */
    configDigest: string
    layerDigests: string[]
  }
}

export interface LayerRow {
  chainId: string
  diffId: string
  parentChainId?: string
  /** Short directory name below the layers root. */
  directory: string
  sizeBytes: number
}

export interface BlobRow {
  digest: string
  mediaType: string
  sizeBytes: number
  /** Repositories it is known to be in, for cross-repository mounts and resumed pulls. */
  sources: string[]
}
