/** Copies in a container's view: what is mounted shows, what is read-only stays, and no race reaches the host. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import type { FileView, ViewMount } from '@dockerd-ts/core'
import t, { type Test } from 'tap'
import { needsRoot } from '../monitor/testing/test-bundle.ts'
import { createContainerArchives } from './container-archives.ts'

const monitor = fileURLToPath(new URL('../../../monitor', import.meta.url))
execFileSync(`${monitor}/build.sh`)
const program = `${monitor}/build/dockerd-ts-monitor`
const archives = createContainerArchives({ program, decompress: async (source) => source, isPlain: () => true })

interface Place {
  root: string
  /** A directory of the host with a secret. */
  outside: string
  view: (...mounts: ViewMount[]) => FileView
}

/** A root filesystem of its own, a tmpfs. */
function place(t: Test): Place {
  const directory = mkdtempSync(join(tmpdir(), 'archives-test-'))
  const root = join(directory, 'root')
  const outside = join(directory, 'outside')
  for (const path of [root, outside]) mkdirSync(path)
  writeFileSync(join(outside, 'secret'), 'host secret')
  execFileSync('mount', ['-t', 'tmpfs', 'archives-test', root])
  t.teardown(() => {
    execFileSync('umount', [root])
    rmSync(directory, { recursive: true })
  })
  return { root, outside, view: (...mounts) => ({ root, mounts, readOnlyRoot: false }) }
}

async function tarOf(view: FileView, path: string): Promise<Buffer> {
  const found = await archives.read(view, path, 'd/')
  if (typeof found === 'string') throw new Error(found)
  return buffer(found.tar)
}

const namesIn = (tar: Buffer) =>
  execFileSync('tar', ['-tf', '-'], { input: tar, encoding: 'utf8' }).split('\n').filter(Boolean)

function tarWith(...files: string[]): Readable {
  const source = mkdtempSync(join(tmpdir(), 'archives-tar-'))
  for (const name of files) writeFileSync(join(source, name), 'copied')
  const tar = execFileSync('tar', ['-C', source, '-c', '--owner=7', '--group=8', ...files])
  rmSync(source, { recursive: true })
  return Readable.from([tar])
}

const put = (path: string, tar = tarWith('new')) => ({ path, tar, keepKinds: true })

t.test('copies', needsRoot, async (t) => {
  await t.test('volumes show in it; what they hide does not', async (t) => {
    const { root, outside, view } = place(t)
    mkdirSync(join(root, 'd/v'), { recursive: true })
    writeFileSync(join(root, 'd/v/hidden'), '')
    const mounts = [
      { source: outside, destination: '/d/v', writable: true },
      { source: join(outside, 'secret'), destination: '/made/file', writable: false },
    ]
    t.same(namesIn(await tarOf(view(...mounts), '/d')), ['d/', 'd/v/', 'd/v/secret'])
    t.match(await archives.stat(view(...mounts), '/made/file'), { sizeBytes: 11 })
    t.same(await archives.stat(view(...mounts), '/d/v/hidden'), 'no such file')
    t.same(readdirSync(join(root, 'd/v')), ['hidden'], 'the host sees none of the mounts')
  })

  await t.test('what is read-only stays; everything else takes owners and is written', async (t) => {
    const { root, outside, view } = place(t)
    mkdirSync(join(root, 'w'))
    const readOnly = { source: outside, destination: '/ro', writable: false }
    const writable = { source: outside, destination: '/rw', writable: true }
    const root400 = { kind: 'invalidArgument', message: 'container rootfs is marked read-only' }
    const volume400 = { kind: 'invalidArgument', message: 'mounted volume is marked read-only' }
    const locked = { ...view(readOnly, writable), readOnlyRoot: true }
    await t.rejects(archives.write(view(readOnly), put('/ro')), volume400)
    await t.rejects(archives.write(locked, put('/w')), root400)
    symlinkSync('/w', join(outside, 'way-out'))
    const through = tarWith('x')
    await archives.write(locked, { ...put('/rw', through), owner: { uid: 3, gid: 4 } })
    await t.rejects(archives.write(locked, put('/rw/way-out')), root400)
    t.same(readdirSync(join(root, 'w')), [])
    t.same(readdirSync(outside).sort(), ['secret', 'way-out', 'x'])
    t.same(await archives.write(view(), put('/none')), 'no such file')
    writeFileSync(join(root, 'file'), '')
    t.same(await archives.write(view(), put('/file')), 'not a directory')
  })

  await t.test('a mount point is neither emptied nor replaced', async (t) => {
    const { root, outside, view } = place(t)
    mkdirSync(join(root, 'v'))
    const mount = { source: outside, destination: '/v', writable: true }
    await t.rejects(archives.write(view(mount), { ...put('/', tarWith('v')), keepKinds: false }), { message: /busy/i })
    t.same(readdirSync(outside), ['secret'])
  })

  await t.test('links of the container lead nowhere else, however it swaps them meanwhile', async (t) => {
    const { root, outside, view } = place(t)
    mkdirSync(join(root, 'target'))
    symlinkSync(outside, join(root, 'link'))
    const racer = spawn(process.execPath, ['-e', swapper], { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] })
    try {
      await once(racer.stdout, 'data')
      let reached = false
      for (let attempt = 0; attempt < 1_000_000 && !reached; attempt++) reached = reads(join(root, 'target/secret'))
      t.ok(reached, 'whoever walks by the host’s paths is led astray')
      for (let round = 0; round < 60; round++) {
        const tar = await tarOf(view(), '/target/').catch((error: Error) => error.message)
        t.notMatch(tar.toString(), 'host secret')
        await archives.write(view(), put('/target')).catch(() => {})
      }
    } finally {
      racer.kill()
      await once(racer, 'close')
    }
    t.same(readdirSync(outside), ['secret'], 'nothing was written outside')
  })

  await t.test('a cut upload is an error, and a reader that leaves ends the process', async (t) => {
    const { root, view } = place(t)
    mkdirSync(join(root, 'w'))
    const cut = Readable.from(
      (async function* () {
        yield* tarWith('new')
        throw new Error('the client has gone')
      })(),
    )
    await t.rejects(archives.write(view(), put('/w', cut)), { message: 'the client has gone' })
    execFileSync('truncate', ['-s', '1G', join(root, 'big')])
    const found = await archives.read(view(), '/big', '')
    if (typeof found === 'string') throw new Error(found)
    const closed = once(found.tar, 'close')
    found.tar.destroy()
    await closed
    while (copiesOf(root) > 0) await new Promise((resolve) => setImmediate(resolve))
    t.equal(copiesOf(root), 0)
  })
})

/** As fast as it can: `target` is a directory, then a link to the host's, then a directory again. */
const swapper = `
const { renameSync } = require('node:fs')
process.stdout.write('go')
for (;;) {
  renameSync('target', 'kept'); renameSync('link', 'target')
  renameSync('target', 'link'); renameSync('kept', 'target')
}`

function reads(path: string): boolean {
  try {
    return readFileSync(path, 'utf8') === 'host secret'
  } catch {
    return false
  }
}

function copiesOf(root: string): number {
  return readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`\0${root}\0`)
    } catch {
      return false
    }
  }).length
}
