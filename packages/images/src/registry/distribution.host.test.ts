/** What the OCI distribution specification lets a registry do, and a client has to cope with. */
import { randomBytes } from 'node:crypto'
import type { Logger } from '@dockerd-ts/core'
import t from 'tap'
import {
  collect,
  digest,
  type Item,
  list,
  load,
  makeImage,
  never,
  save,
  type TestImages,
  tar,
  testImages,
} from '../testing/test-images.ts'
import { type UploadRegistry, uploadRegistry } from '../testing/upload-registry.ts'

const file = (name: string, data: string | Buffer): Item => ({ name, type: 'file', data })
const small = tar(file('small', 'x'))
const big = tar(file('big', randomBytes(20_000_000)))
const quick = { registry: { retryDelayMs: 1 } }
const ociIndex = 'application/vnd.oci.image.index.v1+json'
const ociManifest = 'application/vnd.oci.image.manifest.v1+json'

const pull = ({ service }: TestImages, image: string, more: object = {}) =>
  collect(service.pull({ image, tag: '1', signal: never, ...more }))
const push = ({ service }: TestImages, image: string) => collect(service.push({ image, tag: '1', signal: never }))

async function loaded(t: Parameters<typeof uploadRegistry>[0], layer = small) {
  const registry = await uploadRegistry(t)
  const images = await testImages(t, quick)
  const made = makeImage({ tags: [`${registry.host}/app:1`], layers: [{ tar: layer }] })
  await load(images, made.archive)
  return { registry, images, made, image: `${registry.host}/app` }
}

const isStored = ({ content }: UploadRegistry, layer: Buffer) =>
  content.get(`app/blobs/${digest(layer)}`)?.data.equals(layer) === true && content.has('app/manifests/1')

t.test('each step of an upload may be sent elsewhere', async (t) => {
  for (const status of [307, 308]) {
    const { registry, images, image } = await loaded(t)
    registry.bend = ({ method, headers }, response, url) => {
      if (method === 'GET' || method === 'HEAD' || url.searchParams.has('moved')) return false
      t.not(headers['content-length'], undefined)
      url.searchParams.set('moved', method ?? '')
      response.writeHead(status, { location: url.pathname + url.search }).end()
      return true
    }
    await push(images, image)
    t.ok(isStored(registry, small), `${status}`)
  }
})

t.test('redirects that change the method are no answer to a write', async (t) => {
  const { registry, images, image } = await loaded(t)
  registry.bend = ({ method }, response, url) => {
    if (method !== 'POST') return false
    response.writeHead(303, { location: url.href }).end()
    return true
  }
  await t.rejects(push(images, image), { message: 'received unexpected HTTP status: 303 See Other' })
})

t.test('a location is taken as it is written: whole, from the root or beside, with its own parameters', async (t) => {
  const locations = [
    (registry: UploadRegistry) => `http://${registry.host}/v2/app/blobs/uploads/u0?_state=a%20b+c~%2F&x`,
    () => '/v2/app/blobs/uploads/u0?_state=a%20b+c~%2F&x',
    () => 'u0?_state=a%20b+c~%2F&x',
    () => '?_state=a%20b+c~%2F&x',
  ]
  for (const location of locations) {
    const { registry, images, image } = await loaded(t)
    registry.bend = ({ method }, response) => {
      if (method !== 'POST') return false
      registry.uploads.clear()
      response.writeHead(202, { location: location(registry) }).end()
      return true
    }
    await push(images, image)
    t.ok(isStored(registry, small))
    const puts = registry.seen.filter(({ method, path }) => method === 'PUT' && path.includes('/uploads/'))
    t.equal(puts.length, 2)
    for (const { path } of puts) t.match(path, /\?_state=a%20b\+c~%2F&x&digest=sha256%3A[a-f0-9]{64}$/)
  }
})

t.test('chunks are as large as the registry wants them', async (t) => {
  const { registry, images, image } = await loaded(t, big)
  const sizes: number[] = []
  registry.bend = ({ method, headers }, response, url) => {
    const length = Number(headers['content-length'])
    if (method === 'PUT' && length > 1_000_000) return !!response.writeHead(413).end()
    if (method === 'PATCH') sizes.push(length)
    if (method === 'POST') response.setHeader('oci-chunk-min-length', String(9 * 1024 * 1024))
    return url.pathname === ''
  }
  await push(images, image)
  t.ok(isStored(registry, big))
  t.same(sizes, [9 * 2 ** 20, 9 * 2 ** 20, big.length - 18 * 2 ** 20])
})

t.test(
  'a registry that lost a chunk says where it is and gets it again; one that always does is given up',
  async (t) => {
    for (const losses of [2, 99]) {
      const { registry, images, image } = await loaded(t, big)
      let left = losses
      registry.bend = ({ method, headers }, response, url) => {
        if (method === 'PUT' && Number(headers['content-length']) > 1_000_000) return !!response.writeHead(413).end()
        const start = Number(headers['content-range']?.split('-')[0] ?? 0)
        if (method !== 'PATCH' || start === 0 || left-- <= 0) return false
        registry.uploads.set(url.pathname.split('/').at(-1) ?? '', big.subarray(0, start - 1_000_000))
        return false
      }
      if (losses === 2) {
        await push(images, image)
        t.ok(isStored(registry, big))
      } else await t.rejects(push(images, image), { message: 'registry makes no progress with the upload' })
      t.ok(registry.calls.includes('GET /v2/app/blobs/uploads/ID'), 'it was asked how far it is')
    }
  },
)

t.test('HEAD may be unknown, or answered without digest and length', async (t) => {
  for (const kind of ['unknown', 'bare']) {
    const { registry, images, made, image } = await loaded(t)
    registry.bend = ({ method }, response, url) => {
      if (method !== 'HEAD') return false
      if (kind === 'unknown') response.writeHead(405).end()
      else {
        response.removeHeader('content-length')
        response.writeHead(registry.content.has(url.pathname.slice(4)) ? 200 : 404).end()
      }
      return true
    }
    await push(images, image)
    t.ok(isStored(registry, small), kind)
    const messages = await pull(images, image)
    t.equal(messages.at(-1)?.status, `Status: Image is up to date for ${image}:1`)
    t.ok(registry.calls.includes('GET /v2/app/manifests/1'), 'asked for it whole')
    t.equal((await list(images))[0]?.Id, made.id)
    if (kind === 'bare') t.ok((await push(images, image)).some(({ status }) => status === 'Layer already exists'))
  }
})

t.test('warnings of a registry are logged, each once, and only those that are for users', async (t) => {
  const logged: unknown[] = []
  const logger = { warn: (about: object, text: string) => logged.push({ ...about, text }) } as unknown as Logger
  const registry = await uploadRegistry(t)
  registry.add('app', '1', makeImage({ layers: [{ tar: small }] }))
  registry.bend = (_request, response) => {
    response.setHeader('warning', [
      '299 - "it \\"goes\\" away, soon"',
      '299 - "two"',
      '110 - "stale"',
      '299 other "no"',
    ])
    return false
  }
  const images = await testImages(t, { ...quick, logger })
  await pull(images, `${registry.host}/app`)
  const about = { registry: `http://${registry.host}`, repository: 'app', text: 'a registry warns' }
  t.same(logged, [
    { ...about, warning: 'it "goes" away, soon' },
    { ...about, warning: 'two' },
  ])
})

t.test('all pages of a list of tags are read', async (t) => {
  const registry = await uploadRegistry(t)
  const made = makeImage({ layers: [{ tar: small }] })
  for (const tag of ['1', '2', '3']) registry.add('app', tag, made)
  registry.bend = (_request, response, url) => {
    if (!url.pathname.endsWith('/tags/list')) return false
    const page = Number(url.searchParams.get('page') ?? 1)
    response.writeHead(200, page < 3 ? { link: `</v2/app/tags/list?page=${page + 1}&n=1>; rel="next"` } : {})
    return !!response.end(JSON.stringify({ name: 'app', tags: [`${page}`] }))
  }
  const images = await testImages(t, quick)
  await pull(images, `${registry.host}/app`, { tag: undefined })
  t.same(
    (await list(images))[0]?.RepoTags?.toSorted(),
    ['1', '2', '3'].map((tag) => `${registry.host}/app:${tag}`),
  )
})

t.test('a server of tokens that is busy is asked again', async (t) => {
  const registry = await uploadRegistry(t)
  registry.add('app', '1', makeImage({ layers: [{ tar: small }] }))
  let busy = 2
  registry.bend = ({ headers }, response, url) => {
    if (url.pathname === '/token') {
      if (busy-- > 0) response.writeHead(429, { 'retry-after': '0' }).end()
      else response.writeHead(200).end('{"token":"good"}')
      return true
    }
    if (headers.authorization === 'Bearer good') return false
    response.writeHead(401, { 'www-authenticate': `Bearer realm="http://${registry.host}/token"` }).end()
    return true
  }
  const images = await testImages(t, quick)
  await pull(images, `${registry.host}/app`)
  t.equal((await list(images)).length, 1)
})

t.test('a mount that is not done becomes an upload', async (t) => {
  const { registry, images, image } = await loaded(t)
  await push(images, image)
  images.service.tag(`${image}:1`, { repository: `${registry.host}/other`, tag: '1' })
  await push(images, `${registry.host}/other`)
  const mounts = registry.seen.filter(({ path }) => path.startsWith('/v2/other/blobs/uploads/?mount='))
  t.not(mounts.length, 0)
  t.ok(registry.content.has(`other/blobs/${digest(small)}`))
})

t.test('what refers to another manifest is told by a tag where there is no referrers API, once', async (t) => {
  const registry = await uploadRegistry(t)
  const images = await testImages(t, quick)
  const subject = { mediaType: ociManifest, digest: digest('subject'), size: 7 }
  const document = (text: string) =>
    Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: ociManifest,
        artifactType: 'application/x.test',
        config: { mediaType: 'application/vnd.oci.empty.v1+json', digest: digest('{}'), size: 2 },
        layers: [],
        subject,
        annotations: { text },
      }),
    )
  const send = (text: string) =>
    images.service.pushManifest(`${registry.host}/app:${text}`, {
      manifest: { MediaType: ociManifest, Raw: document(text).toString('base64') },
      insecure: false,
      signal: never,
    })
  const tag = `app/manifests/${digest('subject').replace(':', '-')}`
  const told = () => JSON.parse(registry.content.get(tag)?.data.toString() ?? 'null')
  for (const text of ['one', 'two', 'two']) await send(text)
  const descriptor = (text: string) => ({
    mediaType: ociManifest,
    digest: digest(document(text)),
    size: document(text).length,
    artifactType: 'application/x.test',
    annotations: { text },
  })
  t.same(told(), { schemaVersion: 2, mediaType: ociIndex, manifests: ['one', 'two'].map(descriptor) })
  t.equal(registry.content.get(tag)?.type, ociIndex)

  registry.bend = ({ method }, response) => {
    if (method === 'PUT') response.setHeader('oci-subject', subject.digest)
    return false
  }
  await send('three')
  t.equal(told().manifests.length, 2, 'the registry does it itself')
})

t.test('an OCI manifest may leave out its version', async (t) => {
  const registry = await uploadRegistry(t)
  const made = makeImage({ layers: [{ tar: small }] })
  registry.add('app', '1', made)
  const entry = registry.content.get('app/manifests/1')
  const { schemaVersion: _, ...rest } = JSON.parse(entry?.data.toString() ?? '')
  registry.content.set('app/manifests/1', { data: Buffer.from(JSON.stringify(rest)), type: ociManifest })
  const images = await testImages(t, quick)
  await pull(images, `${registry.host}/app`)
  t.equal((await list(images))[0]?.Id, made.id)
  t.not((await save(images, `${registry.host}/app:1`)).length, 0)
})

t.test('names that look like digests are refused in Docker’s words', async (t) => {
  const { images, image } = await loaded(t)
  for (const tag of ['sha256:abc', 'sha512:abc', ':']) {
    await t.rejects(pull(images, image, { tag }), { kind: 'invalidArgument', message: 'invalid tag format' }, tag)
  }
  const pulled = collect(images.service.pull({ image: `${image}:sha256:abc`, signal: never }))
  await t.rejects(pulled, { kind: 'invalidArgument', message: 'invalid reference format' })
  const message = 'refusing to create an ambiguous tag using digest algorithm as name'
  await t.rejects(async () => images.service.tag(`${image}:1`, { repository: 'sha256', tag: 'abc' }), {
    kind: 'invalidArgument',
    message,
  })
  t.equal((await list(images))[0]?.RepoTags?.length, 1)
})

t.test('a registry without a search is searched by its list of repositories', async (t) => {
  const registry = await uploadRegistry(t)
  const asked: string[] = []
  registry.bend = ({ headers }, response, url) => {
    const { pathname, searchParams } = url
    if (pathname === '/token') {
      asked.push(searchParams.get('scope') ?? '')
      response.writeHead(200).end('{"token":"good"}')
    } else if (pathname.startsWith('/v1/')) response.writeHead(404).end()
    else if (headers.authorization !== 'Bearer good') {
      response.writeHead(401, { 'www-authenticate': `Bearer realm="http://${registry.host}/token"` }).end()
    } else if (pathname === '/v2/_catalog') {
      const last = searchParams.has('last')
      const more = { link: '</v2/_catalog?n=1000&last=b>; rel="next"' }
      const repositories = last ? ['team/app'] : ['app', 'other', 'my-app-2']
      response.writeHead(200, last ? {} : more).end(JSON.stringify({ repositories }))
    } else return false
    return true
  }
  const images = await testImages(t, quick)
  const search = async (more: object = {}) => {
    const found = await images.service.search({ term: `${registry.host}/app`, filters: {}, ...more })
    return found.map(({ name, star_count, is_official }) => `${name} ${star_count} ${is_official}`)
  }
  const all = ['app 0 false', 'my-app-2 0 false', 'team/app 0 false']
  t.same(await search(), all)
  t.same(await search({ limit: 2 }), all.slice(0, 2))
  t.same(await search({ filters: { 'is-official': ['false'], stars: ['0'] } }), all)
  t.same(await search({ filters: { 'is-official': ['true'] } }), [])
  t.same(await search({ filters: { stars: ['1'] } }), [])
  t.ok(asked.length > 0 && asked.every((scope) => scope === 'registry:catalog:*'))
  registry.bend = (_request, response) => !!response.writeHead(404).end()
  await t.rejects(search(), { message: 'Unexpected status code 404' })
})
