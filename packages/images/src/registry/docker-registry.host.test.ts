/** Pull, push, login and distribution against a real registry: plain on loopback, as a mirror of Docker Hub, and with TLS and passwords. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import t from 'tap'
import { dockerRegistry, freePort } from '../testing/docker-registry.ts'
import {
  busybox,
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
  temporaryDirectory,
  testImages,
  tree,
} from '../testing/test-images.ts'

const file = (name: string, data: string | Buffer): Item => ({ name, type: 'file', data })
const lower = tar(file('bin/sh', busybox()))
const upper = tar(file('etc/new', 'new'))
const third = tar(file('third', 'three'))
const app = (tag: string) =>
  makeImage({
    tags: [tag],
    layers: [{ tar: lower, blob: gzipSync(lower) }, { tar: upper, blob: zstdCompressSync(upper) }, { tar: third }],
    config: { Labels: { x: 'y' } },
  })

const pull = ({ service }: TestImages, image: string, tag?: string, more: object = {}) =>
  collect(service.pull({ image, ...(tag && { tag }), signal: never, ...more }))
const push = ({ service }: TestImages, image: string, tag?: string, more: object = {}) =>
  collect(service.push({ image, ...(tag && { tag }), signal: never, ...more }))

t.test('what is pushed is pulled the same, in Docker’s words', async (t) => {
  const { host } = await dockerRegistry(t)
  const first = await testImages(t)
  const made = app(`${host}/team/app:1`)
  await load(first, made.archive)
  const pushed = await push(first, `${host}/team/app`, '1')
  const short = made.layers.map((layer) => digest(layer).slice(7, 19))
  t.same(pushed[0], { status: `The push refers to repository [${host}/team/app]` })
  for (const id of short) {
    t.same(
      pushed.filter((message) => message.id === id && message.status !== 'Pushing').map(({ status }) => status),
      ['Preparing', 'Pushed'],
    )
  }
  const told = /^1: digest: (sha256:[a-f0-9]{64}) size: \d+$/.exec(pushed.at(-2)?.status ?? '')?.[1]
  t.match(pushed.at(-1)?.aux, { Tag: '1', Digest: told })
  const again = await push(first, `${host}/team/app`, '1')
  t.equal(again.filter(({ status }) => status === 'Layer already exists').length, 3)
  await first.service.tag(`${host}/team/app:1`, { repository: `${host}/team/copy`, tag: '1' })
  t.equal(
    (await push(first, `${host}/team/copy`, '1')).filter(({ status }) => status === 'Mounted from team/app').length,
    3,
    'known to be there since the push',
  )

  const second = await testImages(t)
  const messages = await pull(second, `${host}/team/app`, '1')
  t.same(messages[0], { status: 'Pulling from team/app', id: '1' })
  for (const id of short) {
    const own = messages.filter((message) => message.id === id).map(({ status }) => status)
    t.equal(own[0], 'Pulling fs layer')
    t.same(own.filter((status) => status !== 'Downloading' && status !== 'Extracting').slice(-3), [
      'Verifying Checksum',
      'Download complete',
      'Pull complete',
    ])
  }
  t.same(messages.slice(-2), [
    { status: `Digest: ${told}` },
    { status: `Status: Downloaded newer image for ${host}/team/app:1` },
  ])
  const [image] = await list(second)
  t.match(image, { Id: made.id, RepoTags: [`${host}/team/app:1`], RepoDigests: [`${host}/team/app@${told}`] })
  t.match(second.events, [
    { type: 'image', action: 'pull', actorId: `${host}/team/app:1`, attributes: { name: `${host}/team/app`, x: 'y' } },
  ])
  t.same(await pull(second, `${host}/team/app`, '1'), [
    { status: 'Pulling from team/app', id: '1' },
    { status: `Digest: ${told}` },
    { status: `Status: Image is up to date for ${host}/team/app:1` },
  ])
  await second.service.tag(`${host}/team/app:1`, { repository: `${host}/team/mount`, tag: '1' })
  t.equal(
    (await push(second, `${host}/team/mount`, '1')).filter(({ status }) => status === 'Mounted from team/app').length,
    3,
  )

  const third = await testImages(t)
  t.same((await pull(third, `${host}/team/app`, told)).slice(-2), [
    { status: `Digest: ${told}` },
    { status: `Status: Downloaded newer image for ${host}/team/app@${told}` },
  ])
  t.same((await list(third))[0]?.RepoTags, [], 'by digest there is no tag')
  const everything = await pull(third, `${host}/team/app`)
  t.same(
    everything.at(-1),
    { status: `Status: Downloaded newer image for ${host}/team/app` },
    'without a tag all tags are pulled',
  )
  t.same((await list(third))[0]?.RepoTags, [`${host}/team/app:1`])
  t.match(await third.service.distribution(`${host}/team/app:1`), {
    Descriptor: { digest: told },
    Platforms: [{ architecture: 'amd64', os: 'linux' }],
  })
})

t.test(
  'blobs that are here are not fetched again; a layer in other compression is, so that digests stay true',
  async (t) => {
    const { host } = await dockerRegistry(t)
    const images = await testImages(t)
    const compressed = makeImage({
      tags: [`${host}/a:1`],
      layers: [{ tar: lower, blob: gzipSync(lower) }, { tar: upper }],
    })
    await load(images, compressed.archive)
    await push(images, `${host}/a`, '1')
    const other = await testImages(t)
    const plain = makeImage({ tags: ['plain:1'], layers: [{ tar: lower }, { tar: upper }], config: { User: '1' } })
    await load(other, plain.archive)
    const messages = await pull(other, `${host}/a`, '1')
    const told = (blob: Buffer) =>
      messages.filter(({ id }) => id === digest(blob).slice(7, 19)).map(({ status }) => status)
    t.same(told(upper), ['Already exists'])
    t.equal(told(gzipSync(lower)).at(-1), 'Pull complete')
    const pulled = await images.service.distribution(`${host}/a:1`)
    await other.service.tag(`${host}/a:1`, { repository: `${host}/b`, tag: '1' })
    await push(other, `${host}/b`, '1')
    t.same(await images.service.distribution(`${host}/b:1`), pulled)
    const third = await testImages(t)
    await load(third, await save(other, `${host}/a:1`))
    t.equal(third.catalog.resolve(`${host}/a:1`).id, compressed.id)
  },
)

t.test('what is not there or not reached is told as dockerd tells it', async (t) => {
  const { host } = await dockerRegistry(t)
  const images = await testImages(t)
  await t.rejects(pull(images, `${host}/none`, '9'), {
    kind: 'notFound',
    message: `manifest for ${host}/none:9 not found: manifest unknown: manifest unknown`,
  })
  const missing = `sha256:${'a'.repeat(64)}`
  await t.rejects(pull(images, `${host}/none`, missing), {
    kind: 'notFound',
    message: `manifest for ${host}/none@${missing} not found: manifest unknown: manifest unknown`,
  })
  const closed = `127.0.0.1:${await freePort()}`
  await t.rejects(pull(images, `${closed}/x`, '1'), {
    kind: 'internal',
    message: `Get "http://${closed}/v2/": dial tcp ${closed}: connect: connection refused`,
  })
  await t.rejects(pull(images, 'UPPER', '1'), { kind: 'invalidArgument', message: /must be lowercase/ })
  await t.rejects(pull(images, 'x', 'a:b'), { kind: 'invalidArgument', message: 'invalid tag format' })
  await t.rejects(push(images, 'nope', '1'), { message: 'An image does not exist locally with the tag: nope' })
  t.same(tree(join(images.dataRoot, 'content/staging')), [])
})

t.test('Docker Hub’s images come from a mirror', async (t) => {
  const { host } = await dockerRegistry(t)
  const seed = await testImages(t)
  await load(seed, app(`${host}/library/alpine:latest`).archive)
  await push(seed, `${host}/library/alpine`, 'latest')
  const closed = `http://127.0.0.1:${await freePort()}`
  const images = await testImages(t, { registry: { mirrors: [closed, `http://${host}/`] } })
  const messages = await pull(images, 'alpine', 'latest')
  t.same(messages[0], { status: 'Pulling from library/alpine', id: 'latest' })
  t.same(messages.at(-1), { status: 'Status: Downloaded newer image for alpine:latest' })
  t.match(await list(images), [{ RepoTags: ['alpine:latest'], RepoDigests: [/^alpine@sha256:/] }])
})

t.test('TLS and passwords', async (t) => {
  const htpasswd = { user: 'bob', password: 'top:secret' }
  const { host, authority = '' } = await dockerRegistry(t, { tls: true, htpasswd })
  const certificatesDirectory = temporaryDirectory(t)
  const images = await testImages(t, { registry: { certificatesDirectory } })
  const auth = { username: 'bob', password: 'top:secret', serveraddress: host }
  const wrong = { ...auth, password: 'no-such-password' }
  await load(images, app(`${host}/app:1`).archive)
  t.match(
    (await push(images, `${host}/app`, '1', { auth })).at(-1),
    { aux: { Tag: '1' } },
    'loopback may have an unknown certificate',
  )
  const missing = { kind: 'internal', message: `Get "https://${host}/v2/app/manifests/1": no basic auth credentials` }
  const fresh = await testImages(t, { registry: { certificatesDirectory } })
  await t.rejects(pull(fresh, `${host}/app`, '1'), missing)
  await t.rejects(pull(fresh, `${host}/app`, '1', { auth: wrong }), {
    message: 'unauthorized: authentication required',
  })
  t.match((await pull(fresh, `${host}/app`, '1', { auth })).at(-1), { status: /^Status: Downloaded newer image/ })
  t.same(await fresh.service.login(auth), { Status: 'Login Succeeded', IdentityToken: '' })
  const refused = await fresh.service.login(wrong).catch((error) => error)
  t.match(refused, {
    kind: 'unauthorized',
    message: `login attempt to https://${host}/v2/ failed with status: 401 Unauthorized`,
  })
  t.notMatch(JSON.stringify([refused, refused.message, refused.stack]), /no-such-password/)

  mkdirSync(join(certificatesDirectory, host))
  writeFileSync(join(certificatesDirectory, host, 'ca.crt'), authority)
  const trusting = await testImages(t, { registry: { certificatesDirectory } })
  t.match((await pull(trusting, `${host}/app`, '1', { auth })).at(-1), { status: /^Status: Downloaded newer image/ })
})

t.test('the platform is chosen from an index, and a wrong one is refused', async (t) => {
  const { host } = await dockerRegistry(t)
  const images = await testImages(t)
  const platforms = [
    { os: 'linux', architecture: 'amd64' },
    { os: 'linux', architecture: 'arm64' },
    { os: 'linux', architecture: 'arm', variant: 'v6' },
  ]
  const manifests: object[] = []
  const ids: string[] = []
  for (const platform of platforms) {
    const tag = platform.architecture
    const made = makeImage({ tags: [`${host}/multi:${tag}`], layers: [{ tar: lower }], platform })
    await load(images, made.archive)
    const { aux } = (await push(images, `${host}/multi`, tag)).at(-1) ?? {}
    const { Digest, Size } = aux as { Digest: string; Size: number }
    ids.push(made.id)
    manifests.push({ mediaType: 'application/vnd.oci.image.manifest.v1+json', digest: Digest, size: Size, platform })
  }
  const mediaType = 'application/vnd.oci.image.index.v1+json'
  const index = JSON.stringify({ schemaVersion: 2, mediaType, manifests })
  const put = await fetch(`http://${host}/v2/multi/manifests/all`, {
    method: 'PUT',
    body: index,
    headers: { 'content-type': mediaType },
  })
  t.equal(put.status, 201)
  const [amd64, arm64, armv6] = ids
  const cases: [string | undefined, string | undefined][] = [
    [undefined, amd64],
    ['linux/arm64', arm64],
    ['linux/arm/v7', armv6],
  ]
  for (const [platform, id] of cases) {
    const fresh = await testImages(t, { platform: { os: 'linux', architecture: 'amd64' } })
    const messages = await pull(fresh, `${host}/multi`, 'all', platform === undefined ? {} : { platform })
    t.equal((await list(fresh))[0]?.Id, id, platform ?? 'the machine’s own')
    t.same(messages.at(-2), { status: `Digest: ${digest(index)}` }, 'the digest is that of the index')
  }
  const fresh = await testImages(t)
  await t.rejects(pull(fresh, `${host}/multi`, 'all', { platform: 'linux/s390x' }), {
    kind: 'notFound',
    message: 'no matching manifest for linux/s390x in the manifest list entries',
  })
  await t.rejects(pull(fresh, `${host}/multi`, 'amd64', { platform: 'linux/arm64' }), {
    kind: 'notFound',
    message: `image with reference ${host}/multi:amd64 was found but does not match the specified platform: wanted linux/arm64, actual: linux/amd64`,
  })
})
