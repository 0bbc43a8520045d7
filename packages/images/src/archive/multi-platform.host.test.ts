/** Images of several platforms through load, save and push: whole where all is there, and digests that stay true. */
import { Readable } from 'node:stream'
import t from 'tap'
import { dockerRegistry } from '../testing/docker-registry.ts'
import { layout, type MultiPlatform, multiPlatform } from '../testing/multi-platform.ts'
import { collect, digest, list, load, never, save, type TestImages, testImages } from '../testing/test-images.ts'

const made = multiPlatform('app')
const indexDigest = digest(made.index)
const host = { os: 'linux', architecture: 'amd64' }
const name = 'docker.io/library/app:1'

const fresh = (t: Parameters<typeof testImages>[0]) => testImages(t, { platform: host, registry: { retryDelayMs: 1 } })

const loadFor = ({ service }: TestImages, archive: Buffer, ...platforms: string[]) =>
  collect(service.load({ archive: Readable.from([archive]), quiet: true, platforms, signal: never }))

async function saveFor({ service }: TestImages, reference: string, ...platforms: string[]): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const chunk of await service.save({ references: [reference], platforms })) parts.push(chunk as Buffer)
  return Buffer.concat(parts)
}

const available = async ({ service }: TestImages, reference: string) =>
  ((await service.inspect(reference, { manifests: true })).Manifests ?? [])
    .filter(({ Available }) => Available)
    .map(({ ID }) => ID)

t.test('load keeps the whole of an index, attestations too; save gives all of it back', async (t) => {
  const images = await fresh(t)
  t.same(await load(images, layout(name, made)), [{ stream: 'Loaded image: app:1\n' }])
  t.same(await available(images, 'app:1'), [made.manifests.amd64, made.manifests.arm64, made.manifests.attestation])
  t.equal((await list(images)).length, 1)
  t.equal(images.catalog.resolve('app:1').id, made.amd64.id)
  const other = await fresh(t)
  t.same(await load(other, await save(images, 'app:1')), [{ stream: 'Loaded image: app:1\n' }])
  t.same(await available(other, 'app:1'), await available(images, 'app:1'))
  t.match(await other.service.inspect('app:1', { manifests: false }), { Descriptor: { digest: indexDigest } })
  for (const { digest: blob } of images.records.listBlobs()) t.ok(other.records.getBlob(blob), 'every blob')
  for (const each of [images, other]) t.same(await each.ledger.problems({ verify: true }), [])
})

t.test('load of an archive that lacks a part takes what is there', async (t) => {
  const images = await fresh(t)
  await load(images, layout(name, made, [digest(made.attestation), digest(made.amd64.layers[1] ?? '')]))
  t.same(await available(images, 'app:1'), [made.manifests.arm64])
  t.equal(images.catalog.resolve('app:1').id, made.arm64.id)
  const other = await fresh(t)
  await load(other, await save(images, 'app:1'))
  t.same(await available(other, 'app:1'), [made.manifests.arm64])
})

t.test('platforms choose what is loaded and saved', async (t) => {
  const images = await fresh(t)
  await loadFor(images, layout(name, made), 'linux/arm64')
  t.same(await available(images, 'app:1'), [made.manifests.arm64])
  const failed = await loadFor(images, layout(name, made), 'linux/s390x')
  t.match(failed, [{ error: 'requested platform (linux/s390x) not found in the archive' }])
  await load(images, layout(name, made))
  const one = await fresh(t)
  await load(one, await saveFor(images, 'app:1', 'linux/arm64'))
  t.match(await one.service.inspect('app:1', { manifests: false }), {
    Id: made.arm64.id,
    Descriptor: { digest: made.manifests.arm64 },
  })
  const two = await fresh(t)
  await load(two, await saveFor(images, 'app:1', 'linux/arm64', 'linux/amd64'))
  t.same(await available(two, 'app:1'), [made.manifests.amd64, made.manifests.arm64])
  await t.rejects(saveFor(images, 'app:1', 'linux/s390x'), {
    message: /no suitable export target found for platform linux\/s390x/,
  })
})

t.test(
  'push sends the index when all of it is here, one platform where asked, and says when it had to choose',
  async (t) => {
    const registry = await dockerRegistry(t)
    const images = await fresh(t)
    await load(images, layout(name, made))
    const repository = `${registry.host}/team/app`
    const push = async (from: TestImages, tag: string, platform?: string) => {
      const query = { image: repository, tag, ...(platform !== undefined && { platform }), signal: never }
      return (await collect(from.service.push(query))).flatMap(({ aux }) => (aux === undefined ? [] : [aux]))
    }
    await images.service.tag('app:1', { repository, tag: '1' })
    t.match(await push(images, '1'), [{ Tag: '1', Digest: indexDigest, Size: made.index.length }])
    t.match(await images.service.distribution(`${repository}:1`), {
      Descriptor: { digest: indexDigest },
      Platforms: [{ architecture: 'amd64' }, { architecture: 'arm64' }, { architecture: 'unknown' }],
    })
    t.match(await push(images, '1', 'linux/arm64'), [{ Digest: made.manifests.arm64 }])
    t.same((await images.service.inspect('app:1', { manifests: false })).RepoDigests, [`${repository}@${indexDigest}`])
    await t.rejects(push(images, '1', 'linux/s390x'), {
      message: 'no suitable image manifest found for platform linux/s390x',
    })
    await push(images, '1')
    const other = await fresh(t)
    await collect(other.service.pull({ image: repository, tag: '1', signal: never }))
    await other.service.tag(`${repository}:1`, { repository, tag: '2' })
    t.match(await push(other, '2'), [
      {
        manifestPushedInsteadOfIndex: true,
        originalIndex: { digest: indexDigest },
        selectedManifest: { digest: made.manifests.amd64, platform: { architecture: 'amd64' } },
      },
      { Tag: '2', Digest: made.manifests.amd64 },
    ])
  },
)

/** Its second image's layers are not those that its configuration tells. */
function broken(image: MultiPlatform): MultiPlatform {
  const replaced = new Map<string, Buffer>()
  const replace = (old: Buffer, text: string) => {
    replaced.set(digest(old), Buffer.from(text))
    return Buffer.from(text)
  }
  const document = JSON.parse(image.arm64.config.toString())
  document.rootfs.diff_ids.reverse()
  const config = replace(image.arm64.config, JSON.stringify(document))
  const manifest = image.blobs.find((data) => digest(data) === image.manifests.arm64) ?? Buffer.alloc(0)
  const second = replace(manifest, manifest.toString().replace(digest(image.arm64.config), digest(config)))
  const index = replace(image.index, image.index.toString().replace(image.manifests.arm64, digest(second)))
  return { ...image, index, blobs: image.blobs.map((data) => replaced.get(digest(data)) ?? data) }
}

t.test('of an index with an image that is broken nothing stays, and what its name meant stays', async (t) => {
  const images = await fresh(t)
  const before = await fresh(t)
  const failed = await load(images, layout(name, broken(made)))
  t.ok(failed.at(-1)?.error, JSON.stringify(failed))
  t.same(await list(images, {}, true), [])
  t.same(images.records.listBlobs(), [])
  t.same(await images.ledger.problems({ verify: true }), [])

  const other = multiPlatform('other')
  for (const each of [images, before]) await load(each, layout(name, other))
  await load(images, layout(name, broken(made)))
  t.same(await list(images, {}, true), await list(before, {}, true))
  t.equal(images.records.listBlobs().length, before.records.listBlobs().length)
  t.same(await images.ledger.problems({ verify: true }), [])
})
