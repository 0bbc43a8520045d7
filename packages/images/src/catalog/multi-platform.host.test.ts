/** An image of several platforms: its index is kept, what was asked for of it is here, and a name means all of it. */
import t from 'tap'
import { multiPlatform, serve } from '../testing/multi-platform.ts'
import { scriptedRegistry } from '../testing/scripted-registry.ts'
import { collect, digest, list, never, type TestImages, testImages } from '../testing/test-images.ts'

const made = multiPlatform('app')
const indexDigest = digest(made.index)
const removal = { force: false, noPrune: false, platforms: [] as string[] }
const host = { os: 'linux', architecture: 'amd64' }

async function setUp(t: Parameters<typeof scriptedRegistry>[0], ...platforms: (string | undefined)[]) {
  const registry = await scriptedRegistry(t)
  serve(registry, 'app', '1', made)
  const images = await testImages(t, { platform: host, registry: { retryDelayMs: 1 } })
  const name = `${registry.host}/app:1`
  const pull = (platform?: string) =>
    collect(
      images.service.pull({
        image: `${registry.host}/app`,
        tag: '1',
        ...(platform !== undefined && { platform }),
        signal: never,
      }),
    )
  for (const platform of platforms) await pull(platform)
  return { registry, images, name, pull }
}

const manifestsOf = async ({ service }: Pick<TestImages, 'service'>, name: string) =>
  (await service.inspect(name, { manifests: true })).Manifests ?? []

t.test('a pull keeps the index and what the platform needs; another platform joins it', async (t) => {
  const { images, name, pull } = await setUp(t, undefined)
  t.match(await images.service.inspect(name, { manifests: false }), {
    Id: made.amd64.id,
    RepoDigests: [`${name.replace(/:1$/, '')}@${indexDigest}`],
    Descriptor: { digest: indexDigest, size: made.index.length },
    Manifests: undefined,
  })
  t.same(
    (await manifestsOf(images, name)).map(({ ID, Kind, Available }) => [ID, Kind, Available]),
    [
      [made.manifests.amd64, 'image', true],
      [made.manifests.attestation, 'attestation', true],
      [made.manifests.arm64, 'image', false],
    ],
  )
  const messages = await pull('linux/arm64')
  t.match(messages.at(-1), { status: `Status: Downloaded newer image for ${name}` })
  const [amd64, arm64, attestation] = await manifestsOf(images, name)
  const layers = made.arm64.layers.reduce((sum, { length }) => sum + length, made.arm64.config.length)
  t.match(arm64, {
    Available: true,
    Descriptor: { platform: { os: 'linux', architecture: 'arm64', variant: 'v8' } },
    ImageData: { Platform: { architecture: 'arm64' }, Containers: [] },
  })
  t.equal(arm64?.Size.Content, layers + (arm64?.Descriptor.size ?? 0))
  t.equal(arm64?.Size.Total, (arm64?.Size.Content ?? 0) + (arm64?.ImageData?.Size.Unpacked ?? 0))
  t.equal(amd64?.ID, made.manifests.amd64)
  t.same(attestation?.AttestationData, { For: made.manifests.amd64 })
  t.equal(images.catalog.resolve(name).id, made.amd64.id, "the name means this machine's variant")
  t.equal(images.catalog.resolve(name, { os: 'linux', architecture: 'arm64' }).id, made.arm64.id)
  t.match(await images.service.inspect(name, { platform: 'linux/arm64', manifests: false }), {
    Id: made.arm64.id,
    RepoTags: [name],
  })
  t.match((await pull('linux/arm64')).at(-1), { status: `Status: Image is up to date for ${name}` })
  t.match((await pull()).at(-1), { status: `Status: Image is up to date for ${name}` })
})

t.test('a foreign platform alone is what the name means, until this machine’s comes', async (t) => {
  const { images, name, pull } = await setUp(t, 'linux/arm64')
  t.equal(images.catalog.resolve(name).id, made.arm64.id)
  t.match((await pull()).at(-1), { status: `Status: Downloaded newer image for ${name}` })
  t.equal(images.catalog.resolve(name).id, made.amd64.id)
})

t.test('a pull fetches again what was lost of it', async (t) => {
  const { images, name, pull } = await setUp(t, undefined)
  const lost = digest(made.amd64.layers[1] ?? '')
  await images.ledger.repair({ blobDigests: [lost], chainIds: [] })
  const isHere = async () => (await manifestsOf(images, name)).find(({ ID }) => ID === made.manifests.amd64)?.Available
  t.equal(await isHere(), false)
  await pull()
  t.equal(await isHere(), true)
  t.same(await images.ledger.problems({ verify: true }), [])
})

t.test('it is one image in the list, with the size of all that is here where manifests are asked for', async (t) => {
  const { images, name } = await setUp(t, undefined, 'linux/arm64')
  const [image, ...others] = await list(images)
  t.same(others, [])
  t.match(image, { Id: made.amd64.id, RepoTags: [name], Descriptor: { digest: indexDigest } })
  t.same(await list(images, { dangling: ['true'] }), [])
  const query = { all: true, filters: {}, sharedSize: false, digests: false, manifests: true }
  const [whole] = await images.service.list(query)
  t.equal(
    whole?.Size,
    whole?.Manifests?.reduce((sum, { Size }) => sum + Size.Total, 0),
  )
})

t.test('its name takes all of it along; nothing is left', async (t) => {
  const { images, name } = await setUp(t, undefined, 'linux/arm64')
  t.same(await images.service.prune({}), { ImagesDeleted: null, SpaceReclaimed: 0 }, 'no variant is dangling')
  const items = await images.service.remove(name, removal)
  const deleted = items.flatMap(({ Deleted }) => Deleted ?? [])
  t.ok(deleted.includes(made.amd64.id) && deleted.includes(made.arm64.id))
  t.same(images.records.listBlobs(), [])
  t.same(images.records.listLayers(), [])
  t.same(images.records.listIndexes(), [])
})

t.test('another name keeps all platforms', async (t) => {
  const { images, name } = await setUp(t, undefined, 'linux/arm64')
  await images.service.tag(name, { repository: 'mine', tag: '2' })
  await images.service.remove(name, removal)
  t.equal((await manifestsOf(images, 'mine:2')).filter(({ Available }) => Available).length, 3)
  t.same((await images.ledger.problems({ verify: true })).map(String), [])
})

t.test('one platform can be removed alone; the name then means the other one', async (t) => {
  const { images, name } = await setUp(t, undefined, 'linux/arm64')
  const items = await images.service.remove(name, { ...removal, platforms: ['linux/amd64'] })
  t.match(items[0], { Deleted: made.amd64.id })
  t.equal(images.catalog.resolve(name).id, made.arm64.id)
  t.same(
    (await manifestsOf(images, name)).map(({ Available }) => Available),
    [true, false, false],
  )
  for (const gone of [made.manifests.amd64, digest(made.attestation)]) t.notOk(images.records.getBlob(gone))
  await t.rejects(images.service.remove(name, { ...removal, platforms: ['linux/amd64'] }), {
    message: /does not match the specified platform/,
  })
  await images.service.remove(name, { ...removal, platforms: ['linux/arm64'] })
  t.same(await list(images), [])
  t.same(images.records.listBlobs(), [])
})

t.test('a platform that a container uses stays, and so does the name', async (t) => {
  const { images, name } = await setUp(t, undefined, 'linux/arm64')
  const container = { id: 'c'.repeat(64), name: 'c', running: false }
  images.catalog.setUsage({ containersOf: (id) => (id === made.arm64.id ? [container] : []) })
  await t.rejects(images.service.remove(name, removal), { message: /container/ })
  await t.rejects(images.service.remove(name, { ...removal, platforms: ['linux/arm64'] }), { message: /container/ })
  t.same((await manifestsOf(images, name))[1]?.ImageData?.Containers, [container.id])
  t.equal((await list(images))[0]?.Containers, 1)
})

t.test('what is attested comes with its image, and is told by its predicates', async (t) => {
  const { images, name } = await setUp(t, undefined)
  const { service } = images
  const query = { types: [], statement: false }
  const type = 'https://spdx.dev/Document'
  const Descriptor = {
    mediaType: 'application/vnd.in-toto+json',
    digest: digest(made.attestation),
    size: made.attestation.length,
  }
  t.same(await service.attestations(name, query), [{ Descriptor, PredicateType: type }])
  t.same(await service.attestations(name, { ...query, types: ['other', type], statement: true }), [
    { Descriptor, PredicateType: type, Statement: JSON.parse(made.attestation.toString()) },
  ])
  t.same(await service.attestations(name, { ...query, types: ['other'] }), [])
  await t.rejects(service.attestations(name, { ...query, platform: 'linux/arm64' }), { kind: 'notFound' } as never)
  await t.rejects(service.attestations('nothing', query), { kind: 'notFound' } as never)
  t.same(await images.ledger.problems({ verify: true }), [])

  const other = await setUp(t, 'linux/arm64')
  t.same(await other.images.service.attestations(other.name, query), [], 'nothing is attested about that one')
})

t.test('an image whose attestations the registry has lost is pulled without them', async (t) => {
  for (const lost of [made.manifests.attestation, digest(made.attestation)]) {
    const { registry, images, name, pull } = await setUp(t)
    for (const kind of ['manifests', 'blobs']) registry.content.delete(`app/${kind}/${lost}`)
    await pull()
    t.equal(images.catalog.resolve(name).id, made.amd64.id)
    t.same(await images.service.attestations(name, { types: [], statement: false }), [])
    t.same(await images.ledger.problems({ verify: true }), [])
  }
})
