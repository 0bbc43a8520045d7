/** A plan shows what a prune deletes, to the byte, and is carried out as shown or not at all. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { list, load, makeImage, tar, testImages, tree } from '../testing/test-images.ts'

const base = tar({ name: 'base', type: 'file', data: 'base layer' })
const other = tar({ name: 'other', type: 'file', data: 'other' })
const all = { dangling: ['false'] }

async function twoImages(t: Parameters<typeof testImages>[0]) {
  const images = await testImages(t)
  const small = makeImage({ tags: ['small:1'], layers: [{ tar: base }] })
  const large = makeImage({ tags: ['large:1', 'large:2'], layers: [{ tar: base }, { tar: other }] })
  for (const { archive } of [small, large]) await load(images, archive)
  const files = () => ['content/blobs', 'layers'].flatMap((path) => tree(join(images.dataRoot, path)))
  return { images, small, large, files }
}

t.test('a plan changes nothing; applied, exactly its items are gone', async (t) => {
  const { images, small, large, files } = await twoImages(t)
  images.catalog.setUsage({
    containersOf: (id) => (id === small.id ? [{ id: 'c'.repeat(64), name: '/c', running: false }] : []),
  })
  const before = { files: files(), rows: await list(images), events: images.events.length }
  const plan = await images.service.planPrune(all)
  t.same({ files: files(), rows: await list(images), events: images.events.length }, before)
  t.same(plan.Items.map(({ Kind, ID }) => (Kind === 'blob' ? Kind : `${Kind} ${ID}`)).slice(0, 3), [
    'name large:1',
    'name large:2',
    `image ${large.id}`,
  ])
  t.same(plan.Items.map(({ Kind }) => Kind).slice(3), ['layer', 'blob', 'blob', 'blob'], 'the layer below is in use')
  t.equal(plan.Items.find(({ Kind }) => Kind === 'layer')?.SizeBytes, 5)
  const bytes = plan.Items.reduce((sum, { SizeBytes }) => sum + SizeBytes, 0)
  t.equal(plan.SpaceReclaimed, bytes)
  const blobs = new Set(readdirSync(join(images.dataRoot, 'content/blobs/sha256')))
  const done = await images.service.applyPrunePlan(plan.ID)
  t.same(done, plan)
  t.same(
    (await list(images)).map(({ Id }) => Id),
    [small.id],
  )
  for (const name of readdirSync(join(images.dataRoot, 'content/blobs/sha256'))) blobs.delete(name)
  t.same(
    [...blobs].map((name) => `sha256:${name}`).sort(),
    plan.Items.filter(({ Kind }) => Kind === 'blob')
      .map(({ ID }) => ID)
      .sort(),
  )
  await t.rejects(images.service.applyPrunePlan(plan.ID), {
    kind: 'notFound',
    message: `No such prune plan: ${plan.ID}`,
  })
})

t.test('what is newer than the plan stays', async (t) => {
  const { images } = await twoImages(t)
  const plan = await images.service.planPrune(all)
  const young = makeImage({ tags: ['young:1'], layers: [{ tar: tar({ name: 'y', type: 'file', data: 'y' }) }] })
  await load(images, young.archive)
  await images.service.applyPrunePlan(plan.ID)
  t.same(
    (await list(images)).map(({ Id }) => Id),
    [young.id],
  )
})

t.test('a plan that would come to something else is refused, and nothing is deleted', async (t) => {
  const { images, large, files } = await twoImages(t)
  const plan = await images.service.planPrune(all)
  const before = files()
  images.catalog.setUsage({
    containersOf: (id) => (id === large.id ? [{ id: 'c'.repeat(64), name: '/c', running: true }] : []),
  })
  await t.rejects(images.service.applyPrunePlan(plan.ID), {
    kind: 'conflict',
    message: /nothing was deleted: .* would stay/,
  })
  t.same(files(), before)
  images.catalog.setUsage({ containersOf: () => [] })
  await images.service.tag('large:1', { repository: 'kept', tag: '1' })
  await t.rejects(images.service.applyPrunePlan(plan.ID), { kind: 'conflict', message: /would stay/ })
  t.same(files(), before)
  await t.rejects(images.service.planPrune({ nope: ['x'] }), { message: "invalid filter 'nope'" })
})
