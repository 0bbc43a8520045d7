/** Load, save and import: what goes in comes out, compressed or not, and nothing hostile gets further than its error. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import t from 'tap'
import { readTar } from '../tar/reader.ts'
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
  tar,
  testImages,
  tree,
} from '../testing/test-images.ts'

const file = (name: string, data: string | Buffer): Item => ({ name, type: 'file', data, mode: 0o755 })
const lower = tar(file('bin/sh', busybox()), file('etc/old', 'old'))
const upper = tar(file('etc/.wh.old', ''), file('etc/new', 'new'))

async function contents(archive: Buffer): Promise<Map<string, Buffer>> {
  const found = new Map<string, Buffer>()
  for await (const { header, body } of readTar(Readable.from([archive]))) {
    const parts: Buffer[] = []
    for await (const part of body) parts.push(part)
    found.set(header.name, Buffer.concat(parts))
  }
  return found
}

t.test('an image is loaded from every compression of the archive and of its layers', async (t) => {
  const wrap: [string, (data: Buffer) => Buffer][] = [
    ['plain', (data) => data],
    ['gzip', gzipSync],
    ['zstd', (data) => zstdCompressSync(data)],
    ['two gzip members', (data) => Buffer.concat([gzipSync(data.subarray(0, 1000)), gzipSync(data.subarray(1000))])],
    [
      'two zstd frames',
      (data) => Buffer.concat([zstdCompressSync(data.subarray(0, 1000)), zstdCompressSync(data.subarray(1000))]),
    ],
    ['xz', (data) => execFileSync('xz', ['-c'], { input: data, maxBuffer: 2 ** 26 })],
    ['bzip2', (data) => execFileSync('bzip2', ['-c'], { input: data, maxBuffer: 2 ** 26 })],
  ]
  for (const [label, compress] of wrap) {
    const images = await testImages(t)
    const made = makeImage({
      tags: ['app:1', 'other/app:2'],
      layers: [{ tar: lower, blob: compress(lower) }, { tar: upper }],
    })
    const messages = await load(images, compress(made.archive))
    t.same(messages, [{ stream: 'Loaded image: app:1\n' }, { stream: 'Loaded image: other/app:2\n' }], label)
    const summary = images.catalog.resolve('app:1')
    t.equal(summary.id, made.id, label)
    const { layersRoot, directories } = images.catalog.layerDirectories(made.id)
    const [top = '', bottom = ''] = directories
    t.equal(readFileSync(join(layersRoot, top, 'etc/new'), 'utf8'), 'new', `${label}: topmost first`)
    t.same(tree(join(layersRoot, bottom)), ['bin', 'bin/sh', 'etc', 'etc/old'], label)
    t.same(tree(join(images.dataRoot, 'content/staging')), [], `${label}: staging is empty`)
  }
})

t.test('what is saved can be loaded, with the same ids and digests', async (t) => {
  const first = await testImages(t)
  const made = makeImage({ tags: ['app:1', 'app:2'], layers: [{ tar: lower, blob: gzipSync(lower) }, { tar: upper }] })
  await load(first, made.archive)
  const saved = await save(first, 'app')
  const files = await contents(saved)
  const [manifest] = JSON.parse(files.get('manifest.json')?.toString() ?? '[]')
  t.same(manifest.RepoTags, ['app:1', 'app:2'])
  t.equal(manifest.Config, `blobs/sha256/${made.id.slice(7)}`)
  const index = JSON.parse(files.get('index.json')?.toString() ?? '{}')
  t.same(
    index.manifests.map(
      (entry: { annotations: Record<string, string> }) => entry.annotations['io.containerd.image.name'],
    ),
    ['docker.io/library/app:1', 'docker.io/library/app:2'],
  )
  for (const [name, data] of files) {
    if (/sha256\/./.test(name)) t.equal(digest(data), `sha256:${name.slice(13)}`, 'blobs are named by their digest')
  }
  const second = await testImages(t)
  await load(second, saved)
  t.equal(second.catalog.resolve('app:2').id, made.id)
  t.ok((await save(second, 'app')).equals(saved), 'and saved again it is the same')
  const byId = await contents(await save(first, made.id))
  t.equal(JSON.parse(byId.get('manifest.json')?.toString() ?? '')[0].RepoTags, null, 'by id it has no names')
  const layout = tar(
    ...[...files]
      .filter(([name]) => /index.json|oci-layout|blobs\/sha256\/./.test(name))
      .map(([name, data]) => file(name, data)),
  )
  const third = await testImages(t)
  await load(third, layout)
  t.equal(third.catalog.resolve('app:1').id, made.id, 'an OCI layout alone is enough')
})

t.test('skopeo can read what is saved, and its archives can be loaded', async (t) => {
  const images = await testImages(t)
  const made = makeImage({ tags: ['app:1'], layers: [{ tar: lower, blob: gzipSync(lower) }] })
  await load(images, made.archive)
  const directory = images.dataRoot
  const path = join(directory, 'saved.tar')
  execFileSync('sh', ['-c', 'cat >"$0"', path], { input: await save(images, 'app:1') })
  for (const target of ['docker-archive', 'oci-archive']) {
    const copy = join(directory, `${target}.tar`)
    execFileSync('skopeo', ['--insecure-policy', 'copy', '-q', `docker-archive:${path}`, `${target}:${copy}:copied:1`])
    const other = await testImages(t)
    await load(other, readFileSync(copy))
    const [image] = await list(other)
    // An OCI copy may have its configuration written anew; its layers are the same.
    const inspected = await other.service.inspect(image?.Id ?? '', { manifests: false })
    t.same(inspected.RootFS.Layers, [digest(lower)], target)
    if (target === 'docker-archive') t.equal(image?.Id, made.id, target)
  }
})

t.test('a layer that many want at once is unpacked once', async (t) => {
  const images = await testImages(t)
  const made = ['a', 'b', 'c', 'd'].map((name) =>
    makeImage({ tags: [`${name}:1`], layers: [{ tar: lower }], config: { Env: [`N=${name}`] } }),
  )
  await Promise.all(made.map(({ archive }) => load(images, archive)))
  t.equal(images.records.listLayers().length, 1)
  t.equal((await list(images)).length, 4)
  t.equal(tree(join(images.dataRoot, 'layers')).filter((name) => name.endsWith('/diff')).length, 1)
})

t.test('old archives share layers by links', async (t) => {
  const images = await testImages(t)
  const config = JSON.stringify({
    architecture: 'amd64',
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: [digest(lower), digest(upper)] },
  })
  const archive = tar(
    file('one/layer.tar', lower),
    { name: 'two/layer.tar', type: 'symlink', linkName: '../one/layer.tar' },
    { name: 'three/layer.tar', type: 'link', linkName: 'four/layer.tar' },
    file('four/layer.tar', upper),
    file('c.json', config),
    file(
      'manifest.json',
      JSON.stringify([{ Config: 'c.json', RepoTags: ['old:1'], Layers: ['two/layer.tar', 'three/layer.tar'] }]),
    ),
  )
  t.same(await load(images, archive), [{ stream: 'Loaded image: old:1\n' }])
  const loop = tar(
    { name: 'a', type: 'symlink', linkName: 'b' },
    { name: 'b', type: 'symlink', linkName: 'a' },
    file('manifest.json', '[{"Config":"a"}]'),
  )
  t.match(await load(images, loop), [{ error: /a: no such file/ }])
})

t.test('a tag moves to what is loaded under it', async (t) => {
  const images = await testImages(t)
  const before = makeImage({ tags: ['app:1'], layers: [{ tar: lower }] })
  await load(images, before.archive)
  const after = makeImage({ tags: ['app:1'], layers: [{ tar: upper }] })
  t.same(await load(images, after.archive), [
    { stream: `The image app:1 already exists, renaming the old one with ID ${before.id} to empty string\n` },
    { stream: 'Loaded image: app:1\n' },
  ])
  const dangling = await list(images, { dangling: ['true'] })
  t.same(
    dangling.map(({ Id, RepoTags }) => ({ Id, RepoTags })),
    [{ Id: before.id, RepoTags: [] }],
  )
  const unnamed = makeImage({ layers: [{ tar: lower }], config: { User: 'x' } })
  t.same(await load(images, unnamed.archive), [{ stream: `Loaded image ID: ${unnamed.id}\n` }])
})

t.test('broken archives are told in the stream and leave nothing', async (t) => {
  const images = await testImages(t)
  const good = makeImage({ tags: ['app:1'], layers: [{ tar: lower }] })
  const wrongId = digest('other')
  const config = (diff: string[], type = 'layers') =>
    JSON.stringify({ architecture: 'amd64', os: 'linux', rootfs: { type, diff_ids: diff } })
  const docker = (configuration: string, layers: [string, Buffer][]) =>
    tar(
      file('c', configuration),
      ...layers.map(([name, data]) => file(name, data)),
      file(
        'manifest.json',
        JSON.stringify([{ Config: 'c', RepoTags: ['bad:1'], Layers: layers.map(([name]) => name) }]),
      ),
    )
  const cases: [string, Buffer, RegExp][] = [
    ['garbage', Buffer.from('garbage\n'), /unexpected EOF/],
    ['no manifest', tar(file('x', 'y')), /does not contain a manifest.json/],
    [
      'no configuration',
      tar(file('manifest.json', '[{"Config":"x.json","Layers":[]}]')),
      /x.json: no such file or directory/,
    ],
    ['an empty configuration', docker('{}', []), /^invalid image JSON, no RootFS key$/],
    ['bad JSON', docker('{', []), /invalid image configuration/],
    ['a layer with another id', docker(config([wrongId]), [['l', lower]]), /invalid diffID for layer: expected/],
    ['a layer missing', docker(config([digest(lower)]), []), /layers length mismatch: expected 1, got 0/],
    [
      'a layer that is no tar',
      docker(config([digest('x'.repeat(600))]), [['l', Buffer.from('x'.repeat(600))]]),
      /invalid tar header/,
    ],
    [
      'a damaged layer',
      docker(config([digest(lower)]), [['l', gzipSync(lower).subarray(0, 5000)]]),
      /archive is damaged/,
    ],
    [
      'a climbing layer',
      docker(config([digest(tar(file('../x', 'y')))]), [['l', tar(file('../x', 'y'))]]),
      /outside of the root/,
    ],
    ['a blob with a wrong name', tar(file(`blobs/sha256/${wrongId.slice(7)}`, 'x')), /does not match its digest/],
    ['a cut archive', good.archive.subarray(0, 3000), /unexpected EOF/],
    [
      'a bad tag',
      tar(file('c', config([])), file('manifest.json', '[{"Config":"c","RepoTags":["UPPER:1"],"Layers":[]}]')),
      /must be lowercase/,
    ],
  ]
  for (const [label, archive, message] of cases) {
    const last = (await load(images, archive)).at(-1)
    t.match(last?.errorDetail?.message, message, label)
    t.equal(last?.error, last?.errorDetail?.message, label)
  }
  t.same(await list(images, {}, true), [])
  t.same(images.records.listLayers(), [])
  t.same(tree(join(images.dataRoot, 'layers')), ['staging'])
  t.same(tree(join(images.dataRoot, 'content/staging')), [])
  await images.service.prune({})
  t.same(
    tree(join(images.dataRoot, 'content')),
    ['blobs', 'blobs/sha256', 'staging'],
    'blobs that nothing needs go with the next collection',
  )
})

t.test('500 mutated archives: an image or a message, never more', async (t) => {
  const images = await testImages(t)
  const made = makeImage({
    tags: ['app:1'],
    layers: [{ tar: tar(file('a', 'text')), blob: gzipSync(tar(file('a', 'text'))) }],
  })
  await load(images, made.archive)
  const base = await save(images, 'app:1')
  await images.service.remove('app:1', { force: false, noPrune: false, platforms: [] })
  let seed = 99
  const random = (below: number) => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 1
    return seed % below
  }
  let loaded = 0
  for (let round = 0; round < 500; round++) {
    const mutant = Buffer.from(base)
    for (let change = 0; change <= random(3); change++)
      mutant[random(mutant.length)] = round % 3 === 0 ? 0x30 + random(80) : random(256)
    const messages = await load(images, mutant)
    const last = messages.at(-1)
    if (last?.stream?.startsWith('Loaded image') === true) loaded++
    else if (typeof last?.errorDetail?.message !== 'string')
      return t.fail(`round ${round}: ${JSON.stringify(messages)}`)
  }
  t.ok(loaded > 0 && loaded < 500, `${loaded} of 500 were still images`)
  t.same(tree(join(images.dataRoot, 'content/staging')), [])
})

t.test('import makes an image of one layer', async (t) => {
  const images = await testImages(t)
  const imported = await collect(
    images.service.import({
      source: Readable.from([gzipSync(lower)]),
      sourceName: '-',
      repository: 'rootfs',
      tag: '1',
      changes: ['CMD ["sh"]', 'ENV A=b', 'LABEL x=y'],
      platform: 'linux/arm64',
      signal: never,
    }),
  )
  const inspected = await images.service.inspect('rootfs:1', { manifests: false })
  t.same(imported, [{ status: inspected.Id }])
  t.match(inspected, {
    Comment: 'Imported from -',
    Architecture: 'arm64',
    Config: { Cmd: ['sh'], Env: ['A=b'], Labels: { x: 'y' } },
    RootFS: { Layers: [digest(lower)] },
    RepoTags: ['rootfs:1'],
  })
  t.match(images.events.at(-1), { action: 'import', actorId: inspected.Id, attributes: { x: 'y', name: inspected.Id } })
  const bad = (more: object) =>
    collect(
      images.service.import({ source: Readable.from([lower]), sourceName: '-', changes: [], signal: never, ...more }),
    )
  await t.rejects(bad({ changes: ['RUN x'] }), {
    kind: 'invalidArgument',
    message: 'RUN is not a valid change command',
  })
  await t.rejects(bad({ repository: 'UPPER' }), { kind: 'invalidArgument', message: /./ })
  await t.rejects(bad({ source: Readable.from([Buffer.from('x'.repeat(600))]) }), {
    kind: 'invalidArgument',
    message: 'archive/tar: invalid tar header',
  })
  t.equal((await list(images)).length, 1)
  t.equal(images.records.listBlobs().length, 3, 'a failed import leaves no blob')
})

t.test('a client that leaves stops the load', async (t) => {
  const images = await testImages(t)
  const controller = new AbortController()
  async function* endless(): AsyncGenerator<Buffer> {
    yield tar(file('big', Buffer.alloc(1000))).subarray(0, 512)
    for (;;) {
      controller.abort()
      yield Buffer.alloc(64 * 1024)
    }
  }
  const stream = images.service.load({
    archive: Readable.from(endless()),
    quiet: true,
    platforms: [],
    signal: controller.signal,
  })
  await t.rejects(collect(stream), { name: 'AbortError' })
  t.same(tree(join(images.dataRoot, 'content/staging')), [])
})
