/** Debian's docker-registry on loopback with one image in it, put there by plain HTTP. */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { gzipSync } from 'node:zlib'
import { dockerRegistry } from '../../packages/images/src/testing/docker-registry.ts'
import { busyboxRootfs } from './images.ts'

const digestOf = (bytes: Buffer | string) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`

/** Holds `HOST/seed:1`: busybox in one layer. */
export async function seededRegistry(t: Parameters<typeof dockerRegistry>[0]): Promise<{ host: string }> {
  const { host } = await dockerRegistry(t)
  // Not a layer that the daemon under test has already.
  const tar = busyboxRootfs('from a registry\n')
  const layer = readFileSync(tar)
  rmSync(dirname(tar), { recursive: true })
  const compressed = gzipSync(layer, { level: 1 })
  const architecture = execFileSync('dpkg', ['--print-architecture'], { encoding: 'utf8' }).trim()
  const config = JSON.stringify({
    architecture,
    os: 'linux',
    config: { Cmd: ['sh'], Env: ['PATH=/bin'] },
    rootfs: { type: 'layers', diff_ids: [digestOf(layer)] },
    history: [{ created: '2026-01-01T00:00:00Z', created_by: 'test' }],
    created: '2026-01-01T00:00:00Z',
  })
  const docker = 'application/vnd.docker'
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: `${docker}.distribution.manifest.v2+json`,
    config: { mediaType: `${docker}.container.image.v1+json`, size: config.length, digest: digestOf(config) },
    layers: [
      { mediaType: `${docker}.image.rootfs.diff.tar.gzip`, size: compressed.length, digest: digestOf(compressed) },
    ],
  })
  await upload(host, compressed)
  await upload(host, Buffer.from(config))
  await expectCreated(`http://${host}/v2/seed/manifests/1`, {
    method: 'PUT',
    headers: { 'Content-Type': `${docker}.distribution.manifest.v2+json` },
    body: manifest,
  })
  return { host }
}

async function upload(host: string, bytes: Buffer): Promise<void> {
  const begun = await fetch(`http://${host}/v2/seed/blobs/uploads/`, { method: 'POST' })
  const location = begun.headers.get('location') ?? ''
  const url = new URL(location, `http://${host}`)
  url.searchParams.set('digest', digestOf(bytes))
  const body = new Uint8Array(bytes)
  await expectCreated(url, { method: 'PUT', headers: { 'Content-Type': 'application/octet-stream' }, body })
}

async function expectCreated(url: string | URL, init: RequestInit): Promise<void> {
  const { status } = await fetch(url, init)
  if (status !== 201) throw new Error(`the registry answered ${status} to PUT ${url}`)
}
