/** What two operations on one blob at a time leave of the layer. */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { silentLogger } from '@dockerd-ts/core'
import { fakeImageRecords } from '@dockerd-ts/core/testing'
import t from 'tap'
import { ContentStore } from '../content/content-store.ts'
import { Durability } from '../content/durability.ts'
import { builtLayerProgram } from '../testing/layer-program.ts'
import { digest, tar, temporaryDirectory } from '../testing/test-images.ts'
import { LayerJobs } from './layer-jobs.ts'
import { directoryName, LayerStore } from './layer-store.ts'
import { treeRemoval } from './tree-removal.ts'

const needsRoot = { skip: process.getuid?.() === 0 ? false : 'needs root: the program changes its root directory' }

t.test('a blob unpacked early belongs to whoever takes it first', needsRoot, async (t) => {
  const root = temporaryDirectory(t)
  const program = builtLayerProgram()
  const jobs = new LayerJobs(program)
  t.teardown(() => jobs.close())
  const records = fakeImageRecords()
  const durability = new Durability({ root, synchronise: async () => {}, logger: silentLogger })
  t.teardown(() => durability.settle())
  const content = new ContentStore(join(root, 'content'), records, durability)
  await content.prepare()
  const removed: string[] = []
  const remove = treeRemoval(undefined)
  const removeTree = (path: string) => {
    removed.push(path)
    return remove(path)
  }
  const layers = new LayerStore({ root: join(root, 'layers'), program, jobs, records, content, durability, removeTree })
  await layers.prepare()
  const data = tar({ name: 'file', type: 'file', data: 'content' })
  const blob = digest(data)
  await content.put(data, 'application/vnd.oci.image.layer.v1.tar')
  for (const dropsFirst of [true, false]) {
    layers.unpackEarly({ path: content.path(blob), digest: blob })
    const drop = dropsFirst && layers.dropEarly([blob])
    const layer = layers.ensure({ chainId: blob, diffId: blob, blobDigest: blob })
    await (drop || layers.dropEarly([blob]))
    const row = await layer
    t.ok(existsSync(join(layers.root, row.directory, 'file')), dropsFirst ? 'dropped, then asked for' : 'the reverse')
    t.notOk(removed.includes(join(layers.root, 'staging', directoryName(row))), 'what became the layer was not dropped')
    t.same(readdirSync(join(layers.root, 'staging')), [], 'nothing is left in staging')
    records.deleteLayer(blob)
    await layers.deleteDirectory(row)
  }
})
