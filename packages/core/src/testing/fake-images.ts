/** A catalog of images in memory. */
import { notFound } from '../errors/engine-error.ts'
import type { CommitRequest, ImageCatalog, ImageSummary, ImageUsage } from '../ports/images.ts'

export interface FakeImages extends ImageCatalog {
  /** Of every image. */
  manifest: ReturnType<ImageCatalog['manifestOf']>
  readonly images: Map<string, ImageSummary>
  usage: ImageUsage | undefined
  /** Images of removed containers. */
  readonly released: string[]
  readonly commits: (CommitRequest & { layerText: string })[]
}

/** One image, `busybox`, with a command of its own. */
export function fakeImages(): FakeImages {
  const busybox: ImageSummary = {
    id: `sha256:${'b'.repeat(64)}`,
    platform: { os: 'linux', architecture: 'amd64' },
    config: { Env: ['PATH=/bin'], Cmd: ['sh'], Labels: { from: 'image' } },
    sizeBytes: 1000,
  }
  const images = new Map([['busybox', busybox]])
  const fake: FakeImages = {
    manifest: undefined,
    images,
    usage: undefined,
    released: [],
    commits: [],
    resolve: (reference) => {
      const found =
        images.get(reference.replace(/:latest$/, '')) ?? [...images.values()].find(({ id }) => id === reference)
      if (found === undefined)
        throw notFound(`No such image: ${reference.includes(':') ? reference : `${reference}:latest`}`)
      return found
    },
    manifestOf: () => fake.manifest,
    layerDirectories: () => ({ layersRoot: '/layers', directories: ['l1'] }),
    commit: async (request) => {
      const parts: Buffer[] = []
      for await (const chunk of request.layer) parts.push(chunk)
      fake.commits.push({ ...request, layerText: Buffer.concat(parts).toString() })
      return `sha256:${'c'.repeat(64)}`
    },
    layerUsage: () => ({ totalBytes: 1000, usedBytes: 0 }),
    setUsage: (usage) => {
      fake.usage = usage
    },
    containerRemoved: (imageId) => void fake.released.push(imageId),
  }
  return fake
}
