/** For tests: an image service on a directory of its own, root filesystems and archives to feed it. */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import type { EngineEvent, ImageRecords, ProgressMessage } from '@dockerd-ts/core'
import { fakeImageRecords } from '@dockerd-ts/core/testing'
import { createImageService, type ImageServiceOptions } from '../create-image-service.ts'
import { encodeEntry, type NewEntry, tarEnd, tarPadding } from '../tar/writer.ts'
import { builtLayerProgram } from './layer-program.ts'

interface Teardown {
  teardown(work: () => unknown): void
}

export type Item = NewEntry & { data?: string | Buffer }

export function tar(...items: readonly Item[]): Buffer {
  const parts = items.flatMap(({ data = '', ...entry }) => {
    const bytes = Buffer.from(data)
    return [encodeEntry({ sizeBytes: bytes.length, ...entry }), bytes, tarPadding(bytes.length)]
  })
  return Buffer.concat([...parts, tarEnd])
}

export const digest = (data: Buffer | string) => `sha256:${createHash('sha256').update(data).digest('hex')}`

export function temporaryDirectory(t: Teardown): string {
  const path = mkdtempSync(join(tmpdir(), 'images-test-'))
  t.teardown(() => rmSync(path, { recursive: true, force: true }))
  return path
}

export async function testImages(
  t: Teardown,
  options: Partial<ImageServiceOptions> & { records?: ImageRecords; dataRoot?: string } = {},
) {
  const events: EngineEvent[] = []
  const dataRoot = options.dataRoot ?? temporaryDirectory(t)
  const records = options.records ?? fakeImageRecords()
  const images = createImageService({
    layerProgram: builtLayerProgram(),
    events: { publish: (event) => void events.push(event) },
    ...options,
    dataRoot,
    records,
  })
  await images.reconcile()
  t.teardown(() => images.close())
  return { ...images, events, dataRoot, records }
}

export type TestImages = Awaited<ReturnType<typeof testImages>>

export async function collect(stream: AsyncIterable<ProgressMessage>): Promise<ProgressMessage[]> {
  const messages: ProgressMessage[] = []
  for await (const message of stream) messages.push(message)
  return messages
}

export const never = new AbortController().signal

export const load = ({ service }: Pick<TestImages, 'service'>, archive: Buffer, quiet = true) =>
  collect(service.load({ archive: Readable.from([archive]), quiet, platforms: [], signal: never }))

export async function save({ service }: Pick<TestImages, 'service'>, ...references: string[]): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const chunk of await service.save({ references, platforms: [] })) parts.push(chunk as Buffer)
  return Buffer.concat(parts)
}

export const list = ({ service }: Pick<TestImages, 'service'>, filters: Record<string, string[]> = {}, all = false) =>
  service.list({ all, filters, sharedSize: false, digests: false, manifests: false })

export interface MadeImage {
  id: string
  config: Buffer
  layers: Buffer[]
  /** A Docker archive with manifest.json. */
  archive: Buffer
}

/** A Docker archive of one image; every layer is a tar that is given, compressed or not. */
export function makeImage(request: {
  tags?: string[]
  layers: { tar: Buffer; blob?: Buffer }[]
  config?: object
  platform?: { os?: string; architecture?: string; variant?: string }
  created?: string
}): MadeImage {
  const { tags = [], layers, created = '2024-01-02T03:04:05.678Z' } = request
  const config = Buffer.from(
    JSON.stringify({
      architecture: 'amd64',
      os: 'linux',
      ...request.platform,
      config: request.config ?? {},
      created,
      history: layers.map((_, index) => ({ created, created_by: `step ${index}` })),
      rootfs: { type: 'layers', diff_ids: layers.map((layer) => digest(layer.tar)) },
    }),
  )
  const manifest = [
    { Config: 'config.json', RepoTags: tags, Layers: layers.map((_, index) => `layer${index}/layer.tar`) },
  ]
  const blobs = layers.map((layer) => layer.blob ?? layer.tar)
  const archive = tar(
    { name: 'manifest.json', type: 'file', data: JSON.stringify(manifest) },
    ...blobs.map((data, index): Item => ({ name: `layer${index}/layer.tar`, type: 'file', data })),
    { name: 'config.json', type: 'file', data: config },
  )
  return { id: digest(config), config, layers: blobs, archive }
}

/** Every name below a directory, sorted. */
export const tree = (path: string): string[] =>
  execFileSync('find', [path, '-mindepth', '1', '-printf', '%P\\n'], { encoding: 'utf8' })
    .split('\n')
    .filter(Boolean)
    .sort()

export const busybox = (): Buffer => readFileSync('/bin/busybox')
