/** List, inspect, history, tag, remove and prune, with the answers and refusals that dockerd gives. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { digest, type Item, list, load, makeImage, save, tar, testImages, tree } from '../testing/test-images.ts'

const file = (name: string, data: string): Item => ({ name, type: 'file', data })
const base = tar(file('base', 'base layer'))
const other = tar(file('other', 'other'))
const third = tar(file('third', '3'))

const removal = { force: false, noPrune: false, platforms: [] }
type Images = Awaited<ReturnType<typeof testImages>>
const used = (images: Images, imageId: string, running: boolean) =>
  images.catalog.setUsage({
    containersOf: (id) => (id === imageId ? [{ id: 'c'.repeat(64), name: '/c', running }] : []),
  })
const unused = (images: Images) => images.catalog.setUsage({ containersOf: () => [] })

t.test('lists are newest first and filtered as Docker filters', async (t) => {
  const images = await testImages(t)
  const old = makeImage({
    tags: ['old:1', 'user/old:1'],
    layers: [{ tar: base }],
    created: '2020-01-01T00:00:00Z',
    config: { Labels: { a: '1', b: '2' } },
  })
  const young = makeImage({
    tags: ['young:1'],
    layers: [{ tar: base }, { tar: other }],
    created: '2023-01-01T00:00:00.5Z',
    config: { Labels: { a: '1' } },
  })
  const unnamed = makeImage({ layers: [{ tar: third }], created: '2022-01-01T00:00:00Z' })
  for (const { archive } of [old, young, unnamed]) await load(images, archive)
  const ids = async (filters: Record<string, string[]>) => (await list(images, filters)).map(({ Id }) => Id)
  t.same(await ids({}), [young.id, unnamed.id, old.id])
  t.same(await ids({ dangling: ['true'] }), [unnamed.id])
  t.same(await ids({ dangling: ['false'] }), [young.id, old.id])
  t.same(await ids({ label: ['a=1'] }), [young.id, old.id])
  t.same(await ids({ label: ['a=1', 'b'] }), [old.id])
  t.same(await ids({ label: ['a=2'] }), [])
  t.same(await ids({ reference: ['old'] }), [old.id])
  t.same(await ids({ reference: ['*/*:1', 'young'] }), [young.id, old.id])
  t.same(await ids({ before: ['young:1'] }), [unnamed.id, old.id])
  t.same(await ids({ since: [old.id.slice(7, 19)] }), [young.id, unnamed.id])
  t.same(await ids({ until: ['2022-06-01'] }), [unnamed.id, old.id])
  const [reference] = await list(images, { reference: ['user/*'] })
  t.same(reference?.RepoTags, ['user/old:1'], 'only the names that match are shown')
  await t.rejects(ids({ nope: ['x'] }), { kind: 'invalidArgument', message: "invalid filter 'nope'" })
  await t.rejects(ids({ dangling: ['maybe'] }), {
    kind: 'invalidArgument',
    message: "invalid filter 'dangling=[maybe]'",
  })
  await t.rejects(ids({ before: ['none'] }), { kind: 'notFound', message: 'No such image: none:latest' })
  await t.rejects(ids({ reference: ['['] }), { kind: 'invalidArgument', message: 'syntax error in pattern' })
  used(images, old.id, false)
  const shown = await images.service.list({
    all: false,
    filters: {},
    sharedSize: true,
    digests: false,
    manifests: false,
  })
  t.same(
    shown.map(({ Containers, SharedSize, Size, Created }) => ({ Containers, SharedSize, Size, Created })),
    [
      { Containers: 0, SharedSize: 10, Size: 15, Created: 1_672_531_200 },
      { Containers: 0, SharedSize: 0, Size: 1, Created: 1_640_995_200 },
      { Containers: 1, SharedSize: 10, Size: 10, Created: 1_577_836_800 },
    ],
  )
})

t.test('an image is found by name, id and beginning of an id', async (t) => {
  const images = await testImages(t)
  const made = makeImage({ tags: ['app:1'], layers: [{ tar: base }] })
  await load(images, made.archive)
  for (const text of [
    'app:1',
    'docker.io/library/app:1',
    made.id,
    made.id.slice(7),
    made.id.slice(7, 10),
    made.id.slice(0, 20),
  ]) {
    t.equal(images.catalog.resolve(text).id, made.id, text)
  }
  const missing: [string, string][] = [
    ['app', 'No such image: app:latest'],
    ['A/b', 'No such image: A/b:latest'],
    ['sha256:abc', 'No such image: sha256:abc'],
    ['f'.repeat(64), `No such image: sha256:${'f'.repeat(64)}`],
  ]
  for (const [text, message] of missing)
    t.throws(() => images.catalog.resolve(text), { kind: 'notFound', message }, text)
  t.throws(() => images.catalog.resolve('UPPER'), { kind: 'invalidArgument', message: /must be lowercase/ })
  t.throws(() => images.catalog.resolve('app:1', { os: 'linux', architecture: 'arm64' }), {
    kind: 'notFound',
    message:
      'image with reference app:1 was found but does not match the specified platform: wanted linux/arm64, actual: linux/amd64',
  })
  t.equal(images.catalog.resolve('app:1', { os: 'linux', architecture: 'x86_64' }).id, made.id)
})

t.test('inspect and history show what the configuration says', async (t) => {
  const images = await testImages(t)
  const made = makeImage({
    tags: ['app:1'],
    layers: [{ tar: base }, { tar: other }],
    config: { Env: ['A=b'], Cmd: ['sh'], Entrypoint: null, Volumes: null, Labels: { x: 'y' }, WorkingDir: '' },
  })
  await load(images, made.archive)
  const shown = await images.service.inspect('app:1', { manifests: false })
  t.match(shown, {
    Id: made.id,
    RepoTags: ['app:1'],
    RepoDigests: [],
    Created: '2024-01-02T03:04:05.678Z',
    Architecture: 'amd64',
    Os: 'linux',
    Size: 15,
    RootFS: { Type: 'layers', Layers: [digest(base), digest(other)] },
  })
  t.same(shown.Config, { Env: ['A=b'], Cmd: ['sh'], Labels: { x: 'y' } })
  t.same(images.catalog.manifestOf(made.id), {
    ...shown.Descriptor,
    platform: { architecture: 'amd64', os: 'linux' },
  })
  t.equal(images.catalog.manifestOf(`sha256:${'0'.repeat(64)}`), undefined)
  t.same(await images.service.history('app:1', {}), [
    { Id: made.id, Created: 1_704_164_645, CreatedBy: 'step 1', Tags: ['app:1'], Size: 5, Comment: '' },
    { Id: '<missing>', Created: 1_704_164_645, CreatedBy: 'step 0', Tags: null, Size: 10, Comment: '' },
  ])
})

t.test('tag names an image, and refuses what is no name', async (t) => {
  const images = await testImages(t)
  const made = makeImage({ tags: ['app:1'], layers: [{ tar: base }] })
  await load(images, made.archive)
  await images.service.tag('app:1', { repository: 'localhost:5000/copy' })
  await images.service.tag('app:1', { repository: 'again', tag: '2' })
  t.same((await list(images))[0]?.RepoTags, ['again:2', 'app:1', 'localhost:5000/copy:latest'])
  t.match(images.events.at(-1), { action: 'tag', actorId: made.id, attributes: { name: 'again:2' } })
  const tag = (source: string, repository: string, name?: string) =>
    images.service.tag(source, { repository, ...(name && { tag: name }) })
  await t.rejects(tag('none', 'x'), { kind: 'notFound', message: 'No such image: none:latest' })
  await t.rejects(tag('app:1', 'X'), {
    kind: 'invalidArgument',
    message: 'invalid reference format: repository name (library/X) must be lowercase',
  })
  await t.rejects(tag('app:1', 'x', 'a:b'), { kind: 'invalidArgument', message: 'invalid tag format' })
  await t.rejects(tag('app:1', `x@sha256:${'a'.repeat(64)}`), {
    kind: 'invalidArgument',
    message: 'cannot import digest reference',
  })
})

t.test('removing the last name deletes the image and the layers that only it had', async (t) => {
  const images = await testImages(t)
  const one = makeImage({ tags: ['one:1', 'one:2'], layers: [{ tar: base }, { tar: other }] })
  const two = makeImage({ tags: ['two:1'], layers: [{ tar: base }] })
  await load(images, one.archive)
  await load(images, two.archive)
  const chain = digest(`${digest(base)} ${digest(other)}`)
  t.same(await images.service.remove('one:1', removal), [{ Untagged: 'one:1' }])
  t.same(await images.service.remove('one:2', removal), [
    { Untagged: 'one:2' },
    { Deleted: one.id },
    { Deleted: chain },
  ])
  t.same(await images.service.remove(two.id.slice(7, 20), removal), [
    { Untagged: 'two:1' },
    { Deleted: two.id },
    { Deleted: digest(base) },
  ])
  t.same(tree(join(images.dataRoot, 'layers')), ['staging'])
  t.same(tree(join(images.dataRoot, 'content')), ['blobs', 'blobs/sha256', 'staging'])
  t.same(
    images.events.slice(-2).map(({ action, actorId }) => ({ action, actorId })),
    [
      { action: 'untag', actorId: two.id },
      { action: 'delete', actorId: two.id },
    ],
  )
})

t.test("what is in use is refused in Docker's words", async (t) => {
  const images = await testImages(t)
  const made = makeImage({ tags: ['app:1', 'app:2'], layers: [{ tar: base }] })
  await load(images, made.archive)
  const short = made.id.slice(7, 19)
  const remove = (text: string, force = false) => images.service.remove(text, { ...removal, force })
  const refused = (text: string, message: string, force = false) =>
    t.rejects(remove(text, force), { kind: 'conflict', message })
  await refused(
    short,
    `conflict: unable to delete ${short} (must be forced) - image is referenced in multiple repositories`,
  )
  used(images, made.id, false)
  t.same(await remove('app:2'), [{ Untagged: 'app:2' }], 'a name that is not the last one goes')
  await refused(
    'app:1',
    `conflict: unable to remove repository reference "app:1" (must force) - container cccccccccccc is using its referenced image ${short}`,
  )
  await refused(
    short,
    `conflict: unable to delete ${short} (must be forced) - image is being used by stopped container cccccccccccc`,
  )
  used(images, made.id, true)
  await refused(
    short,
    `conflict: unable to delete ${short} (cannot be forced) - image is being used by running container cccccccccccc`,
    true,
  )
  t.same(
    await remove('app:1', true),
    [{ Untagged: 'app:1' }],
    'by name with force: untagged, and kept for the running container',
  )
  t.equal(images.catalog.resolve(made.id).id, made.id)
})

t.test(
  'an image removed by force under a stopped container keeps its layers until the container is gone',
  async (t) => {
    const images = await testImages(t)
    const made = makeImage({ tags: ['app:1'], layers: [{ tar: base }] })
    await load(images, made.archive)
    used(images, made.id, false)
    t.same(await images.service.remove('app:1', { ...removal, force: true }), [
      { Untagged: 'app:1' },
      { Deleted: made.id },
    ])
    t.same(await list(images, {}, true), [])
    t.throws(() => images.catalog.resolve(made.id), { kind: 'notFound', message: `No such image: ${made.id}` })
    const { layersRoot, directories } = images.catalog.layerDirectories(made.id)
    t.same(tree(join(layersRoot, directories[0] ?? '')), ['base'])
    await images.reconcile()
    t.same(images.catalog.layerDirectories(made.id).directories, directories, 'also after a restart')
    unused(images)
    images.catalog.containerRemoved(made.id)
    t.same(images.records.listLayers(), [])
    t.same(images.records.listImages(), [])
  },
)

t.test('prune takes what has no name, or all that is unused', async (t) => {
  const images = await testImages(t)
  const named = makeImage({ tags: ['app:1'], layers: [{ tar: base }], config: { Labels: { keep: '' } } })
  const dangling = makeImage({ layers: [{ tar: other }] })
  for (const { archive } of [named, dangling]) await load(images, archive)
  t.same(await images.service.prune({ 'label!': ['keep'], until: ['2000-01-01'] }), {
    ImagesDeleted: null,
    SpaceReclaimed: 0,
  })
  t.same(await images.service.prune({}), {
    ImagesDeleted: [{ Deleted: dangling.id }, { Deleted: digest(other) }],
    SpaceReclaimed: 5,
  })
  t.match(images.events.at(-1), { type: 'image', action: 'prune', actorId: '', attributes: { reclaimed: '5' } })
  used(images, named.id, false)
  t.same((await images.service.prune({ dangling: ['false'] })).ImagesDeleted, null, 'used images stay')
  unused(images)
  t.same((await images.service.prune({ dangling: ['false'], 'label!': ['keep'] })).ImagesDeleted, null)
  t.same((await images.service.prune({ dangling: ['false'] })).ImagesDeleted, [
    { Untagged: 'app:1' },
    { Deleted: named.id },
    { Deleted: digest(base) },
  ])
  await t.rejects(images.service.prune({ reference: ['x'] }), {
    kind: 'invalidArgument',
    message: "invalid filter 'reference'",
  })
})

t.test('a start after a crash makes files and rows agree', async (t) => {
  const images = await testImages(t)
  const made = makeImage({ tags: ['app:1'], layers: [{ tar: base }, { tar: other }] })
  const lost = makeImage({ tags: ['lost:1'], layers: [{ tar: third }] })
  await load(images, made.archive)
  await load(images, lost.archive)
  const { dataRoot, records } = images
  const layers = join(dataRoot, 'layers')
  const expected = tree(layers)
  mkdirSync(join(layers, 'staging/half/diff'), { recursive: true })
  mkdirSync(join(layers, 'nobody/diff'), { recursive: true })
  writeFileSync(join(dataRoot, 'content/staging/half'), 'x')
  writeFileSync(join(dataRoot, 'content/blobs/sha256', 'a'.repeat(64)), 'x')
  await testImages(t, { dataRoot, records })
  t.same(tree(layers), expected, 'what has no row is gone')
  t.same(tree(join(dataRoot, 'content/staging')), [])
  t.notOk(tree(join(dataRoot, 'content/blobs')).includes(`sha256/${'a'.repeat(64)}`))
  rmSync(join(layers, records.getLayer(digest(base))?.directory ?? ''), { recursive: true })
  rmSync(join(layers, records.getLayer(digest(third))?.directory ?? ''), { recursive: true })
  rmSync(join(dataRoot, 'content/blobs/sha256', digest(third).slice(7)))
  const restarted = await testImages(t, { dataRoot, records })
  const { layersRoot, directories } = restarted.catalog.layerDirectories(made.id)
  t.same(
    directories.map((directory) => tree(join(layersRoot, directory))),
    [['other'], ['base']],
    'unpacked again from the blob',
  )
  t.throws(() => restarted.catalog.resolve('lost:1'), { kind: 'notFound', message: 'No such image: lost:1' })
  t.ok((await save(restarted, 'app:1')).length > 0)
})

t.test(
  'layers count once, however many images share them, and are used when one of those has a container',
  async (t) => {
    const images = await testImages(t)
    const pair = [tar(file('p', 'x'.repeat(100))), tar(file('q', 'y'.repeat(7)))]
    const sets = [[base], [base, other], [base, third], [pair[0]], [pair[0], pair[1]]]
    const made = sets.map((layers, index) =>
      makeImage({ tags: [`set${index}:1`], layers: layers.map((layer) => ({ tar: layer ?? base })) }),
    )
    for (const { archive } of made) await load(images, archive)
    // base 10, other 5, third 1, and the pair, which shares nothing with them.
    t.same(images.catalog.layerUsage(), { totalBytes: 10 + 5 + 1 + 100 + 7, usedBytes: 0 })
    used(images, made[1]?.id ?? '', false)
    t.same(images.catalog.layerUsage(), { totalBytes: 123, usedBytes: 15 })
  },
)
