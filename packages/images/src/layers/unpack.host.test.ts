/** The C program's unpack and pack, against hostile archives and with GNU tar as the judge. */
import { execFileSync, spawnSync } from 'node:child_process'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { packTree } from '@dockerd-ts/linux'
import t from 'tap'
import { encodeEntry, type NewEntry, tarEnd, tarPadding } from '../tar/writer.ts'
import { builtLayerProgram } from '../testing/layer-program.ts'
import { unpackStream } from './layer-program.ts'

const program = builtLayerProgram()
const sanitized = builtLayerProgram('sanitize')

/** `outer/secret` stands beside the root: nothing may touch it. */
function makeRoot(t: { teardown(work: () => void): void }) {
  const outer = mkdtempSync(join(tmpdir(), 'unpack-test-'))
  t.teardown(() => rmSync(outer, { recursive: true, force: true }))
  const root = join(outer, 'root')
  mkdirSync(root)
  writeFileSync(join(outer, 'secret'), 'untouched')
  return { outer, root }
}

type Item = NewEntry & { data?: string }

const archive = (...items: Item[]): Buffer =>
  Buffer.concat([
    ...items.flatMap(({ data = '', ...entry }) => [
      encodeEntry({ sizeBytes: data.length, ...entry }),
      Buffer.from(data),
      tarPadding(data.length),
    ]),
    tarEnd,
  ])

async function* only(data: Buffer): AsyncGenerator<Buffer> {
  yield data
}

const unpackInto = (root: string, data: Buffer, asLayer = true) =>
  unpackStream({ program, directory: root, stream: only(data), asLayer })

/** Python is the judge: Node can't read extended attributes. '' where there is none. */
function xattr(path: string, name: string, encoding: 'latin1' | 'hex' = 'latin1'): string {
  const script = 'import os,sys; sys.stdout.buffer.write(os.getxattr(sys.argv[1], sys.argv[2], follow_symlinks=False))'
  return spawnSync('python3', ['-c', script, path, name]).stdout.toString(encoding)
}

t.test('what climbs is refused or ends inside the root', async (t) => {
  const file = (name: string): Item => ({ name, type: 'file', data: 'evil' })
  const link = (name: string, linkName: string): Item => ({ name, type: 'symlink', linkName })
  const outside = ['../secret', 'a/../../secret', '../../../../../../tmp/x']
  for (const name of outside) {
    const { root, outer } = makeRoot(t)
    await t.rejects(unpackInto(root, archive(file(name))), {
      kind: 'invalidArgument',
      message: `${name} is outside of the root`,
    })
    t.equal(readFileSync(join(outer, 'secret'), 'utf8'), 'untouched')
  }
  const inside: [string, Item[], string][] = [
    ['an absolute name', [file('/etc/x')], 'etc/x'],
    ['an absolute link', [{ name: 'abs', type: 'directory' }, link('l', '/abs'), file('l/x')], 'abs/x'],
    ['a link upwards', [link('l', '../../..'), file('l/x')], 'x'],
    ['a chain of links', [link('a', '..'), link('b', 'a/a/a'), file('b/secret')], 'secret'],
  ]
  for (const [label, items, path] of inside) {
    const { root, outer } = makeRoot(t)
    await unpackInto(root, archive(...items))
    t.equal(readFileSync(join(root, path), 'utf8'), 'evil', label)
    t.equal(readFileSync(join(outer, 'secret'), 'utf8'), 'untouched', label)
    t.strictSame(readdirSync(outer).sort(), ['root', 'secret'])
  }
})

t.test('a hard link reaches nothing outside, and a file replaces a link instead of following it', async (t) => {
  const { root, outer } = makeRoot(t)
  const hard: Item = { name: 'h', type: 'link', linkName: '../secret' }
  await t.rejects(unpackInto(root, archive(hard)), {
    kind: 'invalidArgument',
    message: /^link \/secret \/h: no such file or directory/,
  })
  symlinkSync(join(outer, 'secret'), join(root, 'l'))
  await unpackInto(root, archive({ name: 'l', type: 'file', data: 'new' }))
  t.equal(readFileSync(join(outer, 'secret'), 'utf8'), 'untouched')
  t.ok(lstatSync(join(root, 'l')).isFile())
  symlinkSync(outer, join(root, 'd'))
  await unpackInto(root, archive({ name: 'd/', type: 'directory' }, { name: 'd/secret', type: 'file', data: 'new' }))
  t.equal(readFileSync(join(outer, 'secret'), 'utf8'), 'untouched')
})

t.test('whiteouts hide lower layers, and only those', async (t) => {
  const { root } = makeRoot(t)
  const empty = (name: string): Item => ({ name, type: 'file' })
  await unpackInto(
    root,
    archive(
      empty('dir/.wh.gone'),
      empty('opaque/.wh..wh..opq'),
      { name: 'opaque/new', type: 'file', data: 'x' },
      empty('.wh.replaced'),
      { name: 'replaced/', type: 'directory' },
      { name: 'kept', type: 'file', data: 'kept' },
      empty('.wh.kept'),
      { name: 'later/', type: 'directory' },
      empty('.wh.later'),
      empty('.wh..wh.plnk/1.2'),
      { name: 'attack', type: 'directory', xattrs: new Map([['trusted.overlay.redirect', Buffer.from('/etc')]]) },
    ),
  )
  const gone = lstatSync(join(root, 'dir/gone'))
  t.ok(gone.isCharacterDevice() && gone.rdev === 0, 'a whiteout is device 0/0')
  t.equal(xattr(join(root, 'opaque'), 'trusted.overlay.opaque'), 'y')
  t.equal(
    xattr(join(root, 'replaced'), 'trusted.overlay.opaque'),
    'y',
    'a directory over a whiteout hides what was below',
  )
  t.equal(xattr(join(root, 'later'), 'trusted.overlay.opaque'), 'y', 'in either order')
  t.equal(readFileSync(join(root, 'kept'), 'utf8'), 'kept')
  t.equal(xattr(join(root, 'attack'), 'trusted.overlay.redirect'), '', "overlay's own attributes are not taken")
  t.strictSame(readdirSync(root).sort(), ['attack', 'dir', 'kept', 'later', 'opaque', 'replaced'])
  for (const bad of ['.wh...', '.wh..', '.wh.']) {
    await t.rejects(
      unpackInto(root, archive(empty(bad))),
      { kind: 'invalidArgument', message: /invalid whiteout/ },
      bad,
    )
  }
})

t.test('everything an inode carries is kept', async (t) => {
  const { root } = makeRoot(t)
  const capability = Buffer.from('0100000200200000000000000000000000000000', 'hex')
  const { sizeBytes } = await unpackInto(
    root,
    archive(
      { name: 'd/', type: 'directory', mode: 0o1770, uid: 7, gid: 8, mtimeNs: 1_500_000_000_000_000_001n },
      {
        name: 'd/f',
        type: 'file',
        data: 'text',
        mode: 0o4755,
        uid: 3_000_000,
        gid: 4_000_000_000,
        mtimeNs: 1_600_000_000_123_456_789n,
        xattrs: new Map([
          ['security.capability', capability],
          ['user.bytes', Buffer.from([0, 255, 10])],
        ]),
      },
      { name: 'd/hard', type: 'link', linkName: 'd/f' },
      { name: 'link', type: 'symlink', linkName: 'd/f', uid: 5, mtimeNs: 1_400_000_000_000_000_000n },
      { name: 'null', type: 'character-device', deviceMajor: 1, deviceMinor: 3, mode: 0o666 },
      { name: 'disk', type: 'block-device', deviceMajor: 259, deviceMinor: 70_000 },
      { name: 'fifo', type: 'fifo' },
    ),
  )
  t.equal(sizeBytes, 'text'.length + 'd/f'.length, 'files once, and texts of links')
  const stat = (path: string) =>
    execFileSync('stat', ['-c', '%F %a %u %g %.9Y %h %t:%T', join(root, path)], { encoding: 'utf8' }).trim()
  t.equal(stat('d'), 'directory 1770 7 8 1500000000.000000001 2 0:0')
  t.equal(stat('d/f'), 'regular file 4755 3000000 4000000000 1600000000.123456789 2 0:0')
  t.equal(statSync(join(root, 'd/hard')).ino, statSync(join(root, 'd/f')).ino)
  t.match(stat('link'), /^symbolic link 777 5 0 1400000000\.000000000/)
  t.match(stat('null'), /^character special file 666 .* 1:3$/)
  t.match(stat('disk'), /^block special file .* 103:11170$/)
  t.match(stat('fifo'), /^fifo/)
  t.equal(xattr(join(root, 'd/f'), 'security.capability', 'hex'), capability.toString('hex'))
  t.equal(xattr(join(root, 'd/f'), 'user.bytes', 'hex'), '00ff0a')
})

t.test('a tree deeper than descriptors and paths allow is replaced all the same', async (t) => {
  const { root } = makeRoot(t)
  const items: Item[] = []
  const part = 'd/'.repeat(900)
  for (let level = 0; level < 4; level++) {
    items.push({ name: `${level === 0 ? '' : `l${level - 1}/`}${part}`, type: 'directory' })
    items.push({
      name: `l${level}`,
      type: 'symlink',
      linkName: `${level === 0 ? '' : `l${level - 1}/`}${part.slice(0, -1)}`,
    })
  }
  items.push({ name: 'd', type: 'file', data: 'flat' })
  await unpackInto(root, archive(...items))
  t.equal(readFileSync(join(root, 'd'), 'utf8'), 'flat')
})

t.test('pack gives back what GNU tar finds equal, and whiteouts as a layer has them', async (t) => {
  const { root, outer } = makeRoot(t)
  const layer = archive(
    { name: 'a/', type: 'directory', mode: 0o750 },
    { name: 'a/f', type: 'file', data: 'x', uid: 3_000_000, mtimeNs: 1_600_000_000_000_000_000n },
    { name: 'a/hard', type: 'link', linkName: 'a/f' },
    { name: `a/${'n'.repeat(200)}`, type: 'file', data: 'long' },
    { name: 's', type: 'symlink', linkName: 't'.repeat(150) },
    { name: 'p', type: 'fifo' },
    { name: 'a/.wh.gone', type: 'file' },
    { name: 'o/.wh..wh..opq', type: 'file' },
  )
  await unpackInto(root, layer)
  const read = async (asLayer: boolean) => {
    const parts: Buffer[] = []
    for await (const chunk of packTree({ program, directory: root, asLayer })) parts.push(chunk as Buffer)
    return Buffer.concat(parts)
  }
  const plain = await read(false)
  writeFileSync(join(outer, 'plain.tar'), plain)
  execFileSync('tar', ['--compare', '-f', join(outer, 'plain.tar'), '-C', root])
  const packed = await read(true)
  t.ok(packed.equals(await read(true)), 'equal trees give equal bytes')
  const again = join(outer, 'again')
  mkdirSync(again)
  await unpackInto(again, packed)
  t.ok(lstatSync(join(again, 'a/gone')).isCharacterDevice())
  t.equal(xattr(join(again, 'o'), 'trusted.overlay.opaque'), 'y')
  t.equal(readlinkSync(join(again, 's')), 't'.repeat(150))
  execFileSync('tar', ['--compare', '-f', join(outer, 'plain.tar'), '-C', again])
  await t.rejects(
    async () => {
      for await (const _ of packTree({ program, directory: join(outer, 'none'), asLayer: false }));
    },
    { kind: 'internal', message: /./ },
  )
})

t.test('500 mutated archives: no crash, no write outside, nothing but the two exit codes', async (t) => {
  const { root, outer } = makeRoot(t)
  const base = archive(
    { name: 'dir/', type: 'directory' },
    {
      name: `dir/${'long'.repeat(60)}`,
      type: 'file',
      data: 'data',
      xattrs: new Map([['user.x', Buffer.from([0, 255])]]),
    },
    { name: 'sparse', type: 'file', sizeBytes: 9000, pieces: [{ offset: 4096, size: 4 }], data: 'abcd' },
    { name: 'link', type: 'symlink', linkName: '../dir' },
    { name: 'hard', type: 'link', linkName: 'sparse' },
    { name: 'link/x', type: 'file', data: 'y' },
  )
  let seed = 12_345
  const random = (below: number) => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 1
    return seed % below
  }
  const outcomes = new Map<number | null, number>()
  for (let round = 0; round < 500; round++) {
    const mutant = Buffer.from(base)
    for (let change = 0; change <= random(4); change++) mutant[random(mutant.length)] = random(256)
    // Every other one with right checksums: then the fields themselves are at stake.
    if (round % 2 === 0)
      for (let at = 0; at < mutant.length; at += 512) if (mutant[at + 257] === 0x75) fixChecksum(mutant, at)
    const cut = round % 5 === 0 ? random(mutant.length) : mutant.length
    const { status, stderr, signal } = spawnSync(sanitized, ['unpack', '--layer', root], {
      input: mutant.subarray(0, cut),
      encoding: 'utf8',
      env: { ASAN_OPTIONS: 'detect_leaks=0' },
    })
    outcomes.set(status, (outcomes.get(status) ?? 0) + 1)
    if (signal !== null || (status !== 0 && status !== 1 && status !== 2) || /Sanitizer|runtime error/.test(stderr)) {
      t.fail(`round ${round}: ${signal ?? status} ${stderr}`)
      break
    }
  }
  t.ok((outcomes.get(0) ?? 0) > 0 && (outcomes.get(1) ?? 0) > 0, 'some were good, some were refused')
  t.equal(readFileSync(join(outer, 'secret'), 'utf8'), 'untouched')
  t.strictSame(readdirSync(outer).sort(), ['root', 'secret'])
  t.notOk(existsSync('/link'))
})

function fixChecksum(data: Buffer, at: number): void {
  data.fill(0x20, at + 148, at + 156)
  const sum = data.subarray(at, at + 512).reduce((total, byte) => total + byte, 0)
  data.write(`${sum.toString(8).padStart(6, '0')}\0 `, at + 148, 'latin1')
}
