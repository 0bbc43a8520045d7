/**
 * Packs a program as the image hello-world:latest: an archive that `load` of this engine and of Docker reads. Nothing in
 * it depends on the time or the place of the build, so equal programs give equal images.
 * Usage: pack.ts PROGRAM ARCHITECTURE ARCHIVE
 */
import { createHash } from 'node:crypto'
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { encodeEntry, type NewEntry, tarEnd, tarPadding } from '@dockerd-ts/images'

const [programPath = '', architecture = '', archivePath = ''] = process.argv.slice(2)
if (archivePath === '') {
  process.stderr.write('usage: pack.ts PROGRAM ARCHITECTURE ARCHIVE\n')
  process.exit(2)
}

const created = '2025-01-01T00:00:00Z'
const mtimeNs = BigInt(Date.parse(created)) * 1_000_000n

function tar(files: readonly { name: string; data: Buffer; mode?: number }[]): Buffer {
  const parts = files.flatMap(({ name, data, mode = 0o644 }) => {
    const entry: NewEntry = { name, type: 'file', mode, sizeBytes: data.length, mtimeNs }
    return [encodeEntry(entry), data, tarPadding(data.length)]
  })
  return Buffer.concat([...parts, tarEnd])
}

const digestOf = (data: Buffer) => createHash('sha256').update(data).digest('hex')
const json = (document: unknown) => Buffer.from(JSON.stringify(document))

const layer = tar([{ name: 'hello', data: readFileSync(programPath), mode: 0o755 }])
const config = json({
  architecture,
  config: {
    Cmd: ['/hello'],
    Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
    WorkingDir: '/',
  },
  created,
  history: [
    { created, created_by: 'COPY hello / # dockerd-ts' },
    { created, created_by: 'CMD ["/hello"]', empty_layer: true },
  ],
  os: 'linux',
  rootfs: { type: 'layers', diff_ids: [`sha256:${digestOf(layer)}`] },
})
const descriptor = (mediaType: string, data: Buffer) => ({
  mediaType: `application/vnd.oci.image.${mediaType}`,
  digest: `sha256:${digestOf(data)}`,
  size: data.length,
})
const manifest = json({
  schemaVersion: 2,
  mediaType: 'application/vnd.oci.image.manifest.v1+json',
  config: descriptor('config.v1+json', config),
  layers: [descriptor('layer.v1.tar', layer)],
})
const index = json({
  schemaVersion: 2,
  mediaType: 'application/vnd.oci.image.index.v1+json',
  manifests: [
    {
      ...descriptor('manifest.v1+json', manifest),
      annotations: {
        'io.containerd.image.name': 'docker.io/library/hello-world:latest',
        'org.opencontainers.image.ref.name': 'latest',
      },
    },
  ],
})
const blob = (data: Buffer) => ({ name: `blobs/sha256/${digestOf(data)}`, data })
const dockerManifest = [{ Config: blob(config).name, RepoTags: ['hello-world:latest'], Layers: [blob(layer).name] }]
const archive = tar([
  blob(layer),
  blob(config),
  blob(manifest),
  { name: 'index.json', data: index },
  { name: 'manifest.json', data: json(dockerManifest) },
  { name: 'oci-layout', data: json({ imageLayoutVersion: '1.0.0' }) },
])
// A daemon may be reading the old one.
writeFileSync(`${archivePath}.tmp`, archive)
renameSync(`${archivePath}.tmp`, archivePath)
