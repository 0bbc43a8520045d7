import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import t from 'tap'
import { buildProgram, needsRoot } from '../monitor/testing/test-bundle.ts'
import { startHostHelper } from '../syscalls/host-helper.ts'
import { readMountTable } from './mount-table.ts'
import { OverlayRootFilesystems } from './overlay-root-filesystems.ts'

const helper = await startHostHelper({ program: buildProgram() })
t.teardown(() => helper.close())

interface Fixture {
  dataRoot: string
  layersRoot: string
  rootFilesystems: OverlayRootFilesystems
}

/** A data root in a temporary directory with image layers made by shell scripts, topmost first. */
function fixture(t: Tap, layers: Record<string, string>): Fixture {
  const dataRoot = mkdtempSync(path.join(tmpdir(), 'rootfs-'))
  const layersRoot = path.join(dataRoot, 'layers')
  for (const [name, script] of Object.entries(layers)) {
    const directory = path.join(layersRoot, name)
    mkdirSync(directory, { recursive: true })
    execFileSync('sh', ['-ec', script], { cwd: directory })
  }
  t.teardown(async () => {
    for (const { mountPoint } of (await readMountTable()).reverse()) {
      if (mountPoint.startsWith(dataRoot)) execFileSync('umount', ['-l', mountPoint])
    }
    rmSync(dataRoot, { recursive: true, force: true })
  })
  return { dataRoot, layersRoot, rootFilesystems: new OverlayRootFilesystems({ dataRoot, helper }) }
}

type Tap = Pick<typeof t, 'teardown'>

async function mountsBelow(directory: string): Promise<string[]> {
  return (await readMountTable()).map((entry) => entry.mountPoint).filter((point) => point.startsWith(directory))
}

t.test('layers are merged, the topmost wins, writes stay in the writable layer', needsRoot, async (t) => {
  const { dataRoot, layersRoot, rootFilesystems } = fixture(t, {
    top: 'echo top >file; mknod gone c 0 0',
    bottom: 'echo bottom >file; echo x >gone; echo kept >kept',
  })
  await rootFilesystems.create('one', { layersRoot, directories: ['top', 'bottom'] })
  const root = await rootFilesystems.mount('one')
  t.equal(await rootFilesystems.mount('one'), root, 'mounting again changes nothing')
  t.equal(readFileSync(path.join(root, 'file'), 'utf8'), 'top\n')
  t.equal(readFileSync(path.join(root, 'kept'), 'utf8'), 'kept\n')
  t.notOk(readdirSync(root).includes('gone'))
  writeFileSync(path.join(root, 'new'), '12345')
  t.equal(readFileSync(path.join(rootFilesystems.upperDirectory('one'), 'new'), 'utf8'), '12345')
  t.equal(await rootFilesystems.writableSizeBytes('one'), 5)
  await rootFilesystems.unmount('one')
  t.strictSame(await mountsBelow(dataRoot), [])
  await rootFilesystems.unmount('one')
  await rootFilesystems.remove('one')
  t.strictSame(readdirSync(path.join(dataRoot, 'containers')), [])
  await rootFilesystems.remove('one')
  mkdirSync(path.join(dataRoot, 'containers/cut-short/work'), { recursive: true })
  mkdirSync(path.join(dataRoot, 'containers/other-files-only'))
  t.strictSame(await rootFilesystems.existing(() => false), { unknown: ['cut-short'], mounted: [] })
  t.strictSame(await rootFilesystems.existing(() => true), { unknown: [], mounted: [] })
  await rootFilesystems.remove('cut-short')
  t.strictSame(readdirSync(path.join(dataRoot, 'containers')), ['other-files-only'])
})

t.test('mount points exist and are no change of the container', needsRoot, async (t) => {
  const { layersRoot, rootFilesystems } = fixture(t, { image: 'mkdir etc; echo mine >etc/hosts; chmod 700 etc' })
  await rootFilesystems.create('one', { layersRoot, directories: ['image'] })
  const root = await rootFilesystems.mount('one')
  const listed = execFileSync('sh', ['-c', 'ls -d .dockerenv dev/* proc sys etc/*; readlink etc/mtab'], { cwd: root })
  t.strictSame(listed.toString().trim().split('\n').sort(), [
    '.dockerenv',
    '/proc/mounts',
    'dev/console',
    'dev/pts',
    'dev/shm',
    'etc/hostname',
    'etc/hosts',
    'etc/mtab',
    'etc/resolv.conf',
    'proc',
    'sys',
  ])
  t.equal(readFileSync(path.join(root, 'etc/hosts'), 'utf8'), 'mine\n', 'what the image has stays')
  t.equal(execFileSync('stat', ['-c%a', path.join(root, 'etc')]).toString(), '700\n')
  t.strictSame(await rootFilesystems.changes('one'), [])
  t.equal(await rootFilesystems.writableSizeBytes('one'), 0)
})

t.test('an image whose links point out of it gets its mount points inside, or none', needsRoot, async (t) => {
  const outside = mkdtempSync(path.join(tmpdir(), 'rootfs-outside-'))
  t.teardown(() => rmSync(outside, { recursive: true }))
  const { layersRoot, rootFilesystems, dataRoot } = fixture(t, { image: 'mkdir inner' })
  const image = path.join(layersRoot, 'image')
  symlinkSync(`../../../../../../../..${outside}`, path.join(image, 'etc'))
  symlinkSync('loop', path.join(image, 'loop'))
  symlinkSync('loop', path.join(image, 'proc'))
  symlinkSync(`missing/../../../../../..${outside}/dev`, path.join(image, 'dev'))
  await rootFilesystems.create('one', { layersRoot, directories: ['image'] })
  const root = await rootFilesystems.mount('one')
  t.strictSame(readdirSync(outside), [])
  t.ok(readdirSync(path.join(root, outside)).includes('hosts'), 'the link is read as the container reads it')
  t.strictSame(await mountsBelow(path.join(dataRoot, 'init-layers')), [])
})

t.test('containers of one image share its init layer, another content gets its own', needsRoot, async (t) => {
  const { dataRoot, layersRoot, rootFilesystems } = fixture(t, { image: 'echo 1 >a' })
  const initLayers = () => readdirSync(path.join(dataRoot, 'init-layers'))
  await Promise.all(['a', 'b', 'c'].map((id) => rootFilesystems.create(id, { layersRoot, directories: ['image'] })))
  t.equal(initLayers().length, 1)
  rmSync(path.join(layersRoot, 'image'), { recursive: true })
  // Keeps the inode number from being used again at once.
  mkdirSync(path.join(layersRoot, 'other'))
  mkdirSync(path.join(layersRoot, 'image'))
  await rootFilesystems.create('d', { layersRoot, directories: ['image'] })
  t.equal(initLayers().length, 2)
  await Promise.all(['a', 'b', 'c'].map((id) => rootFilesystems.remove(id)))
  mkdirSync(path.join(dataRoot, 'init-layers', '.new-0123', 'merged'), { recursive: true })
  const afterRestart = new OverlayRootFilesystems({ dataRoot, helper })
  await afterRestart.sweep()
  t.equal(initLayers().length, 1, 'the one that a container uses')
  await afterRestart.mount('d')
  t.strictSame(await afterRestart.existing((id) => id === 'd'), { unknown: [], mounted: ['d'] })
  t.strictSame(await afterRestart.existing(() => false), { unknown: ['d'], mounted: [] })
})

t.test('an image without layers has mount points and nothing else', needsRoot, async (t) => {
  const { layersRoot, rootFilesystems } = fixture(t, {})
  mkdirSync(layersRoot)
  await rootFilesystems.create('one', { layersRoot, directories: [] })
  const root = await rootFilesystems.mount('one')
  t.strictSame(readdirSync(root).sort(), ['.dockerenv', 'dev', 'etc', 'proc', 'sys'])
  writeFileSync(path.join(root, 'etc/hosts'), 'changed')
  t.strictSame(await rootFilesystems.changes('one'), [
    { path: '/etc', kind: 'modified' },
    { path: '/etc/hosts', kind: 'modified' },
  ])
})

t.test('128 layers fit into one mount', needsRoot, async (t) => {
  const names = Array.from({ length: 128 }, (_, index) => `${index}`.padStart(16, '0'))
  const { layersRoot, rootFilesystems } = fixture(t, {})
  for (const name of names) {
    mkdirSync(path.join(layersRoot, name), { recursive: true })
    writeFileSync(path.join(layersRoot, name, `file-${name}`), '')
  }
  await rootFilesystems.create('one', { layersRoot, directories: names })
  const root = await rootFilesystems.mount('one')
  t.equal(readdirSync(root).filter((name) => name.startsWith('file-')).length, 128)
})

t.test('a mount that is in use is let go of, and removed', needsRoot, async (t) => {
  const { dataRoot, layersRoot, rootFilesystems } = fixture(t, { image: 'echo 1 >a' })
  await rootFilesystems.create('one', { layersRoot, directories: ['image'] })
  const root = await rootFilesystems.mount('one')
  const before = process.cwd()
  process.chdir(root)
  t.teardown(() => process.chdir(before))
  await rootFilesystems.remove('one')
  t.strictSame(await mountsBelow(dataRoot), [])
  t.strictSame(readdirSync(path.join(dataRoot, 'containers')), [])
})

t.test('a data root on an overlay is refused with the reason', needsRoot, async (t) => {
  const { dataRoot, layersRoot, rootFilesystems } = fixture(t, { image: 'echo 1 >a' })
  await rootFilesystems.create('host', { layersRoot, directories: ['image'] })
  const inside = path.join(await rootFilesystems.mount('host'), 'inner')
  mkdirSync(path.join(inside, 'layers/image'), { recursive: true })
  const nested = new OverlayRootFilesystems({ dataRoot: inside, helper })
  await t.rejects(nested.create('one', { layersRoot: path.join(inside, 'layers'), directories: ['image'] }), {
    kind: 'internal',
    message: /lies on an overlay filesystem itself .* put --data-root on ext4/,
  })
  t.strictSame(await mountsBelow(path.join(dataRoot, 'containers/host/merged/inner')), [])
})

t.test('changes are those of docker diff', needsRoot, async (t) => {
  const { dataRoot, layersRoot, rootFilesystems } = fixture(t, {
    image: `
      mkdir -p bin data/sub filedir tree/a gone/x d2f/x ren/x
      echo cat >bin/cat; echo id >bin/id; echo hi >data/file; ln -s /data dlink; echo x >afile
      touch tree/a/f tree/b gone/x/y ren/x/y same own`,
  })
  await rootFilesystems.create('one', { layersRoot, directories: ['image'] })
  const root = await rootFilesystems.mount('one')
  execFileSync(
    'sh',
    [
      '-ec',
      `echo x >newf; mkdir -p nd/sub; echo y >nd/sub/f; rm data/file; rm -rf data/sub; mkdir data/sub
      echo z >data/sub/n; chmod 700 filedir; rm afile; mkdir afile; touch afile/in; rm dlink; echo q >dlink; rm bin/id
      touch -r bin/cat bin/cat; ln newf hardf; mkdir rep; rm -rf tree; mkdir tree; touch tree/b; rm -rf gone
      rm -rf d2f; echo f >d2f; mv ren ren2; echo hi >>same; chown 5 own`,
    ],
    { cwd: root },
  )
  const expected = [
    'M /afile',
    'A /afile/in',
    'M /bin',
    'D /bin/id',
    'M /d2f',
    'M /data',
    'D /data/file',
    'M /data/sub',
    'A /data/sub/n',
    'M /dlink',
    'M /filedir',
    'D /gone',
    'A /hardf',
    'A /nd',
    'A /nd/sub',
    'A /nd/sub/f',
    'A /newf',
    'M /own',
    'D /ren',
    'A /ren2',
    'A /ren2/x',
    'A /ren2/x/y',
    'A /rep',
    'M /same',
    'M /tree',
    'D /tree/a',
    'M /tree/b',
  ]
  const changes = async () =>
    (await rootFilesystems.changes('one')).map(({ kind, path }) => `${kind[0]?.toUpperCase()} ${path}`)
  t.strictSame(await changes(), expected, 'while it is mounted')
  t.strictSame(await mountsBelow(dataRoot), [root], 'which it still is, and nothing else')
  await rootFilesystems.unmount('one')
  t.strictSame(await changes(), expected, 'and when it is not')
  t.strictSame(await mountsBelow(dataRoot), [])
  const busybox = await rootFilesystems.describe('one')
  t.equal(busybox.UpperDir, rootFilesystems.upperDirectory('one'))
})

t.test('the size counts a hard-linked file once and no directories', needsRoot, async (t) => {
  const { layersRoot, rootFilesystems } = fixture(t, { image: 'echo 1 >a' })
  await rootFilesystems.create('one', { layersRoot, directories: ['image'] })
  const upper = rootFilesystems.upperDirectory('one')
  execFileSync('sh', ['-ec', 'mkdir -p d/e; printf 123456789 >d/f; ln d/f d/e/g; ln -s /etc/passwd l; ln -s / out'], {
    cwd: upper,
  })
  t.equal(await rootFilesystems.writableSizeBytes('one'), 9 + '/etc/passwd'.length + '/'.length)
  t.equal(await rootFilesystems.writableSizeBytes('nobody'), 0)
})

t.test('images are mounted beside the root, read-only, whole or in part', needsRoot, async (t) => {
  const { dataRoot, layersRoot, rootFilesystems } = fixture(t, {
    top: 'echo top >file; ln -s /../../../../../etc/passwd out; ln -s sub/inner in',
    bottom: 'echo bottom >file; mkdir sub; echo inner >sub/inner',
  })
  const layers = { layersRoot, directories: ['top', 'bottom'] }
  await rootFilesystems.create('one', layers)
  const mount = (destination: string, rest: { subpath?: string; user?: string; directories?: string[] } = {}) => {
    const { user = 'run', directories = layers.directories, ...part } = rest
    const image = { user, destination, layers: { layersRoot, directories }, ...part }
    return rootFilesystems.mountImage('one', image)
  }
  const whole = await mount('/a')
  t.equal(await mount('/a'), whole, 'mounting again changes nothing')
  t.equal(rootFilesystems.imageMountPoint('one', { user: 'run', destination: '/a' }), whole)
  t.equal(readFileSync(path.join(whole, 'file'), 'utf8'), 'top\n')
  t.throws(() => writeFileSync(path.join(whole, 'new'), ''), { code: 'EROFS' })
  const single = await mount('/b', { directories: ['bottom'] })
  t.strictSame(readdirSync(single), ['file', 'sub'])
  t.throws(() => writeFileSync(path.join(single, 'new'), ''), { code: 'EROFS' })
  t.strictSame(readdirSync(await mount('/none', { directories: [] })), [], 'an image without layers is empty')
  t.strictSame(readdirSync(await mount('/c', { subpath: 'sub' })), ['inner'])
  t.equal(readFileSync(await mount('/d', { subpath: 'in' }), 'utf8'), 'inner\n')
  await t.rejects(mount('/e', { subpath: 'out' }), {
    kind: 'notFound',
    message: /^cannot access path .*: no such file/,
  })
  t.strictSame(await rootFilesystems.existing(() => true), { unknown: [], mounted: ['one'] })
  const copy = await mount('/a', { user: 'copy-1' })
  t.not(copy, whole)
  await rootFilesystems.unmountImages('one', 'copy-1')
  t.notOk((await mountsBelow(dataRoot)).includes(copy))
  t.ok((await mountsBelow(dataRoot)).includes(whole), 'the run has its own')
  await rootFilesystems.unmount('one')
  t.strictSame(await mountsBelow(dataRoot), [])
  await mount('/a')
  await rootFilesystems.remove('one')
  t.strictSame(await mountsBelow(dataRoot), [])
  t.strictSame(readdirSync(path.join(dataRoot, 'containers')), [])
  t.equal(readFileSync(path.join(layersRoot, 'bottom/sub/inner'), 'utf8'), 'inner\n', 'the layers are untouched')
})
