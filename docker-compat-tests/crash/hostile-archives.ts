/** Archives that no honest tool writes: root filesystems, `docker save` archives and OCI layouts, by fast-check. */
import { createHash } from 'node:crypto'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import fc from 'fast-check'

export interface HostileArchive {
  kind: 'import' | 'docker' | 'oci'
  bytes: Buffer
}

export interface Target {
  /** Part of every name that must never appear outside of a layer. */
  token: string
  /** A directory of the host that must stay as it is; holds `secret`. */
  canary: string
}

interface Entry {
  name: string
  type?: string
  link?: string
  content?: Buffer
  /** What the header says, true or not. */
  size?: number
  mode?: number
}

const blockBytes = 512

function header({ name, type = '0', link = '', content, size, mode = 0o644 }: Entry): Buffer {
  const block = Buffer.alloc(blockBytes)
  const octal = (value: number, at: number, width: number) => {
    if (value < 8 ** (width - 1)) block.write(`${value.toString(8).padStart(width - 1, '0')}\0`, at, 'latin1')
    else {
      block.writeBigUInt64BE(BigInt(value), at + width - 8)
      block[at] = 0x80
    }
  }
  block.write(name, 0, 100)
  octal(mode, 100, 8)
  octal(0, 108, 8)
  octal(0, 116, 8)
  octal(size ?? content?.length ?? 0, 124, 12)
  octal(0, 136, 12)
  block.write('        ', 148)
  block.write(type, 156, 1)
  block.write(link, 157, 100)
  block.write('ustar\x0000', 257, 'latin1')
  if (type === '3' || type === '4') {
    octal(1, 329, 8)
    octal(3, 337, 8)
  }
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return block
}

const padded = (content: Buffer) => Buffer.concat([content, Buffer.alloc(-content.length & (blockBytes - 1))])

function member(entry: Entry): Buffer {
  const long = (type: string, text: string) => {
    const content = Buffer.from(`${text}\0`)
    return Buffer.concat([header({ name: '././@LongLink', type, content }), padded(content)])
  }
  return Buffer.concat([
    ...(Buffer.byteLength(entry.name) > 100 ? [long('L', entry.name)] : []),
    ...(Buffer.byteLength(entry.link ?? '') > 100 ? [long('K', entry.link ?? '')] : []),
    header(entry),
    padded(entry.content ?? Buffer.alloc(0)),
  ])
}

const tar = (entries: readonly Entry[]) => Buffer.concat([...entries.map(member), Buffer.alloc(2 * blockBytes)])

function pax(records: Record<string, string>): Entry {
  const line = (key: string, value: string) => {
    const rest = ` ${key}=${value}\n`
    let length = Buffer.byteLength(rest)
    while (String(length).length + Buffer.byteLength(rest) !== length)
      length = String(length).length + Buffer.byteLength(rest)
    return `${length}${rest}`
  }
  const content = Buffer.from(
    Object.entries(records)
      .map(([key, value]) => line(key, value))
      .join(''),
  )
  return { name: 'pax', type: 'x', content }
}

const data = Buffer.from('hostile\n')
const up = (times: number) => '../'.repeat(times)

/** Each is a list: some attacks take several entries. */
function entries({ token, canary }: Target): fc.Arbitrary<Entry[]> {
  const file = `escape-${token}`
  const relative = canary.slice(1)
  const away = fc.integer({ min: 1, max: 12 }).map(up)
  const into = fc.oneof(
    fc.constantFrom(`${canary}/${file}`, `/${file}`, `a/../../${file}`, `./../${file}`, `//${file}`),
    away.map((dots) => `${dots}${relative}/${file}`),
    away.map((dots) => `${dots}${file}`),
    away.map((dots) => `sub/${dots}tmp/${file}`),
  )
  const outside = fc.oneof(
    fc.constantFrom(canary, '/', '/tmp', '..', '.', ''),
    away.map((dots) => `${dots}${relative}`),
  )
  const odd = fc.constantFrom('7', 'g', 'x', 'L', 'K', 'S', 'V', 'M', 'D', '\0', 'z', '9')
  return fc.oneof(
    into.map((name) => [{ name, content: data }]),
    into.map((name) => [{ name: `${name}/`, type: '5', mode: 0o777 }]),
    // Through a symlink, one that is replaced, and one below itself.
    outside.map((link) => [
      { name: 'way', type: '2', link },
      { name: `way/${file}`, content: data },
    ]),
    outside.map((link) => [
      { name: 'way', type: '2', link },
      { name: 'way/', type: '5', mode: 0o700 },
      { name: `way/${file}`, content: data },
    ]),
    outside.map((link) => [
      { name: 'd/', type: '5' },
      { name: 'd/way', type: '2', link },
      { name: `d/way/sub/${file}`, content: data },
    ]),
    // Hard links to what is not in the layer, then written through.
    fc.constantFrom(`${canary}/secret`, `${up(9)}${relative}/secret`, 'way/secret', '/etc/passwd').map((link) => [
      { name: 'way', type: '2', link: canary },
      { name: 'hard', type: '1', link },
      { name: 'hard', content: data, mode: 0o777 },
    ]),
    fc.constantFrom('3', '4', '6').map((type) => [
      { name: 'dev', type },
      { name: 'dev/x', content: data },
    ]),
    fc
      .constantFrom(
        '.wh..wh..opq',
        '.wh.',
        '.wh...',
        '.wh..',
        `.wh.${up(3)}${file}`,
        'd/.wh..wh.plnk',
        `${up(6)}.wh.secret`,
      )
      .map((name) => [{ name, content: Buffer.alloc(0) }]),
    // What the header says of the size is not so.
    fc
      .constantFrom(1, 8, 511, 2 ** 31, 2 ** 33, 2 ** 40, 2 ** 53 - 1)
      .map((size) => [{ name: 'big', size, content: data }]),
    fc
      .constantFrom('-1', '99999999999999999999', '1e9', 'NaN', '', '8')
      .map((size) => [pax({ size }), { name: 'p', content: data }]),
    into.map((path) => [pax({ path }), { name: 'p', content: data }]),
    fc
      .constantFrom(canary, '/', `${up(5)}${relative}`)
      .map((linkpath) => [
        pax({ linkpath }),
        { name: 'way', type: '2', link: 'x' },
        { name: `way/${file}`, content: data },
      ]),
    fc.integer({ min: 1, max: 3_000_000 }).map((n) => [pax({ comment: 'x'.repeat(n) }), { name: 'p', content: data }]),
    fc.integer({ min: 1, max: 3000 }).map((n) => Array.from({ length: n }, () => pax({ path: 'again' }))),
    fc
      .constantFrom(
        'GNU.sparse.map',
        'GNU.sparse.realsize',
        'SCHILY.xattr.security.capability',
        'SCHILY.xattr.trusted.overlay.opaque',
      )
      .map((key) => [
        pax({ [key]: '0,9999999999999,5,1', 'GNU.sparse.major': '1', 'GNU.sparse.minor': '0' }),
        { name: 's', content: data },
      ]),
    fc.integer({ min: 90, max: 9000 }).map((n) => [{ name: 'n/'.repeat(n), type: '5' }]),
    fc.integer({ min: 200, max: 70_000 }).map((n) => [{ name: 'n'.repeat(n), content: data }]),
    odd.map((type) => [{ name: 'odd', type, content: data }]),
    fc
      .integer({ min: 2, max: 50 })
      .map((n) => Array.from({ length: n }, (_, i) => ({ name: 'same', content: Buffer.from(String(i)) }))),
    fc.constantFrom('a\0b', '\xff\xfe', ' ', '.', '/', '', './').map((name) => [{ name, content: data }]),
  )
}

const honest: Entry[] = [
  { name: 'bin/', type: '5', mode: 0o755 },
  { name: 'bin/tool', content: Buffer.from('#!\n'), mode: 0o755 },
]

const rootfs = (target: Target) =>
  fc
    .array(fc.oneof({ weight: 1, arbitrary: fc.constant(honest) }, { weight: 3, arbitrary: entries(target) }), {
      minLength: 1,
      maxLength: 3,
    })
    .map((lists) => tar(lists.flat()))

const hex = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')
const json = (value: unknown) => Buffer.from(JSON.stringify(value))

const wrong: fc.Arbitrary<unknown> = fc.constantFrom<unknown>(
  ...[
    null,
    0,
    -1,
    '',
    'x',
    [],
    {},
    [null],
    [[]],
    { a: 1 },
    '../../etc/passwd',
    '/etc/passwd',
    'sha256:',
    `sha256:${'0'.repeat(64)}`,
  ],
  ...[`sha256:../../../etc/passwd`, 2 ** 53, true, '\ud800', 'a'.repeat(100_000)],
)

/** Replaces one value somewhere inside, or removes it. */
function mangled(document: unknown): fc.Arbitrary<unknown> {
  const paths: (string | number)[][] = []
  const visit = (value: unknown, path: (string | number)[]) => {
    paths.push(path)
    if (typeof value === 'object' && value !== null) {
      for (const key of Object.keys(value)) visit((value as Record<string, unknown>)[key], [...path, key])
    }
  }
  visit(document, [])
  const replaced = fc.tuple(fc.constantFrom(...paths), fc.option(wrong, { nil: undefined })).map(([path, value]) => {
    if (path.length === 0) return value ?? null
    const copy = structuredClone(document) as Record<string | number, unknown>
    let at = copy
    for (const key of path.slice(0, -1)) at = at[key] as Record<string | number, unknown>
    at[path.at(-1) ?? ''] = value
    return copy
  })
  return fc.oneof({ weight: 1, arbitrary: fc.constant(document) }, { weight: 2, arbitrary: replaced })
}

const configOf = (layer: Buffer) => ({
  architecture: 'amd64',
  os: 'linux',
  config: { Cmd: ['/bin/tool'], Env: ['A=b'] },
  rootfs: { type: 'layers', diff_ids: [`sha256:${hex(layer)}`] },
  history: [{ created: '2020-01-01T00:00:00Z' }],
})

/** manifest.json, a configuration and a layer, where any of them may be wrong. */
const dockerArchive = (target: Target) =>
  rootfs(target).chain((layer) =>
    fc
      .tuple(
        mangled(configOf(layer)),
        mangled([{ Config: 'config.json', RepoTags: ['hostile:1'], Layers: ['l/layer.tar'] }]),
        entries(target),
        fc.boolean(),
      )
      .map(([config, manifest, more, withMore]) =>
        tar([
          ...(withMore ? more : []),
          { name: 'config.json', content: json(config) },
          { name: 'l/layer.tar', content: layer },
          { name: 'manifest.json', content: json(manifest) },
        ]),
      ),
  )

const types = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar',
}
const descriptor = (mediaType: string, bytes: Buffer) => ({
  mediaType,
  digest: `sha256:${hex(bytes)}`,
  size: bytes.length,
})
const blob = (bytes: Buffer): Entry => ({ name: `blobs/sha256/${hex(bytes)}`, content: bytes })

/** An OCI layout: wrong documents under right digests, wrong digests, and indexes that name each other. */
const ociLayout = (target: Target) =>
  rootfs(target).chain((layer) => {
    const config = json(configOf(layer))
    const manifest = {
      schemaVersion: 2,
      mediaType: types.manifest,
      config: descriptor(types.config, config),
      layers: [descriptor(types.layer, layer)],
    }
    return fc
      .tuple(mangled(manifest), fc.constantFrom('honest', 'flipped', 'nested', 'cyclic', 'missing'), entries(target))
      .chain(([document, twist, more]) => {
        const bytes = json(document)
        const top = descriptor(types.manifest, bytes)
        const named = { ...top, annotations: { 'org.opencontainers.image.ref.name': 'hostile:2' } }
        const nest = (depth: number): { entry: Buffer; blobs: Buffer[] } => {
          let entry = json({ schemaVersion: 2, mediaType: types.index, manifests: [top] })
          const blobs = [entry]
          for (let level = 1; level < depth; level++) {
            entry = json({
              schemaVersion: 2,
              mediaType: types.index,
              manifests: [descriptor(types.index, entry), descriptor(types.index, entry)],
            })
            blobs.push(entry)
          }
          return { entry, blobs }
        }
        const nested = nest(twist === 'nested' ? 20 : 1)
        // A digest cannot be its own content's, so a cycle needs a file under a wrong name.
        const own = 'c'.repeat(64)
        const cycle = json({
          schemaVersion: 2,
          mediaType: types.index,
          manifests: [{ mediaType: types.index, digest: `sha256:${own}`, size: 100 }],
        })
        const heads = {
          honest: [named],
          flipped: [named],
          nested: [descriptor(types.index, nested.entry)],
          cyclic: [{ mediaType: types.index, digest: `sha256:${own}`, size: cycle.length }],
          missing: [{ ...named, digest: `sha256:${'0'.repeat(64)}` }],
        }
        const layers =
          twist === 'flipped'
            ? { ...blob(layer), content: Buffer.concat([layer.subarray(1), Buffer.from('x')]) }
            : blob(layer)
        return mangled({ schemaVersion: 2, mediaType: types.index, manifests: heads[twist as keyof typeof heads] }).map(
          (index) =>
            tar([
              ...(twist === 'cyclic' ? [{ name: `blobs/sha256/${own}`, content: cycle }] : []),
              ...(twist === 'nested' ? nested.blobs.map(blob) : []),
              blob(config),
              layers,
              blob(bytes),
              ...(twist === 'missing' ? more : []),
              { name: 'oci-layout', content: json({ imageLayoutVersion: '1.0.0' }) },
              { name: 'index.json', content: json(index) },
            ]),
        )
      })
  })

const compressions = {
  none: (bytes: Buffer) => bytes,
  gzip: (bytes: Buffer) => gzipSync(bytes, { level: 1 }),
  zstd: (bytes: Buffer) => zstdCompressSync(bytes),
  // What begins like one and is none.
  fakeGzip: (bytes: Buffer) => Buffer.concat([Buffer.from([0x1f, 0x8b, 8, 0]), bytes]),
  fakeZstd: (bytes: Buffer) => Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd]), bytes]),
  twice: (bytes: Buffer) => gzipSync(gzipSync(bytes, { level: 1 }), { level: 1 }),
}

/** Bytes changed after all: cut off, overwritten, followed by rubbish. */
const damage = fc.oneof(
  { weight: 6, arbitrary: fc.constant((bytes: Buffer) => bytes) },
  {
    weight: 1,
    arbitrary: fc
      .double({ min: 0, max: 1, noNaN: true })
      .map((share) => (bytes: Buffer) => bytes.subarray(0, Math.floor(share * bytes.length))),
  },
  {
    weight: 1,
    arbitrary: fc
      .array(fc.tuple(fc.double({ min: 0, max: 0.999, noNaN: true }), fc.nat(255)), { minLength: 1, maxLength: 4 })
      .map((changes) => (bytes: Buffer) => {
        const copy = Buffer.from(bytes)
        for (const [share, byte] of changes) copy[Math.floor(share * copy.length)] = byte
        return copy
      }),
  },
  {
    weight: 1,
    arbitrary: fc
      .uint8Array({ minLength: 1, maxLength: 2000 })
      .map((more) => (bytes: Buffer) => Buffer.concat([bytes, more])),
  },
)

export const hostileArchive = (target: Target): fc.Arbitrary<HostileArchive> =>
  fc
    .tuple(
      fc.oneof(
        rootfs(target).map((bytes) => ({ kind: 'import' as const, bytes })),
        dockerArchive(target).map((bytes) => ({ kind: 'docker' as const, bytes })),
        ociLayout(target).map((bytes) => ({ kind: 'oci' as const, bytes })),
      ),
      fc.oneof(
        { weight: 4, arbitrary: fc.constant('none' as const) },
        fc.constantFrom(...(Object.keys(compressions) as (keyof typeof compressions)[])),
      ),
      damage,
    )
    .map(([{ kind, bytes }, compression, spoil]) => ({ kind, bytes: spoil(compressions[compression](bytes)) }))

/** A few kilobytes that unpack to a quarter of a gigabyte of nothing, behind a whole archive. */
export function bombs(): HostileArchive[] {
  const zeros = Buffer.alloc(256 * 2 ** 20)
  const whole = Buffer.concat([tar(honest), zeros])
  const inside = tar([{ name: 'manifest.json', content: zeros }])
  return [
    { kind: 'import', bytes: gzipSync(whole, { level: 1 }) },
    { kind: 'docker', bytes: zstdCompressSync(whole) },
    { kind: 'docker', bytes: gzipSync(inside, { level: 1 }) },
  ]
}
