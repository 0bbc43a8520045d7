/** Finds the images of an archive: by Docker's manifest.json, or else by the index of an OCI layout. */
import {
  formatPlatform,
  type ImageReference,
  invalidArgument,
  isDigest,
  isEngineError,
  notFound,
  type Platform,
  parseReference,
  platformDistance,
} from '@dockerd-ts/core'
import * as z from 'zod'
import { type Descriptor, type Manifest, parse, parseImageConfig, parseIndex, parseManifest } from '../oci/documents.ts'
import { sha256 } from '../oci/identity.ts'
import type { IndexDocument } from '../oci/index-entries.ts'
import { isImageConfigType, isIndexType, isManifestType, mediaTypes } from '../oci/media-types.ts'
import type { ArchiveFiles } from './archive-files.ts'

export interface ArchiveImage {
  configData: Buffer
  /** Names in the archive, lowest layer first. */
  layerFiles: string[]
  references: ImageReference[]
  /** The manifest that the archive has for it; undefined: one is made. */
  manifest?: { data: Buffer; mediaType: string }
  parentId?: string
}

/** An index with a name, and what the archive has of it. */
export interface ArchiveIndex {
  /** The outermost first. */
  documents: IndexDocument[]
  /** By digest, those that are in the archive whole. Images among them are among the archive's images too. */
  manifests: Map<string, Manifest>
  references: ImageReference[]
}

export interface ArchiveContents {
  images: ArchiveImage[]
  indexes: ArchiveIndex[]
}

const dockerManifest = z
  .array(
    z.object({
      Config: z.string(),
      RepoTags: z.array(z.string()).nullish(),
      Layers: z.array(z.string()).max(1000).nullish(),
      Parent: z.string().optional(),
    }),
  )
  .max(10_000)

export interface PlatformChoice {
  host: Platform
  /** Empty: all of an index that has a name; else what serves the host best, or the only one there is. */
  wanted: readonly Platform[]
}

export async function findArchiveImages(files: ArchiveFiles, choice: PlatformChoice): Promise<ArchiveContents> {
  // Docker's manifest.json has no more than one platform of an image.
  const layout = files.has('index.json') && ((await hasIndexes(files)) || !files.has('manifest.json'))
  if (layout) return fromLayout(files, choice)
  if (files.has('manifest.json')) return { images: await fromDockerManifest(files, choice), indexes: [] }
  throw invalidArgument('invalid archive: does not contain a manifest.json or an index.json')
}

async function fromDockerManifest(files: ArchiveFiles, choice: PlatformChoice): Promise<ArchiveImage[]> {
  const items = parse(dockerManifest, await files.read('manifest.json'), 'manifest.json')
  const originals = await layoutManifests(files)
  const images: ArchiveImage[] = []
  for (const item of items) {
    const configData = await files.read(item.Config)
    checkRootFs(configData)
    checkPlatform(configData, choice)
    const layerFiles = item.Layers ?? []
    const manifest = originals.get(sha256(configData))?.find(({ layers }) =>
      sameList(
        layers.map((layer) => layer.digest),
        layerFiles.map((name) => files.digest(name)),
      ),
    )
    images.push({
      configData,
      layerFiles,
      references: (item.RepoTags ?? []).map(parseTag),
      ...(manifest && { manifest }),
      ...(item.Parent !== undefined && isDigest(item.Parent) && { parentId: item.Parent }),
    })
  }
  return images
}

const sameList = (a: readonly string[], b: readonly string[]) =>
  a.length === b.length && a.every((item, index) => item === b[index])

function parseTag(text: string): ImageReference {
  const reference = parseReference(text)
  if (reference.tag === undefined || reference.digest !== undefined) throw invalidArgument(`invalid tag "${text}"`)
  return reference
}

/** Docker's word for what is no image configuration at all. */
function checkRootFs(configData: Buffer): void {
  const { rootfs } = parse(z.looseObject({ rootfs: z.unknown().optional() }), configData, 'image configuration')
  if (rootfs === undefined || rootfs === null) throw invalidArgument('invalid image JSON, no RootFS key')
}

function checkPlatform(configData: Buffer, { wanted }: PlatformChoice): void {
  if (wanted.length === 0) return
  const platform = parseImageConfig(configData)
  const fits = wanted.some((want) => platformDistance(want, { ...platform, variant: platform.variant ?? '' }) === 0)
  if (!fits) throw platformMissing(wanted)
}

const platformMissing = (wanted: readonly Platform[]) =>
  notFound(`requested platform (${wanted.map(formatPlatform).join(', ')}) not found in the archive`)

interface OriginalManifest {
  data: Buffer
  mediaType: string
  layers: Descriptor[]
}

/** The manifests that index.json names directly, by the configuration they carry: their digests are to stay true. */
async function layoutManifests(files: ArchiveFiles): Promise<Map<string, OriginalManifest[]>> {
  const found = new Map<string, OriginalManifest[]>()
  if (!files.has('index.json')) return found
  for (const descriptor of parseIndex(await files.read('index.json')).manifests ?? []) {
    if (!isManifestType(descriptor.mediaType) || !files.hasBlob(descriptor.digest)) continue
    const data = await files.readBlob(descriptor.digest)
    const manifest = parseManifest(data)
    const list = found.get(manifest.config.digest) ?? []
    list.push({ data, mediaType: descriptor.mediaType, layers: manifest.layers })
    found.set(manifest.config.digest, list)
  }
  return found
}

const hasIndexes = async (files: ArchiveFiles): Promise<boolean> =>
  (parseIndex(await files.read('index.json')).manifests ?? []).some(
    ({ mediaType, digest }) => isIndexType(mediaType) && files.hasBlob(digest),
  )

async function fromLayout(files: ArchiveFiles, choice: PlatformChoice): Promise<ArchiveContents> {
  const images = new Map<string, ArchiveImage>()
  const indexes = new Map<string, ArchiveIndex>()
  const add = async (chosen: ChosenManifest) => {
    const image = images.get(chosen.manifest.config.digest) ?? (await archiveImage(files, chosen))
    images.set(chosen.manifest.config.digest, image)
    return image
  }
  for (const entry of parseIndex(await files.read('index.json')).manifests ?? []) {
    const name = nameOf(entry)
    const found = name && isIndexType(entry.mediaType) ? await findIndex(files, entry, choice) : undefined
    if (name !== undefined && found !== undefined) {
      for (const chosen of found.images) await add(chosen)
      const index = indexes.get(entry.digest) ?? { ...found, references: [] }
      indexes.set(entry.digest, { ...index, references: [...index.references, name] })
      continue
    }
    const chosen = await chooseManifest(files, entry, choice)
    if (chosen === undefined) continue
    const image = await add(chosen)
    checkPlatform(image.configData, choice)
    if (name !== undefined) image.references.push(name)
  }
  if (images.size === 0) throw invalidArgument('invalid archive: it has no image for this platform')
  return { images: [...images.values()], indexes: [...indexes.values()] }
}

async function archiveImage(files: ArchiveFiles, chosen: ChosenManifest): Promise<ArchiveImage> {
  const { manifest, data, mediaType } = chosen
  const configData = await files.readBlob(manifest.config.digest)
  checkRootFs(configData)
  return {
    configData,
    layerFiles: manifest.layers.map((layer) => `blobs/${layer.digest.replace(':', '/')}`),
    references: [],
    manifest: { data, mediaType },
  }
}

interface FoundIndex extends Omit<ArchiveIndex, 'references'> {
  images: ChosenManifest[]
}

/** Undefined when the archive has no image of it that could be one here. Throws notFound for a platform it lacks. */
async function findIndex(
  files: ArchiveFiles,
  entry: Descriptor,
  choice: PlatformChoice,
): Promise<FoundIndex | undefined> {
  const found: FoundIndex = { documents: [], manifests: new Map(), images: [] }
  await readIndex(files, entry, { found, choice, depth: 0 })
  if (found.images.length > 0) return found
  if (choice.wanted.length > 0 && found.documents.length > 0) throw platformMissing(choice.wanted)
  return undefined
}

async function readIndex(
  files: ArchiveFiles,
  { digest, mediaType }: Descriptor,
  { found, choice, depth }: { found: FoundIndex; choice: PlatformChoice; depth: number },
): Promise<void> {
  if (depth > maxIndexDepth || !files.hasBlob(digest)) return
  const data = await files.readBlob(digest)
  found.documents.push({ data, digest, mediaType })
  for (const child of parseIndex(data).manifests ?? []) {
    if (isIndexType(child.mediaType)) await readIndex(files, child, { found, choice, depth: depth + 1 })
    else await readChild(files, child, { found, choice })
  }
}

async function readChild(
  files: ArchiveFiles,
  child: Descriptor,
  { found, choice }: { found: FoundIndex; choice: PlatformChoice },
): Promise<void> {
  if (!isManifestType(child.mediaType) || !files.hasBlob(child.digest) || !isWanted(child, choice)) return
  const data = await files.readBlob(child.digest)
  const manifest = parseManifest(data)
  if (![manifest.config, ...manifest.layers].every(({ digest }) => files.hasBlob(digest))) return
  found.manifests.set(child.digest, manifest)
  // Images of other systems are kept, but nothing here could be made of them.
  const isImage = isImageConfigType(manifest.config.mediaType) && !isAttestation(child)
  const system = child.platform?.os ?? 'linux'
  if (isImage && system === 'linux') found.images.push({ manifest, data, mediaType: child.mediaType })
}

function isWanted({ platform }: Descriptor, { wanted }: PlatformChoice): boolean {
  if (wanted.length === 0) return true
  if (!platform) return false
  const offered = { os: platform.os, architecture: platform.architecture, variant: platform.variant ?? '' }
  return wanted.some((want) => platformDistance(want, offered) === 0)
}

/** containerd's full name, or a reference that stands where the specification has a tag. */
function nameOf({ annotations }: Descriptor): ImageReference | undefined {
  const full = annotations?.['io.containerd.image.name'] ?? annotations?.['org.opencontainers.image.ref.name']
  if (full === undefined || !/[/:]/.test(full)) return undefined
  try {
    const reference = parseReference(full)
    return reference.digest === undefined ? { ...reference, tag: reference.tag ?? 'latest' } : undefined
  } catch (error) {
    // An annotation is free text: what is no reference is no name.
    if (isEngineError(error)) return undefined
    throw error
  }
}

const maxIndexDepth = 3

interface ChosenManifest {
  manifest: Manifest
  data: Buffer
  mediaType: string
}

/** Undefined for what is no image (attestations, artifacts) or not in the archive. */
async function chooseManifest(
  files: ArchiveFiles,
  descriptor: Descriptor,
  choice: PlatformChoice,
  depth = 0,
): Promise<ChosenManifest | undefined> {
  if (!files.hasBlob(descriptor.digest) || depth > maxIndexDepth) return undefined
  const data = await files.readBlob(descriptor.digest)
  if (isManifestType(descriptor.mediaType)) {
    const manifest = parseManifest(data)
    if (!isImageConfigType(manifest.config.mediaType) || isAttestation(descriptor)) return undefined
    return { manifest, data, mediaType: descriptor.mediaType }
  }
  if (!isIndexType(descriptor.mediaType)) return undefined
  for (const candidate of byPlatform(parseIndex(data).manifests ?? [], choice)) {
    const chosen = await chooseManifest(files, candidate, choice, depth + 1)
    if (chosen !== undefined) return chosen
  }
  return undefined
}

const isAttestation = ({ annotations, platform }: Descriptor): boolean =>
  annotations?.['vnd.docker.reference.type'] !== undefined ||
  (platform?.os === 'unknown' && platform.architecture === 'unknown')

/** What serves the wanted platform (or the host), best first; entries without a platform last. */
export function byPlatform(descriptors: readonly Descriptor[], choice: PlatformChoice): Descriptor[] {
  const wanted = choice.wanted.length > 0 ? choice.wanted : [choice.host]
  const ranked = descriptors
    .filter((descriptor) => !isAttestation(descriptor))
    .flatMap((descriptor) => {
      const { platform } = descriptor
      if (!platform) return [{ descriptor, rank: Number.MAX_SAFE_INTEGER }]
      const offered = {
        os: platform.os,
        architecture: platform.architecture,
        ...(platform.variant && { variant: platform.variant }),
      }
      const ranks = wanted.flatMap((want) => platformDistance(want, offered) ?? [])
      return ranks.length === 0 ? [] : [{ descriptor, rank: Math.min(...ranks) }]
    })
  return ranked.sort((a, b) => a.rank - b.rank).map(({ descriptor }) => descriptor)
}

/** A manifest for an image that came without one. */
export function makeManifest(
  config: { data: Buffer },
  layers: readonly { mediaType: string; size: number; digest: string }[],
): { data: Buffer; mediaType: string } {
  const document = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: { mediaType: mediaTypes.ociConfig, digest: sha256(config.data), size: config.data.length },
    layers,
  }
  return { data: Buffer.from(JSON.stringify(document)), mediaType: mediaTypes.ociManifest }
}
