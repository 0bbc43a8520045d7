/** What work under way needs is not collected under it, and is collected when it has ended. */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { scriptedRegistry } from '../testing/scripted-registry.ts'
import { collect, digest, list, load, makeImage, never, save, tar, testImages } from '../testing/test-images.ts'

const removal = { force: false, noPrune: false, platforms: [] }
const base = tar({ name: 'base', type: 'file', data: 'base' })
const top = tar({ name: 'top', type: 'file', data: 'top' })

t.test('a pull keeps the blob of another image on which it counts, though that image goes meanwhile', async (t) => {
  const images = await testImages(t, { registry: { retryDelayMs: 1 } })
  const zipped = gzipSync(base)
  const old = makeImage({ tags: ['old:1'], layers: [{ tar: base, blob: zipped }] })
  await load(images, old.archive)
  const registry = await scriptedRegistry(t)
  const young = makeImage({ layers: [{ tar: base, blob: zipped }, { tar: top }] })
  registry.add('young', '1', young)
  let removed: Promise<unknown> | undefined
  registry.script = ({ path }) => {
    if (path.endsWith(digest(top))) removed ??= images.service.remove('old:1', removal)
    return false
  }
  await collect(images.service.pull({ image: `${registry.host}/young`, tag: '1', signal: never }))
  t.match(await removed, [{ Untagged: 'old:1' }, { Deleted: old.id }])
  t.same(images.records.getImage(young.id)?.blobDigests, [digest(zipped), digest(top)])
  t.ok((await save(images, young.id)).length > zipped.length, 'it can be saved')
})

t.test('an image that is removed while it is saved is saved whole, and gone afterwards', async (t) => {
  const images = await testImages(t)
  const made = makeImage({ tags: ['app:1'], layers: [{ tar: base }] })
  await load(images, made.archive)
  const stream = await images.service.save({ references: ['app:1'], platforms: [] })
  await images.service.remove('app:1', removal)
  t.same(await list(images), [])
  const blobs = join(images.dataRoot, 'content/blobs/sha256')
  t.ok(existsSync(join(blobs, digest(base).slice(7))), 'the layer is needed still')
  const parts: Buffer[] = []
  for await (const chunk of stream) parts.push(chunk as Buffer)
  t.ok(Buffer.concat(parts).includes('top') === false && Buffer.concat(parts).includes(made.config))
  // The stream's end frees the blobs; files go right after.
  for (let turn = 0; turn < 1000 && readdirSync(blobs).length > 0; turn++) await new Promise(setImmediate)
  t.same(readdirSync(blobs), [])
  t.same(images.records.listBlobs(), [])
})
