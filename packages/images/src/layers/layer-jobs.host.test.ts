import { createHash } from 'node:crypto'
import { lstatSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { builtLayerProgram } from '../testing/layer-program.ts'
import { digest, type Item, tar, temporaryDirectory } from '../testing/test-images.ts'
import { LayerJobs } from './layer-jobs.ts'
import { unpackFile } from './layer-program.ts'

const needsRoot = { skip: process.getuid?.() === 0 ? false : 'needs root: the program changes its root directory' }
const file = (name: string, data: string): Item => ({ name, type: 'file', data })

function fixture(t: Parameters<typeof temporaryDirectory>[0]) {
  const directory = temporaryDirectory(t)
  const jobs = new LayerJobs(builtLayerProgram('sanitize'))
  t.teardown(() => jobs.close())
  let count = 0
  const unpack = (
    data: Buffer,
    options: { gzip?: boolean; signal?: AbortSignal; onBytes?: (n: number) => void } = {},
  ) => {
    count += 1
    const root = join(directory, `root${count}`)
    const path = join(directory, `file${count}`)
    mkdirSync(root)
    writeFileSync(path, data)
    const { gzip = true, ...rest } = options
    return unpackFile({ jobs, directory: root, path, gzip, asLayer: true, ...rest }).then((unpacked) => ({
      ...unpacked,
      root,
    }))
  }
  return { jobs, unpack, directory }
}

t.test('gzip of one and of many members is unpacked, and its plain bytes are hashed', needsRoot, async (t) => {
  const { unpack } = fixture(t)
  const plain = tar(file('a', 'x'.repeat(300_000)), file('b', 'second'))
  const whole = await unpack(gzipSync(plain))
  t.equal(whole.digest, digest(plain))
  t.equal(whole.entries, 2)
  t.equal(readFileSync(join(whole.root, 'a'), 'latin1').length, 300_000)
  const members = [plain.subarray(0, 7), plain.subarray(7, 100_000), plain.subarray(100_000)]
  const many = await unpack(Buffer.concat(members.map((part) => gzipSync(part))))
  t.equal(many.digest, digest(plain))
})

t.test('the digest is right for every length around a block', needsRoot, async (t) => {
  const { unpack } = fixture(t)
  // What follows the archive belongs to the digest, so that any length can be made.
  for (const more of [0, 1, 54, 55, 56, 57, 63, 64, 65, 119, 120, 128, 1000]) {
    const plain = Buffer.concat([tar(file('a', 'data')), Buffer.alloc(more)])
    t.equal((await unpack(gzipSync(plain))).digest, digest(plain), `${more} more bytes`)
  }
})

t.test('damaged, cut and trailing data are the archive’s fault', needsRoot, async (t) => {
  const { unpack } = fixture(t)
  const good = gzipSync(tar(file('a', createHash('sha512').update('noise').digest('hex').repeat(500))))
  const flipped = Buffer.from(good)
  flipped[good.length >> 1] = (flipped[good.length >> 1] ?? 0) ^ 0xff
  const fault = { kind: 'invalidArgument', message: /archive is damaged/ }
  await t.rejects(unpack(flipped), fault)
  await t.rejects(unpack(good.subarray(0, good.length - 20)), fault)
  await t.rejects(unpack(Buffer.concat([good, Buffer.from('more')])), fault)
  await t.rejects(unpack(Buffer.from('no gzip at all')), fault)
})

t.test('jobs run side by side, tell their progress, and end when they are cancelled', needsRoot, async (t) => {
  const { jobs, unpack, directory } = fixture(t)
  const large = gzipSync(tar(file('noise', 'n'.repeat(50_000_000))), { level: 0 })
  let told = 0
  const stop = new AbortController()
  const cancelled = t.rejects(
    unpack(large, {
      signal: stop.signal,
      onBytes: (bytes) => {
        told = bytes
        stop.abort(new Error('cancelled'))
      },
    }),
    { message: 'cancelled' },
  )
  const others = await Promise.all([1, 2, 3].map((n) => unpack(gzipSync(tar(file('n', String(n)))))))
  t.same(
    others.map(({ root }) => readFileSync(join(root, 'n'), 'utf8')),
    ['1', '2', '3'],
  )
  await cancelled
  t.ok(told > 0 && told < large.length, 'it was on its way')
  const missing = { jobs, directory, path: join(directory, 'missing'), gzip: false, asLayer: true }
  await t.rejects(unpackFile(missing), { kind: 'internal', message: /No such file/ })
  await t.rejects(jobs.run({ argv: ['sync', 'a\0b'] }), /cannot be sent/)
})

t.test('a process that dies fails its jobs, and the next job gets a new one', needsRoot, async (t) => {
  const { jobs, unpack } = fixture(t)
  const server = jobs.start()
  const running = unpack(gzipSync(tar(file('noise', 'n'.repeat(30_000_000))), { level: 0 }), {
    onBytes: () => server.kill(),
  })
  await t.rejects(running, { message: /ended with exit code/ })
  const { root } = await unpack(gzipSync(tar(file('after', 'yes'))))
  t.ok(lstatSync(join(root, 'after')).isFile())
})
