/** Pulls from a registry that breaks, lies, redirects and asks for tokens. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { type ScriptedRegistry, scriptedRegistry } from '../testing/scripted-registry.ts'
import {
  collect,
  digest,
  type Item,
  list,
  makeImage,
  never,
  type TestImages,
  tar,
  testImages,
  tree,
} from '../testing/test-images.ts'

const file = (name: string, data: string | Buffer): Item => ({ name, type: 'file', data })
const big = tar(file('big', randomBytes(3_000_000)))
const small = tar(file('small', 'x'))
const bigPath = `/v2/app/blobs/${digest(big)}`
const quick = { registry: { retryDelayMs: 1 } }

const pull = ({ service }: TestImages, image: string, more: object = {}) =>
  collect(service.pull({ image, tag: '1', signal: never, ...more }))

async function withApp(t: Parameters<typeof scriptedRegistry>[0]) {
  const registry = await scriptedRegistry(t)
  const made = makeImage({ layers: [{ tar: big }, { tar: small }] })
  const manifest = registry.add('app', '1', made)
  return { registry, made, manifest, image: `${registry.host}/app` }
}

const blobRequests = (registry: ScriptedRegistry, path: string) => registry.seen.filter((seen) => seen.path === path)

t.test('a broken download goes on where it broke', async (t) => {
  const { registry, made, image } = await withApp(t)
  let left = 2
  registry.script = (request, response, body) => {
    if (request.path !== bigPath || body === undefined || left-- <= 0) return false
    const start = Number(request.range?.slice(6, -1) ?? 0)
    response.writeHead(start > 0 ? 206 : 200, {
      'content-length': body.length - start,
      ...(start > 0 && { 'content-range': `bytes ${start}-${body.length - 1}/${body.length}` }),
    })
    response.write(body.subarray(start, start + 1_000_000), () => setImmediate(() => response.destroy()))
    return true
  }
  const images = await testImages(t, quick)
  const messages = await pull(images, image)
  t.equal((await list(images))[0]?.Id, made.id)
  const ranges = blobRequests(registry, bigPath).map(({ range }) => Number(range?.slice(6, -1) ?? 0))
  t.equal(ranges.length, 3)
  t.ok((ranges[1] ?? 0) > 0 && (ranges[2] ?? 0) > (ranges[1] ?? 0), `ranges ${ranges}`)
  t.ok(messages.some(({ status }) => status === 'Retrying in 1 second'))
})

t.test('a server that knows no ranges is read past what is here', async (t) => {
  const { registry, made, image } = await withApp(t)
  let first = true
  registry.script = (request, response, body) => {
    if (request.path !== bigPath || body === undefined) return false
    response.writeHead(200, { 'content-length': body.length })
    if (first) response.write(body.subarray(0, 1_000_000), () => setImmediate(() => response.destroy()))
    else response.end(body)
    first = false
    return true
  }
  const images = await testImages(t, quick)
  await pull(images, image)
  t.equal((await list(images))[0]?.Id, made.id)
})

t.test('busy registries are asked again, broken ones given up, each in words', async (t) => {
  const { registry, image } = await withApp(t)
  let refusals = 2
  registry.script = ({ path }, response) => {
    if (path !== bigPath || refusals-- <= 0) return false
    response.writeHead(503).end('busy')
    return true
  }
  const images = await testImages(t, { registry: { retryDelayMs: 1, maxDownloadAttempts: 3 } })
  await pull(images, image)
  t.equal((await list(images)).length, 1)
  const others = await testImages(t, { registry: { retryDelayMs: 1, maxDownloadAttempts: 3 } })
  refusals = 99
  await t.rejects(pull(others, image), { message: 'received unexpected HTTP status: 503 Service Unavailable' })
  t.equal((await list(others, {}, true)).length, 0)
  t.same(tree(join(others.dataRoot, 'content/staging')), [])
})

t.test('content that is not what its digest says is never stored', async (t) => {
  const lies: [string, (registry: ScriptedRegistry) => void, RegExp][] = [
    [
      'a layer',
      (registry) => registry.content.set(`app/blobs/${digest(big)}`, { data: Buffer.alloc(big.length), type: 'x' }),
      /does not match its digest/,
    ],
    [
      'a longer layer',
      (registry) => registry.content.set(`app/blobs/${digest(big)}`, { data: Buffer.concat([big, big]), type: 'x' }),
      /larger than/,
    ],
  ]
  for (const [label, lie, message] of lies) {
    const { registry, image } = await withApp(t)
    lie(registry)
    const images = await testImages(t, quick)
    await t.rejects(pull(images, image), { message }, label)
    t.equal(images.records.getBlob(digest(big)), undefined, label)
    t.same(tree(join(images.dataRoot, 'content/staging')), [], label)
  }
  const { registry, made, manifest, image } = await withApp(t)
  registry.content.set(`app/blobs/${made.id}`, { data: Buffer.from('{}'), type: 'x' })
  await t.rejects(pull(await testImages(t, quick), image), { message: /does not match its digest/ }, 'a configuration')
  registry.content.set(`app/manifests/${manifest}`, { data: Buffer.from('{"schemaVersion":2}'), type: 'x' })
  const byDigest = (await testImages(t, quick)).service.pull({ image, tag: manifest, signal: never })
  await t.rejects(collect(byDigest), { message: `manifest verification failed for digest ${manifest}` }, 'a manifest')
})

t.test('documents that are no images are refused', async (t) => {
  const registry = await scriptedRegistry(t)
  const images = await testImages(t, quick)
  const put = (document: unknown, type = 'application/vnd.oci.image.manifest.v1+json') =>
    registry.content.set('x/manifests/1', {
      data: Buffer.from(typeof document === 'string' ? document : JSON.stringify(document)),
      type,
    })
  const descriptor = (mediaType: string) => ({ mediaType, digest: digest('x'), size: 1 })
  const chart = { schemaVersion: 2, config: descriptor('application/vnd.cncf.helm.config.v1+json'), layers: [] }
  const cases: [string, unknown, string, RegExp][] = [
    [
      'schema 1',
      { schemaVersion: 1, name: 'x' },
      'application/vnd.docker.distribution.manifest.v1+prettyjws',
      /schema 1 support has been removed/,
    ],
    [
      'an artifact',
      chart,
      'application/vnd.oci.image.manifest.v1+json',
      /^unsupported media type application\/vnd.cncf.helm.config.v1\+json$/,
    ],
    [
      'a plugin',
      { ...chart, config: descriptor('application/vnd.docker.plugin.v1+json') },
      'application/vnd.docker.distribution.manifest.v2+json',
      /^Encountered remote "application\/vnd.docker.plugin.v1\+json"\(plugin\) when fetching$/,
    ],
    [
      'an attestation',
      {
        ...chart,
        config: descriptor('application/vnd.oci.image.config.v1+json'),
        layers: [descriptor('application/vnd.in-toto+json')],
      },
      'application/vnd.oci.image.manifest.v1+json',
      /^unsupported media type application\/vnd.in-toto\+json$/,
    ],
    ['no JSON', '<html>', 'text/html', /invalid manifest/],
    [
      'a bad digest',
      { ...chart, config: { ...chart.config, digest: 'sha256:../../etc' } },
      'application/vnd.oci.image.manifest.v1+json',
      /config.digest/,
    ],
    [
      'an index of itself',
      { schemaVersion: 2, manifests: null },
      'application/vnd.oci.image.index.v1+json',
      /no matching manifest for/,
    ],
    ['5 MB', `{"a":"${'x'.repeat(5_000_000)}"}`, 'application/vnd.oci.image.manifest.v1+json', /larger than/],
  ]
  for (const [label, document, type, message] of cases) {
    put(document, type)
    await t.rejects(pull(images, `${registry.host}/x`), { name: 'EngineError', message }, label)
  }
})

t.test('identical downloads share one transfer; who leaves does not stop the others', async (t) => {
  const { registry, made, image } = await withApp(t)
  let release = () => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  registry.script = ({ path }, response, body) => {
    if (path !== bigPath || body === undefined) return false
    response.writeHead(200, { 'content-length': body.length })
    response.write(body.subarray(0, 100_000))
    void held.then(() => response.end(body.subarray(100_000)))
    return true
  }
  const images = await testImages(t, quick)
  const leaving = new AbortController()
  const started = new Promise<void>((resolve) => {
    const check = () => (blobRequests(registry, bigPath).length > 0 ? resolve() : setImmediate(check))
    check()
  })
  const first = pull(images, image, { signal: leaving.signal })
  const others = [pull(images, image), pull(images, image)]
  await started
  leaving.abort()
  await t.rejects(first, { name: 'AbortError' })
  release()
  await Promise.all(others)
  t.equal(blobRequests(registry, bigPath).length, 1)
  t.equal((await list(images))[0]?.Id, made.id)
})

t.test('when all have left the transfer ends and leaves nothing', async (t) => {
  const { registry, image } = await withApp(t)
  const leaving = new AbortController()
  registry.script = ({ path }, response, body) => {
    if (path !== bigPath || body === undefined) return false
    response.writeHead(200, { 'content-length': body.length })
    response.write(body.subarray(0, 100_000), () => leaving.abort())
    return true
  }
  const images = await testImages(t, quick)
  await t.rejects(pull(images, image, { signal: leaving.signal }), { name: 'AbortError' })
  const staging = join(images.dataRoot, 'content/staging')
  // The transfer ends by itself shortly after its last watcher; nothing else tells when.
  for (let turn = 0; turn < 500 && tree(staging).length > 0; turn++)
    await new Promise((resolve) => setTimeout(resolve, 10))
  t.same(tree(staging), [])
})

t.test('bearer tokens are got for the scope, with the credentials, and renewed when refused', async (t) => {
  const { registry, image } = await withApp(t)
  const issued: string[] = []
  let valid = ''
  registry.script = (request, response) => {
    if (request.path.startsWith('/token')) {
      valid = `token-${issued.length}`
      issued.push(request.path)
      response.writeHead(200).end(JSON.stringify({ token: valid, expires_in: 300 }))
      return true
    }
    if (request.authorization === `Bearer ${valid}` && valid !== '') {
      // It loses its worth half way.
      if (request.path.includes('/manifests/')) valid = 'gone'
      return false
    }
    const realm = `http://${registry.host}/token`
    response
      .writeHead(401, { 'www-authenticate': `Bearer realm="${realm}",service="reg",scope="repository:app:pull"` })
      .end()
    return true
  }
  const images = await testImages(t, quick)
  await pull(images, image, { auth: { username: 'bob', password: 'p:w' } })
  t.ok(issued.length >= 2, 'a second token after the first was refused')
  t.match(issued[0], /^\/token\?service=reg&scope=repository%3Aapp%3Apull&account=bob$/)
  const asked = registry.seen.filter(({ path }) => path.startsWith('/token'))
  t.equal(asked[0]?.authorization, `Basic ${Buffer.from('bob:p:w').toString('base64')}`)
})

t.test('a repository that may not be read does not exist, in Docker’s words', async (t) => {
  const { registry, image } = await withApp(t)
  registry.script = ({ path }, response) => {
    if (path.startsWith('/token')) {
      response.writeHead(200).end('{"token":"t"}')
      return true
    }
    const error = path.includes('/manifests/') ? ',error="insufficient_scope"' : ''
    response
      .writeHead(401, { 'www-authenticate': `Bearer realm="http://${registry.host}/token",service="reg"${error}` })
      .end()
    return true
  }
  await t.rejects(pull(await testImages(t, quick), image), {
    kind: 'notFound',
    message: `pull access denied for ${image}, repository does not exist or may require 'docker login': denied: requested access to the resource is denied`,
  })
})

t.test('storage that a registry redirects to never sees the credentials', async (t) => {
  const { registry, image, made } = await withApp(t)
  const storage = await scriptedRegistry(t)
  storage.script = ({ path }, response) => {
    const found = registry.content.get(`app/blobs/${path.slice(1, 72)}`)
    if (found === undefined) return false
    response.writeHead(200, { 'content-length': found.data.length }).end(found.data)
    return true
  }
  registry.script = (request, response) => {
    if (request.authorization === undefined) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end()
      return true
    }
    const blob = /\/blobs\/(.*)$/.exec(request.path)?.[1]
    if (blob === undefined) return false
    response.writeHead(307, { location: `http://${storage.host}/${blob}?X-Amz-Signature=hidden` }).end()
    return true
  }
  const images = await testImages(t, quick)
  const auth = { username: 'bob', password: 'secret-word' }
  await pull(images, image, { auth })
  t.equal((await list(images))[0]?.Id, made.id)
  t.ok(storage.seen.length >= 3)
  t.ok(storage.seen.every(({ authorization }) => authorization === undefined))
  storage.script = (_, response) => {
    response.destroy()
    return true
  }
  const other = await testImages(t, { registry: { retryDelayMs: 1, maxDownloadAttempts: 2 } })
  const error = await pull(other, image, { auth }).catch((thrown) => thrown)
  t.match(error.message, /^Get "http:\/\/127/)
  t.notMatch(`${error.stack} ${JSON.stringify(error)}`, /secret-word|hidden/)
})

t.test('500 mutated manifests and configurations: an image or an error, never more', async (t) => {
  const registry = await scriptedRegistry(t)
  const made = makeImage({ layers: [{ tar: small }] })
  const manifest = registry.add('app', '1', made)
  const original = registry.content.get(`app/manifests/${manifest}`)?.data ?? Buffer.alloc(0)
  const images = await testImages(t, { registry: { retryDelayMs: 1, maxDownloadAttempts: 1 } })
  let seed = 7
  const random = (below: number) => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 1
    return seed % below
  }
  const outcomes = { image: 0, error: 0 }
  for (let round = 0; round < 500; round++) {
    const target = round % 2 === 0 ? original : made.config
    const mutant = Buffer.from(target)
    for (let change = 0; change <= random(2); change++) mutant[random(mutant.length)] = 0x20 + random(95)
    const document = round % 2 === 0 ? mutant : Buffer.from(original.toString().replace(made.id, digest(mutant)))
    registry.content.set(`app/blobs/${digest(mutant)}`, { data: mutant, type: 'x' })
    registry.content.set('app/manifests/1', { data: document, type: 'application/vnd.oci.image.manifest.v1+json' })
    const error = await pull(images, `${registry.host}/app`).then(
      () => undefined,
      (thrown) => thrown,
    )
    if (error === undefined) outcomes.image++
    else if (error.name === 'EngineError' || error.name === 'RegistryError') outcomes.error++
    else return t.fail(`round ${round}: ${error.stack}`)
  }
  t.ok(outcomes.image > 0 && outcomes.error > 0, JSON.stringify(outcomes))
  t.same(tree(join(images.dataRoot, 'content/staging')), [])
})

t.test(
  'a mirror of any registry is asked first, passed over when it lacks or refuses, and changed while running',
  async (t) => {
    const { registry, image, made } = await withApp(t)
    const mirror = await scriptedRegistry(t)
    const mirrors = (host: string) => ({
      registry: { ...quick.registry, mirrors: [`${registry.host}=http://${host}`] },
    })
    mirror.script = (request, response) => {
      if (!request.path.includes('/manifests/')) return false
      response.writeHead(503).end()
      return true
    }
    const images = await testImages(t, mirrors(mirror.host))
    await pull(images, image, { auth: { username: 'bob', password: 'secret' } })
    t.equal((await list(images))[0]?.Id, made.id)
    t.equal(mirror.seen.filter(({ path }) => path.includes('/manifests/')).length, 1, 'a mirror is not waited for')
    t.ok(
      mirror.seen.every(({ authorization }) => authorization === undefined),
      'credentials are not the mirror’s',
    )

    const second = await scriptedRegistry(t)
    second.add('app', '1', made)
    images.configure({ mirrors: [`${registry.host}=http://${second.host}`] })
    await images.service.remove(`${image}:1`, { force: true, noPrune: false, platforms: [] })
    registry.seen.length = 0
    await pull(images, image)
    t.same(registry.seen, [], 'all came from the new mirror')
  },
)

t.test('a login keeps the identity token that the authorization server gives, and it pays for tokens', async (t) => {
  const { registry, image } = await withApp(t)
  const asked: string[] = []
  registry.script = (request, response, _found, raw) => {
    if (request.path.startsWith('/token')) {
      asked.push(`${request.method} ${request.path}`)
      if (request.method === 'POST') {
        void text(raw).then((form) => {
          asked.push(form)
          response.writeHead(200).end(JSON.stringify({ access_token: 'good', expires_in: 300 }))
        })
        return true
      }
      response.writeHead(200).end(JSON.stringify({ token: 'good', refresh_token: 'to-keep' }))
      return true
    }
    if (request.authorization === 'Bearer good') return false
    const challenge = `Bearer realm="http://${registry.host}/token",service="reg"`
    response.writeHead(401, { 'www-authenticate': challenge }).end()
    return true
  }
  const images = await testImages(t, quick)
  const auth = { username: 'bob', password: 'secret', serveraddress: registry.host }
  t.same(await images.service.login(auth), { Status: 'Login Succeeded', IdentityToken: 'to-keep' })
  t.same(asked, ['GET /token?service=reg&account=bob&offline_token=true&client_id=docker'])
  await pull(images, image, { auth: { identitytoken: 'to-keep' } })
  t.match(
    asked.at(-1),
    /^grant_type=refresh_token&client_id=docker&refresh_token=to-keep&service=reg&scope=repository%3Aapp%3Apull$/,
  )
})

t.test('what a registry refuses is told as dockerd tells it, to a pull and to /distribution', async (t) => {
  const { registry, image } = await withApp(t)
  const denied = `pull access denied for ${image}, repository does not exist or may require 'docker login': denied: `
  const document = (code: string) => JSON.stringify({ errors: [{ code, message: 'said', detail: { x: 1 } }] })
  const cases: [status: number, body: string, pulled: [string, string], asked: [string, string]][] = [
    [403, 'nope', ['notFound', `${denied}nope`], ['forbidden', 'denied: nope']],
    [404, document('DENIED'), ['notFound', `${denied}said`], ['forbidden', 'denied: said']],
    [404, document('UNAUTHORIZED'), ['internal', 'unauthorized: said'], ['unauthorized', 'unauthorized: said']],
    [404, document('UNSUPPORTED'), ['internal', 'unsupported: said'], ['internal', 'unsupported: said']],
    [404, 'nope', ['internal', 'unknown: nope'], ['internal', 'unknown: nope']],
    [400, 'nope', ['internal', 'unknown: nope'], ['internal', 'unknown: nope']],
    [418, 'nope', ['internal', 'unknown: nope'], ['internal', 'unknown: nope']],
    [429, 'nope', ['internal', 'toomanyrequests: nope'], ['internal', 'toomanyrequests: nope']],
  ]
  const images = await testImages(t, { registry: { retryDelayMs: 1, maxDownloadAttempts: 1 } })
  for (const [status, body, [pullKind, pullText], [kind, message]] of cases) {
    registry.script = ({ path }, response) => {
      if (!path.includes('/manifests/')) return false
      response.writeHead(status).end(body)
      return true
    }
    await t.rejects(pull(images, image), { kind: pullKind, message: pullText }, `pull ${status} ${body}`)
    await t.rejects(images.service.distribution(`${image}:1`, undefined), { kind, message }, `${status} ${body}`)
  }
})

t.test('a pull by digest names the whole reference', async (t) => {
  const { registry, manifest } = await withApp(t)
  const images = await testImages(t, quick)
  const messages = await collect(images.service.pull({ image: `${registry.host}/app@${manifest}`, signal: never }))
  t.same(messages[0], { status: 'Pulling from app', id: `${registry.host}/app@${manifest}` })
})
