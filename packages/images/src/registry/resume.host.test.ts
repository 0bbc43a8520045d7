/** Downloads that are cut go on where they ended, over the daemon's death too; pushes that fail begin again or go on. */
import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import t from 'tap'
import { type ScriptedRegistry, scriptedRegistry } from '../testing/scripted-registry.ts'
import {
  collect,
  digest,
  type Item,
  load,
  makeImage,
  never,
  type TestImages,
  tar,
  testImages,
  tree,
} from '../testing/test-images.ts'

const file = (name: string, data: string | Buffer): Item => ({ name, type: 'file', data })
const big = tar(file('big', randomBytes(20_000_000)))
const bigPath = `/v2/app/blobs/${digest(big)}`
const quick = { registry: { retryDelayMs: 1 } }

const pull = ({ service }: TestImages, image: string) => collect(service.pull({ image, tag: '1', signal: never }))
const push = ({ service }: TestImages, image: string, more: object = {}) =>
  collect(service.push({ image, tag: '1', signal: never, ...more }))

async function withBigLayer(t: Parameters<typeof scriptedRegistry>[0]) {
  const registry = await scriptedRegistry(t)
  registry.add('app', '1', makeImage({ layers: [{ tar: big }] }))
  return { registry, image: `${registry.host}/app` }
}

t.test('a download that the daemon’s death cut goes on where it ended, and is verified', async (t) => {
  const { registry, image } = await withBigLayer(t)
  const first = await testImages(t, { registry: { retryDelayMs: 1, maxDownloadAttempts: 1 } })
  const half = big.length >> 1
  registry.script = (request, response) => {
    if (request.path !== bigPath) return false
    response.writeHead(200, { 'content-length': big.length })
    response.write(big.subarray(0, half), () => response.destroy())
    return true
  }
  await t.rejects(pull(first, image))
  const kept = join(first.dataRoot, 'content/partial', digest(big).slice(7))
  t.ok(statSync(kept).size > 0 && statSync(kept).size <= half, 'what came is kept')
  const had = statSync(kept).size
  await first.close()

  // Another daemon on the same directory.
  const second = await testImages(t, { dataRoot: first.dataRoot, records: first.records, ...quick })
  registry.script = () => false
  registry.seen.length = 0
  await pull(second, image)
  const asked = registry.seen.filter(({ path, method }) => path === bigPath && method === 'GET')
  t.same(
    asked.map(({ range }) => range),
    [`bytes=${had}-`],
  )
  t.same(tree(join(second.dataRoot, 'content/partial')), [])
})

t.test('a kept part that was damaged costs one more download, and is never believed', async (t) => {
  const { registry, image } = await withBigLayer(t)
  const images = await testImages(t, quick)
  const partial = join(images.dataRoot, 'content/partial')
  mkdirSync(partial, { recursive: true })
  writeFileSync(join(partial, digest(big).slice(7)), Buffer.alloc(big.length >> 1, 'rubbish'))
  await pull(images, image)
  const asked = registry.seen.filter(({ path, method }) => path === bigPath && method === 'GET')
  t.same(
    asked.map(({ range }) => range),
    [`bytes=${big.length >> 1}-`, undefined],
  )
  const blob = readFileSync(join(images.dataRoot, 'content/blobs/sha256', digest(big).slice(7)))
  t.equal(digest(blob), digest(big))
})

/** Uploads as the distribution specification has them, on a scripted registry; `refuse` is asked first. */
function takeUploads(
  registry: ScriptedRegistry,
  refuse: (request: IncomingMessage, response: ServerResponse) => boolean = () => false,
) {
  const uploads = new Map<string, Buffer>()
  const stored = new Map<string, Buffer>()
  const calls: string[] = []
  registry.script = (_seen, response, _found, request) => {
    void answer(request, response)
    return true
  }
  async function answer(request: IncomingMessage, response: ServerResponse) {
    const url = new URL(request.url ?? '', `http://${registry.host}`)
    calls.push(`${request.method} ${url.pathname.replace(/uploads\/.+/, 'uploads/ID')}`)
    if (refuse(request, response)) return
    const body = await buffer(request).catch(() => undefined)
    if (body === undefined) return
    if (url.pathname === '/v2/') return void response.writeHead(200).end()
    if (request.method === 'HEAD') return void response.writeHead(404).end()
    if (request.method === 'POST') {
      const id = String(uploads.size)
      uploads.set(id, Buffer.alloc(0))
      return void response.writeHead(202, { location: `/v2/app/blobs/uploads/${id}` }).end()
    }
    const id = url.pathname.split('/').at(-1) ?? ''
    if (url.pathname.includes('/manifests/')) return void response.writeHead(201).end()
    const data = Buffer.concat([uploads.get(id) ?? Buffer.alloc(0), body])
    if (request.method === 'PATCH') {
      const from = Number(/^(\d+)-/.exec(request.headers['content-range'] ?? '')?.[1])
      if (from !== data.length - body.length) return void response.writeHead(416).end()
    }
    uploads.set(id, data)
    const range = { location: url.pathname, range: `0-${data.length - 1}` }
    if (request.method !== 'PUT') return void response.writeHead(202, range).end()
    const wanted = url.searchParams.get('digest') ?? ''
    if (digest(data) !== wanted) return void response.writeHead(400).end()
    stored.set(wanted, data)
    response.writeHead(201, { location: `/v2/app/blobs/${wanted}` }).end()
  }
  return { stored, calls }
}

async function loaded(t: Parameters<typeof scriptedRegistry>[0]) {
  const registry = await scriptedRegistry(t)
  const images = await testImages(t, quick)
  await load(images, makeImage({ tags: [`${registry.host}/app:1`], layers: [{ tar: big }] }).archive)
  return { registry, images, image: `${registry.host}/app` }
}

t.test('busy and broken registries are asked again, after as long as they say', async (t) => {
  const { registry, images, image } = await loaded(t)
  const statuses = [429, 503, 502]
  let refusedAtMs = 0
  let waitedMs = 0
  const { stored } = takeUploads(registry, (request, response) => {
    if (request.method !== 'PUT' || !request.url?.includes('uploads')) return false
    if (refusedAtMs > 0 && waitedMs === 0) waitedMs = Date.now() - refusedAtMs
    const status = statuses.shift()
    if (status === undefined) return false
    if (status === 429) refusedAtMs = Date.now()
    request.resume()
    response.writeHead(status, status === 429 ? { 'retry-after': '1' } : {}).end()
    return true
  })
  const messages = await push(images, image)
  t.same(statuses, [])
  t.ok(stored.get(digest(big))?.equals(big))
  t.ok(waitedMs >= 900, `waited ${waitedMs} ms`)
  t.ok(messages.some(({ status }) => status === 'Retrying in 1 second'))
  t.match(messages.at(-1)?.aux, { Tag: '1' })
})

t.test('a registry that stays busy is told in words', async (t) => {
  const { registry, images, image } = await loaded(t)
  takeUploads(registry, (request, response) => {
    if (request.method !== 'POST') return false
    response.writeHead(429, { 'retry-after': '3600' }).end()
    return true
  })
  await t.rejects(push(images, image), { message: 'toomanyrequests: too many requests' })
})

t.test('what takes no body of that size gets chunks, and a broken chunk goes on where the registry is', async (t) => {
  const { registry, images, image } = await loaded(t)
  let broken = 0
  const { stored, calls } = takeUploads(registry, (request, response) => {
    const isLarge = Number(request.headers['content-length']) > 10_000_000
    if (request.method === 'PUT' && isLarge) {
      request.resume()
      response.writeHead(413).end()
      return true
    }
    if (request.method === 'PATCH' && broken++ === 1) {
      request.socket.destroy()
      return true
    }
    return false
  })
  await push(images, image)
  t.ok(stored.get(digest(big))?.equals(big))
  t.equal(calls.filter((call) => call.startsWith('PATCH')).length, 4, 'three chunks, one of them twice')
  t.ok(calls.includes('GET /v2/app/blobs/uploads/ID'), 'the registry was asked how far it is')
})
