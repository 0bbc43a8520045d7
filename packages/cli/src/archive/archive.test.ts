/** The tar codec against GNU tar, and the rules of `cp`. */
import { execFileSync } from 'node:child_process'
import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { sourceOf } from '../client/streams.ts'
import { archiveName, planCopy, rebase, splitCopyArgument } from './copy-paths.ts'
import { packPath } from './pack.ts'
import { encodeHeader } from './tar-header.ts'
import { unpackTar } from './unpack.ts'

function directory(t: { teardown(handler: () => unknown): void }): string {
  const path = mkdtempSync(join(tmpdir(), 'dts-tar-'))
  t.teardown(() => rmSync(path, { recursive: true }))
  return path
}

const same = (name: string) => name

async function* bytes(...parts: Buffer[]): AsyncGenerator<Buffer, void> {
  yield* parts
}

async function toFile(path: string, chunks: AsyncIterable<Buffer>): Promise<void> {
  const parts: Buffer[] = []
  for await (const chunk of chunks) parts.push(chunk)
  writeFileSync(path, Buffer.concat(parts))
}

function makeTree(root: string): void {
  mkdirSync(join(root, 'd/é'), { recursive: true })
  writeFileSync(join(root, 'd/file'), 'content', { mode: 0o640 })
  linkSync(join(root, 'd/file'), join(root, 'd/hard'))
  symlinkSync('file', join(root, 'd/soft'))
  writeFileSync(join(root, 'd/é', `${'long'.repeat(40)}`), 'x'.repeat(100_000))
  writeFileSync(join(root, 'd/empty'), '')
}

function checkTree(t: Tap.Test, root: string): void {
  t.equal(readFileSync(join(root, 'd/file'), 'utf8'), 'content')
  t.equal(lstatSync(join(root, 'd/file')).mode & 0o777, 0o640)
  t.equal(lstatSync(join(root, 'd/file')).ino, lstatSync(join(root, 'd/hard')).ino)
  t.equal(readlinkSync(join(root, 'd/soft')), 'file')
  t.equal(readFileSync(join(root, 'd/é', 'long'.repeat(40))).length, 100_000)
  t.equal(readFileSync(join(root, 'd/empty')).length, 0)
}

declare namespace Tap {
  interface Test {
    equal(found: unknown, wanted: unknown): boolean
  }
}

t.test('what is packed here GNU tar unpacks', async (t) => {
  const root = directory(t)
  makeTree(root)
  await toFile(join(root, 'x.tar'), packPath(join(root, 'd'), 'd'))
  mkdirSync(join(root, 'out'))
  execFileSync('tar', ['xf', join(root, 'x.tar'), '-C', join(root, 'out')])
  checkTree(t, join(root, 'out'))
})

for (const format of ['gnu', 'pax', 'posix']) {
  t.test(`what GNU tar packs as ${format} is unpacked here`, async (t) => {
    const root = directory(t)
    makeTree(root)
    const tar = execFileSync('tar', ['c', `--format=${format}`, '-C', root, 'd'], { maxBuffer: 1 << 24 })
    await unpackTar(sourceOf(bytes(tar)), join(root, 'out'), { rename: same })
    checkTree(t, join(root, 'out'))
  })
}

const entry = (name: string, fields: object = {}) =>
  encodeHeader({
    name,
    type: 'file',
    mode: 0o644,
    uid: 0,
    gid: 0,
    sizeBytes: 0,
    mtimeSeconds: 1,
    linkName: '',
    deviceMajor: 0,
    deviceMinor: 0,
    ...fields,
  })

t.test('no entry is written outside the destination', async (t) => {
  const root = directory(t)
  const out = join(root, 'out')
  mkdirSync(out)
  await t.rejects(unpackTar(sourceOf(bytes(entry('../evil'))), out, { rename: same }), /leads out of the destination/)
  const link = entry('l', { type: 'symlink', linkName: 'd' })
  await t.rejects(unpackTar(sourceOf(bytes(link, entry('l/evil'))), out, { rename: same }), /is a symbolic link/)
  const outward = entry('o', { type: 'symlink', linkName: '..' })
  await t.rejects(unpackTar(sourceOf(bytes(outward)), out, { rename: same }), {
    message: `invalid symlink "${out}/o" -> ".."`,
  })
  const absolute = entry('/etc-evil')
  await unpackTar(sourceOf(bytes(absolute)), out, { rename: same })
  t.ok(existsSync(join(out, 'etc-evil')), 'an absolute name counts from the destination')
  const hard = entry('h', { type: 'hardlink', linkName: '../../etc/passwd' })
  await t.rejects(unpackTar(sourceOf(bytes(hard)), out, { rename: same }), /leads out of the destination/)
  t.notOk(existsSync(join(root, 'evil')))
})

t.test('a link at the destination is replaced, not followed', async (t) => {
  const root = directory(t)
  writeFileSync(join(root, 'victim'), 'safe')
  mkdirSync(join(root, 'out'))
  symlinkSync('../victim', join(root, 'out/f'))
  await unpackTar(sourceOf(bytes(entry('f'))), join(root, 'out'), { rename: same })
  t.equal(readFileSync(join(root, 'victim'), 'utf8'), 'safe')
})

t.test('a directory is not overwritten by a file, nor a file by a directory', async (t) => {
  const root = directory(t)
  mkdirSync(join(root, 'd'))
  writeFileSync(join(root, 'f'), '')
  await t.rejects(unpackTar(sourceOf(bytes(entry('d'))), root, { rename: same }), /cannot overwrite directory/)
  await t.rejects(
    unpackTar(sourceOf(bytes(entry('f/', { type: 'directory' }))), root, { rename: same }),
    /cannot overwrite non-directory/,
  )
})

t.test('damaged archives are refused', async (t) => {
  const root = directory(t)
  const block = entry('x')
  block[0] = 0x7a
  await t.rejects(unpackTar(sourceOf(bytes(block)), root, { rename: same }), /invalid tar header/)
  await t.rejects(
    unpackTar(sourceOf(bytes(entry('x', { sizeBytes: 10 }), Buffer.from('short'))), root, { rename: same }),
    /unexpected EOF/,
  )
})

t.test('where a copy goes and what it is called there', async (t) => {
  const file = { path: 'a/f', isDirectory: false, baseName: 'f' }
  const dir = { path: 'a/d', isDirectory: true, baseName: 'd' }
  t.same(planCopy(file, { path: '/t', exists: true, isDirectory: true }), { directory: '/t', name: 'f' })
  t.same(planCopy(file, { path: '/t/g', exists: false, isDirectory: false }), { directory: '/t', name: 'g' })
  t.same(planCopy(dir, { path: '/t/e', exists: false, isDirectory: false }), { directory: '/t', name: 'e' })
  t.throws(() => planCopy(dir, { path: '/t/f', exists: true, isDirectory: false }), new Error('cannot copy directory'))
  t.throws(() => planCopy(file, { path: '/t/n/', exists: false, isDirectory: false }), new Error('no such directory'))
})

t.test('names in archives', async (t) => {
  t.equal(archiveName('/etc/.'), '.')
  t.equal(archiveName('/etc/'), 'etc')
  t.equal(archiveName('/'), '/')
  t.equal(rebase('d/x', 'd', 'e'), 'e/x')
  t.equal(rebase('d', 'd', 'e'), 'e')
  t.equal(rebase('dd/x', 'd', 'e'), 'dd/x')
  t.same(splitCopyArgument('c:/x'), { container: 'c', path: '/x' })
  t.same(splitCopyArgument('./c:x'), { container: '', path: './c:x' })
  t.same(splitCopyArgument('/a:b'), { container: '', path: '/a:b' })
})
