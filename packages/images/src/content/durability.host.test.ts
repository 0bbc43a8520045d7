/** What a power cut can have taken is checked at the next start; what only the daemon's death interrupted is believed. */
import { existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { digest, list, load, makeImage, tar, testImages } from '../testing/test-images.ts'

const needsRoot = { skip: process.getuid?.() === 0 ? false : 'needs root: layers are unpacked' }
const layer = tar({ name: 'file', type: 'file', data: 'content of the layer' })
const made = makeImage({ tags: ['x:1'], layers: [{ tar: layer }] })

async function loaded(t: Parameters<typeof testImages>[0]) {
  const images = await testImages(t, { bootId: 'first' })
  const startedMs = Date.now()
  await load(images, made.archive)
  // Closed, so that nothing settles meanwhile; the marker of a daemon that did not come to it is written here.
  await images.close()
  const marker = join(images.dataRoot, 'unsynchronised')
  const cut = () => writeFileSync(marker, JSON.stringify({ bootId: 'first', sinceMs: startedMs }))
  const blob = join(images.dataRoot, 'content/blobs/sha256', digest(layer).slice(7))
  const layers = join(images.dataRoot, 'layers')
  const file = () => join(layers, readdirSync(layers).find((name) => name !== 'staging') ?? '', 'diff/file')
  const restart = (bootId: string) => testImages(t, { bootId, dataRoot: images.dataRoot, records: images.records })
  return { images, blob, file, restart, marker, cut }
}

t.test('a file of a layer that the disk never saw is unpacked again after a power cut', needsRoot, async (t) => {
  const { file, restart, cut } = await loaded(t)
  cut()
  truncateSync(file())
  const again = await restart('second')
  t.equal(readFileSync(file(), 'utf8'), 'content of the layer')
  t.equal((await list(again))[0]?.Id, made.id)
})

t.test('a blob with other bytes of the same length is found after a power cut', needsRoot, async (t) => {
  const { images, blob, restart, cut } = await loaded(t)
  cut()
  writeFileSync(blob, Buffer.alloc(layer.length, 'rubbish'))
  await restart('second')
  t.equal(images.records.getBlob(digest(layer)), undefined)
  t.notOk(existsSync(blob))
})

t.test('without a power cut, or once all is on the disk, nothing is read again', needsRoot, async (t) => {
  const { images, blob, restart, marker, cut } = await loaded(t)
  t.notOk(existsSync(marker), 'a clean end leaves no marker')
  cut()
  writeFileSync(blob, Buffer.alloc(layer.length, 'rubbish'))
  const same = await restart('first')
  t.ok(images.records.getBlob(digest(layer)), 'only the daemon had died')
  await same.close()
  await restart('third')
  t.ok(images.records.getBlob(digest(layer)))
})
