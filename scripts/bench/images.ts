/** Images for the benchmark: made in memory, the same bytes for every engine, and put into a registry by the bench itself. */
import { createHash, randomBytes } from 'node:crypto'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { digest, type Item, tar } from '../../packages/images/src/testing/test-images.ts'

const LAYERS = 5
const LAYER_MIB = 20

export interface BenchImage {
  /** Of the uncompressed layers: what MB/s counts. */
  bytes: number
  diffIds: string[]
  /** A Docker archive with plain layers. */
  archive: Buffer
}

/** Half of each layer is noise and half is text, so that it compresses as layers do. */
function layer(index: number): Buffer {
  const half = (LAYER_MIB / 2) * 2 ** 20
  const line = 'the quick brown fox jumps over the lazy dog 0123456789 '
  const text = Buffer.alloc(half)
  for (let at = 0, count = 0; at < half; count += 1) at += text.write(`${index}:${count} ${line.repeat(count % 9)}`, at)
  return tar(
    { name: `l${index}`, type: 'directory' },
    { name: `l${index}/noise`, type: 'file', data: randomBytes(half) },
    { name: `l${index}/text`, type: 'file', data: text },
  )
}

function configuration(diffIds: readonly string[]): Buffer {
  const created = '2024-01-01T00:00:00Z'
  return Buffer.from(
    JSON.stringify({
      architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
      os: 'linux',
      created,
      config: { Cmd: ['/none'] },
      rootfs: { type: 'layers', diff_ids: diffIds },
      history: diffIds.map(() => ({ created, created_by: 'bench' })),
    }),
  )
}

const sha = (data: Buffer) => createHash('sha256').update(data).digest('hex')

export function makeArchive(reference: string): BenchImage {
  const layers = Array.from({ length: LAYERS }, (_, index) => layer(index))
  const diffIds = layers.map(digest)
  const config = configuration(diffIds)
  const configName = `${sha(config)}.json`
  const files: Item[] = layers.map((data, index) => ({ name: `layer${index}/layer.tar`, type: 'file', data }))
  const manifest = [{ Config: configName, RepoTags: [reference], Layers: files.map(({ name }) => name) }]
  const archive = tar(
    ...files,
    { name: configName, type: 'file', data: config },
    { name: 'manifest.json', type: 'file', data: JSON.stringify(manifest) },
  )
  return { bytes: layers.reduce((sum, { length }) => sum + length, 0), diffIds, archive }
}

/** Puts an image of gzip layers under `host/repository:v1`. */
export async function publish(host: string, repository: string): Promise<Omit<BenchImage, 'archive'>> {
  const plain = Array.from({ length: LAYERS }, (_, index) => layer(index))
  const diffIds = plain.map(digest)
  const blobs = await Promise.all(plain.map((data) => promisify(gzip)(data, { level: 6 })))
  const config = configuration(diffIds)
  for (const blob of [...blobs, config]) await upload(host, repository, blob)
  const manifestType = 'application/vnd.docker.distribution.manifest.v2+json'
  const descriptor = (mediaType: string, data: Buffer) => ({ mediaType, size: data.length, digest: digest(data) })
  const manifest = {
    schemaVersion: 2,
    mediaType: manifestType,
    config: descriptor('application/vnd.docker.container.image.v1+json', config),
    layers: blobs.map((blob) => descriptor('application/vnd.docker.image.rootfs.diff.tar.gzip', blob)),
  }
  const url = `http://${host}/v2/${repository}/manifests/v1`
  await checked(
    fetch(url, { method: 'PUT', headers: { 'content-type': manifestType }, body: JSON.stringify(manifest) }),
  )
  return { bytes: plain.reduce((sum, { length }) => sum + length, 0), diffIds }
}

async function upload(host: string, repository: string, data: Buffer): Promise<void> {
  const start = await checked(fetch(`http://${host}/v2/${repository}/blobs/uploads/`, { method: 'POST' }))
  const target = new URL(start.headers.get('location') ?? '', `http://${host}`)
  target.searchParams.set('digest', digest(data))
  await checked(fetch(target, { method: 'PUT', body: new Uint8Array(data) }))
}

async function checked(answer: Promise<Response>): Promise<Response> {
  const response = await answer
  if (!response.ok) throw new Error(`registry: ${response.status} ${await response.text()}`)
  await response.arrayBuffer()
  return response
}
