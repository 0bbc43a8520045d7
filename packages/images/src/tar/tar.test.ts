import { execFileSync } from 'node:child_process'
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { storedBytes, TarError, type TarHeader, type TarType } from './entry.ts'
import { defaultTarLimits, readTar, type TarLimits } from './reader.ts'
import { fileContent } from './sparse.ts'
import { encodeEntry, type NewEntry, tarEnd, tarPadding, writeTar } from './writer.ts'

type Whole = { entry: NewEntry; data: Buffer }

async function* chunks(data: Buffer, size = 1000): AsyncGenerator<Buffer> {
  for (let at = 0; at < data.length; at += size) yield data.subarray(at, at + size)
}

async function gather(source: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const part of source) parts.push(part)
  return Buffer.concat(parts)
}

async function readAll(data: Buffer, options: { limits?: TarLimits; chunk?: number } = {}) {
  const entries: { header: TarHeader; data: Buffer }[] = []
  for await (const { header, body } of readTar(chunks(data, options.chunk), options.limits ?? defaultTarLimits)) {
    entries.push({ header, data: await gather(fileContent(header, body)) })
  }
  return entries
}

const archive = (entries: readonly Whole[]) =>
  Buffer.concat([...entries.flatMap(({ entry, data }) => [encodeEntry(entry), data, tarPadding(data.length)]), tarEnd])

const text = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 300 })
  .filter((s) => !s.includes('\0') && s.isWellFormed())
const name = text.filter((s) => !s.endsWith('/') && s.length > 0)
const number = (max: number) => fc.oneof(fc.nat({ max: 100 }), fc.integer({ min: 0, max }))

const entry: fc.Arbitrary<Whole> = fc
  .record({
    name,
    type: fc.constantFrom<TarType>('file', 'link', 'symlink', 'character-device', 'block-device', 'directory', 'fifo'),
    linkName: text,
    mode: fc.integer({ min: 0, max: 0o7777 }),
    uid: number(2 ** 32 - 1),
    gid: number(2 ** 32 - 1),
    userName: fc.string({ maxLength: 40 }).filter((s) => !s.includes('\0')),
    mtimeNs: fc.bigInt({ min: -(10n ** 18n), max: 10n ** 19n }),
    deviceMajor: number(2 ** 21 - 1),
    deviceMinor: number(2 ** 21 - 1),
    xattrs: fc.dictionary(fc.stringMatching(/^user\.[a-z]{1,8}$/), fc.uint8Array({ maxLength: 50 })),
    data: fc.uint8Array({ maxLength: 2000 }),
  })
  .map(({ data, xattrs, ...fields }) => {
    const content = fields.type === 'file' ? Buffer.from(data) : Buffer.alloc(0)
    const attributes = new Map(Object.entries(xattrs).map(([key, value]) => [key, Buffer.from(value)]))
    return { entry: { ...fields, xattrs: attributes, sizeBytes: content.length }, data: content }
  })

t.test('what is written is read back, in chunks of any size', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(entry, { maxLength: 6 }), fc.integer({ min: 1, max: 3000 }), async (entries, chunk) => {
      const found = await readAll(archive(entries), { chunk })
      if (found.length !== entries.length) return false
      return entries.every(({ entry: wanted, data }, index) => {
        const { header, data: read } = found[index] ?? { header: undefined, data: Buffer.alloc(0) }
        if (header === undefined || !read.equals(data)) return false
        const isDevice = wanted.type === 'character-device' || wanted.type === 'block-device'
        const shown = wanted.type === 'directory' ? `${wanted.name}/` : wanted.name
        return (
          header.name === shown &&
          header.type === wanted.type &&
          header.linkName === wanted.linkName &&
          header.mode === wanted.mode &&
          header.uid === wanted.uid &&
          header.gid === wanted.gid &&
          header.userName === wanted.userName &&
          header.mtimeNs === wanted.mtimeNs &&
          (!isDevice || (header.deviceMajor === wanted.deviceMajor && header.deviceMinor === wanted.deviceMinor)) &&
          [...(wanted.xattrs ?? [])].every(([key, value]) => header.xattrs.get(key)?.equals(value))
        )
      })
    }),
    { numRuns: 300 },
  )
  t.pass('300 archives')
})

t.test('sparse files keep their holes', async (t) => {
  const piece = fc.record({ gap: fc.nat({ max: 5000 }), data: fc.uint8Array({ minLength: 1, maxLength: 700 }) })
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 8 }), fc.nat({ max: 5000 }), async (parts, tail) => {
      let at = 0
      const pieces = parts.map(({ gap, data }) => {
        const offset = at + gap
        at = offset + data.length
        return { offset, size: data.length }
      })
      const data = Buffer.concat(parts.map((part) => part.data))
      const whole = Buffer.alloc(at + tail)
      parts.forEach((part, index) => {
        whole.set(part.data, pieces[index]?.offset)
      })
      const found = await readAll(
        archive([{ entry: { name: 'x'.repeat(150), type: 'file', sizeBytes: whole.length, pieces }, data }]),
      )
      const [first] = found
      return (
        found.length === 1 &&
        first?.header.name === 'x'.repeat(150) &&
        first.data.equals(whole) &&
        storedBytes(first.header) === data.length
      )
    }),
    { numRuns: 200 },
  )
  t.pass('200 files')
})

t.test('GNU tar and Python read what is written here', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'tar-test-'))
  t.teardown(() => rmSync(dir, { recursive: true }))
  const long = `${'directory/'.repeat(20)}${'n'.repeat(120)}`
  const data = Buffer.from('some text')
  const file = join(dir, 'x.tar')
  const entries: Whole[] = [
    {
      entry: { name: long, type: 'file', sizeBytes: data.length, mtimeNs: 1_700_000_000_123_456_789n, uid: 3_000_000 },
      data,
    },
    { entry: { name: 'ä🐳', type: 'symlink', linkName: 'z'.repeat(200) }, data: Buffer.alloc(0) },
    {
      entry: { name: 'sparse', type: 'file', sizeBytes: 100_000, pieces: [{ offset: 50_000, size: data.length }] },
      data,
    },
  ]
  writeFileSync(file, archive(entries))
  const listed = execFileSync('tar', ['--numeric-owner', '--full-time', '-tvf', file], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C.UTF-8', TZ: 'UTC' },
  })
  t.match(listed, new RegExp(`3000000/0 +9 2023-11-14 22:13:20.123456789 ${long}`))
  t.match(listed, `ä🐳 -> ${'z'.repeat(200)}`)
  t.match(listed, /100000 .* sparse/)
  const python = execFileSync(
    'python3',
    ['-c', 'import sys,tarfile\nfor m in tarfile.open(sys.argv[1]): print(m.name, m.size, m.uid, m.linkname)', file],
    { encoding: 'utf8' },
  )
  t.match(python, `${long} 9 3000000`)
  t.match(python, 'sparse 100000 0')
})

t.test('what GNU tar and Python write is read here, in every format', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'tar-test-'))
  t.teardown(() => rmSync(dir, { recursive: true }))
  const source = join(dir, 'source')
  const deep = join(source, 'd'.repeat(90), 'e'.repeat(90))
  mkdirSync(deep, { recursive: true })
  const content = Buffer.alloc(3000, 'abc')
  writeFileSync(join(deep, 'f'.repeat(90)), content)
  writeFileSync(join(source, 'holes'), Buffer.from('start'))
  truncateSync(join(source, 'holes'), 1_000_000)
  symlinkSync('t'.repeat(180), join(source, 'link'))
  utimesSync(join(source, 'holes'), 1, 1_600_000_000.25)
  const holes = readFileSync(join(source, 'holes'))
  const check = async (label: string, file: string) => {
    const found = new Map(
      (await readAll(readFileSync(file), { chunk: 65_536 })).map((e) => [e.header.name.replace(/^\.?\//, ''), e]),
    )
    const name = `${'d'.repeat(90)}/${'e'.repeat(90)}/${'f'.repeat(90)}`
    t.ok(found.get(name)?.data.equals(content), `${label}: long name`)
    t.ok(found.get('holes')?.data.equals(holes), `${label}: sparse`)
    t.equal(found.get('link')?.header.linkName, 't'.repeat(180), `${label}: link`)
    t.equal(
      found.get('holes')?.header.mtimeNs,
      label.includes('posix') ? 1_600_000_000_250_000_000n : found.get('holes')?.header.mtimeNs,
    )
  }
  const forms = [
    ['--format=gnu'],
    ['--format=gnu', '--sparse'],
    ['--format=posix'],
    ...['0.0', '0.1', '1.0'].map((version) => ['--format=posix', '--sparse', `--sparse-version=${version}`]),
  ]
  for (const form of forms) {
    const file = join(dir, 'x.tar')
    execFileSync('tar', [...form, '-C', source, '-cf', file, '.'])
    await check(form.join(' '), file)
  }
  for (const form of ['GNU_FORMAT', 'PAX_FORMAT']) {
    const file = join(dir, 'x.tar')
    execFileSync('python3', [
      '-c',
      `import sys,tarfile\nt=tarfile.open(sys.argv[1],"w",format=tarfile.${form})\nt.add(sys.argv[2],".")\nt.close()`,
      file,
      source,
    ])
    await check(form, file)
  }
})

t.test('damaged and hostile archives are refused, never more', async (t) => {
  const good = archive([{ entry: { name: 'a', type: 'file', sizeBytes: 4 }, data: Buffer.from('data') }])
  await t.rejects(readAll(good.subarray(0, 514)), { name: 'TarError', message: 'unexpected EOF' })
  await t.rejects(readAll(Buffer.from('garbage'.repeat(200))), {
    name: 'TarError',
    message: 'archive/tar: invalid tar header',
  })
  const huge = encodeEntry({ name: 'x', type: 'file', sizeBytes: 2 ** 52 })
  await t.rejects(readAll(huge), { name: 'TarError', message: 'unexpected EOF' })
  const pax = Buffer.from(encodeEntry({ name: 'n'.repeat(120), type: 'file' }))
  pax.write('77777777777\0', 124, 'latin1')
  t.rejects(readAll(refreshed(pax)), {
    name: 'TarError',
    message: 'archive/tar: invalid tar header: extended header too large',
  })
  const limits = { ...defaultTarLimits, entries: 2 }
  const many = archive(
    Array.from({ length: 3 }, (_, i) => ({ entry: { name: `f${i}`, type: 'file' as const }, data: Buffer.alloc(0) })),
  )
  await t.rejects(readAll(many, { limits }), { name: 'TarError', message: 'archive has more than 2 entries' })
  await t.rejects(readAll(many, { limits: { ...defaultTarLimits, totalBytes: 1000 } }), /exceeds 1000 bytes/)
  const longName = archive([{ entry: { name: 'n'.repeat(5000), type: 'file' }, data: Buffer.alloc(0) }])
  await t.rejects(readAll(longName), /path too long/)
})

/** The header's checksum, made right again. */
function refreshed(block: Buffer): Buffer {
  const copy = Buffer.from(block)
  copy.fill(0x20, 148, 156)
  const sum = copy.subarray(0, 512).reduce((total, byte) => total + byte, 0)
  copy.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return copy
}

t.test('any bytes end in entries or in a TarError', async (t) => {
  const base = archive([
    {
      entry: {
        name: 'long'.repeat(60),
        type: 'file',
        sizeBytes: 4,
        xattrs: new Map([['user.x', Buffer.from([0, 255])]]),
      },
      data: Buffer.from('data'),
    },
    {
      entry: {
        name: 's',
        type: 'file',
        sizeBytes: 5000,
        pieces: [
          { offset: 0, size: 2 },
          { offset: 4000, size: 2 },
        ],
      },
      data: Buffer.from('abcd'),
    },
  ])
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat({ max: base.length - 1 }), fc.nat({ max: 255 })), { minLength: 1, maxLength: 6 }),
      fc.boolean(),
      async (changes, repair) => {
        let mutant: Buffer = Buffer.from(base)
        for (const [at, value] of changes) mutant[at] = value
        if (repair) mutant = refreshed(mutant)
        try {
          for await (const { body } of readTar(chunks(mutant))) for await (const _ of body);
          return true
        } catch (error) {
          return error instanceof TarError
        }
      },
    ),
    { numRuns: 1000 },
  )
  t.pass('1000 mutants')
})

t.test('a body that does not keep its size fails the archive', async (t) => {
  async function* entries(size: number): AsyncGenerator<{ entry: NewEntry; body: Buffer[] }> {
    yield { entry: { name: 'x', type: 'file', sizeBytes: size }, body: [Buffer.from('four')] }
  }
  for (const size of [3, 5]) await t.rejects(gather(writeTar(entries(size))), /where its header says/)
  t.equal((await gather(writeTar(entries(4)))).length, 512 * 4)
})
