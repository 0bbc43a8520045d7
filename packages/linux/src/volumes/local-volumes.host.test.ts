import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fakeVolumeRecords } from '@dockerd-ts/core/testing'
import t from 'tap'
import { buildProgram, needsRoot } from '../monitor/testing/test-bundle.ts'
import { readMountTable } from '../mounts/mount-table.ts'
import { startHostHelper } from '../syscalls/host-helper.ts'
import { LocalVolumes } from './local-volumes.ts'

const helper = await startHostHelper({ program: buildProgram() })
t.teardown(() => helper.close())

function fixture(t: Tap) {
  const directory = mkdtempSync(path.join(tmpdir(), 'volumes-'))
  const dataRoot = path.join(directory, 'data')
  const root = path.join(directory, 'rootfs')
  mkdirSync(root)
  const records = fakeVolumeRecords()
  const make = () => new LocalVolumes({ dataRoot, records, helper, nowNs: () => 1_700_000_000_123_456_789n })
  t.teardown(async () => {
    for (const { mountPoint } of (await readMountTable()).reverse()) {
      if (mountPoint.startsWith(directory)) execFileSync('umount', ['-l', mountPoint])
    }
    rmSync(directory, { recursive: true, force: true })
  })
  return { directory, dataRoot, root, records, volumes: make(), make }
}

type Tap = Pick<typeof t, 'teardown'>

const mountsBelow = async (directory: string) =>
  (await readMountTable()).map((entry) => entry.mountPoint).filter((point) => point.startsWith(directory))

t.test('a volume is a directory that goes with it', needsRoot, async (t) => {
  const { dataRoot, volumes } = fixture(t)
  const volume = await volumes.create({ name: 'data', labels: { a: 'b' } })
  t.strictSame(volume, {
    name: 'data',
    driver: 'local',
    createdAtNs: '1700000000123456789',
    labels: { a: 'b' },
    options: {},
    anonymous: false,
  })
  t.equal(volumes.mountpoint('data'), path.join(dataRoot, 'volumes/data/_data'))
  const bound = await volumes.mount('data', 'c1')
  t.equal(bound, volumes.mountpoint('data'))
  writeFileSync(path.join(bound, 'file'), '12345')
  execFileSync('ln', ['file', 'link'], { cwd: bound })
  t.equal(await volumes.sizeBytes('data'), 5)
  t.strictSame(await volumes.create({ name: 'data' }), volume, 'what exists is answered, its data left alone')
  t.ok(existsSync(path.join(bound, 'file')))
  await volumes.unmount('data', 'c1')
  await volumes.remove('data')
  t.strictSame(readdirSync(path.join(dataRoot, 'volumes')), ['.removed'])
  t.strictSame(readdirSync(path.join(dataRoot, 'volumes/.removed')), [])
  t.throws(() => volumes.get('data'), { kind: 'notFound', message: 'get data: no such volume' })
  await t.rejects(volumes.remove('data'), { kind: 'notFound', message: 'get data: no such volume' })
})

t.test('a name that no file can have is refused', needsRoot, async (t) => {
  const { volumes } = fixture(t)
  await t.rejects(volumes.create({ name: 'a'.repeat(256) }), {
    kind: 'invalidArgument',
    message: /^create a{256}: error while creating volume root path '.*': mkdir .*: (file )?name too long$/,
  })
  t.strictSame(volumes.list(), [])
})

t.test('an empty volume gets what the image has at the mount point', needsRoot, async (t) => {
  const { root, volumes } = fixture(t)
  execFileSync(
    'sh',
    [
      '-ec',
      `mkdir -p srv/sub; cd srv; echo hi >file; ln file hard; ln -s /etc/passwd link; mknod dev c 1 3; mkfifo pipe
      truncate -s 1G sparse; python3 -c 'import os; os.setxattr("file", "user.test", b"x")'; chmod 4755 file; touch -d '2001-02-03 04:05:06.789' sub
      chown -hR 1234:1235 .; chown 7:8 dev; chmod 4755 file; chmod 1750 .`,
    ],
    { cwd: root },
  )
  await volumes.create({ name: 'data' })
  await volumes.copyUp('data', { rootFilesystem: root, destination: '/srv' })
  const listing = (directory: string) =>
    execFileSync(
      'sh',
      [
        '-ec',
        `find . -printf '%p %y %m %U:%G %n %s %T@ %l\\n' | sort; cat file; python3 -c 'import os; print(os.listxattr("file"))'; stat -c %t:%T dev`,
      ],
      { cwd: directory },
    ).toString()
  t.equal(listing(volumes.mountpoint('data')), listing(path.join(root, 'srv')))
  t.ok(statSync(path.join(volumes.mountpoint('data'), 'sparse')).blocks < 100, 'holes stay holes')
  rmSync(path.join(volumes.mountpoint('data'), 'file'))
  await volumes.copyUp('data', { rootFilesystem: root, destination: '/srv' })
  t.notOk(existsSync(path.join(volumes.mountpoint('data'), 'file')), 'only an empty volume is filled')
})

t.test('an empty or missing mount point gives the volume its owner and mode, or nothing', needsRoot, async (t) => {
  const { root, volumes } = fixture(t)
  mkdirSync(path.join(root, 'srv'))
  execFileSync('sh', ['-c', 'chown 1234:1235 srv; chmod 2770 srv'], { cwd: root })
  await volumes.create({ name: 'data' })
  await volumes.copyUp('data', { rootFilesystem: root, destination: '/missing/place' })
  t.equal(statSync(volumes.mountpoint('data')).mode & 0o7777, 0o755)
  await volumes.copyUp('data', { rootFilesystem: root, destination: '/srv' })
  const { uid, gid, mode } = statSync(volumes.mountpoint('data'))
  t.strictSame([uid, gid, mode & 0o7777], [1234, 1235, 0o2770])
})

t.test('links of the image are followed inside its root only', needsRoot, async (t) => {
  const { directory, root, volumes } = fixture(t)
  mkdirSync(path.join(directory, 'host'))
  writeFileSync(path.join(directory, 'host/secret'), 'x')
  mkdirSync(path.join(root, directory, 'host'), { recursive: true })
  writeFileSync(path.join(root, directory, 'host/own'), 'x')
  execFileSync('ln', ['-s', path.join(directory, 'host'), path.join(root, 'link')])
  await volumes.create({ name: 'data' })
  await volumes.copyUp('data', { rootFilesystem: root, destination: '/link' })
  t.strictSame(readdirSync(volumes.mountpoint('data')), ['own'])
})

t.test('a volume over a file of the image is refused', needsRoot, async (t) => {
  const { root, volumes } = fixture(t)
  writeFileSync(path.join(root, 'file'), 'x')
  await volumes.create({ name: 'data' })
  await t.rejects(volumes.copyUp('data', { rootFilesystem: root, destination: '/file' }), {
    kind: 'invalidArgument',
    message: `cannot mount volume over existing file, file exists ${root}/file`,
  })
})

t.test(
  'a volume with options is mounted while containers use it, also over a restart of the daemon',
  needsRoot,
  async (t) => {
    const { directory, volumes, make } = fixture(t)
    await volumes.create({ name: 'data', options: { type: 'tmpfs', device: 'tmpfs', o: 'size=1m,uid=7' } })
    t.strictSame(await mountsBelow(directory), [])
    const bound = await volumes.mount('data', 'c1')
    t.equal(statSync(bound).uid, 7)
    writeFileSync(path.join(bound, 'file'), 'shared')
    t.equal(await volumes.sizeBytes('data'), -1)
    const afterRestart = make()
    t.equal(readFileSync(path.join(await afterRestart.mount('data', 'c2'), 'file'), 'utf8'), 'shared')
    await afterRestart.mount('data', 'c2')
    await afterRestart.unmount('data', 'c1')
    await afterRestart.unmount('data', 'c1')
    t.strictSame(await mountsBelow(directory), [bound])
    await afterRestart.unmount('data', 'c2')
    t.strictSame(await mountsBelow(directory), [])
    await afterRestart.unmount('nobody', 'c2')
  },
)

t.test('users from before a reboot do not keep a volume mounted', needsRoot, async (t) => {
  const { directory, volumes } = fixture(t)
  await volumes.create({ name: 'data', options: { type: 'tmpfs', device: 'tmpfs' } })
  const bound = await volumes.mount('data', 'before')
  execFileSync('umount', [bound])
  await volumes.mount('data', 'after')
  await volumes.unmount('data', 'after')
  t.strictSame(await mountsBelow(directory), [])
})

t.test(
  'a volume that binds a host directory is that directory; a missing one is an error in Docker’s words',
  async (t) => {
    const { directory, volumes } = fixture(t)
    mkdirSync(path.join(directory, 'host'))
    writeFileSync(path.join(directory, 'host/file'), 'x')
    const options = (name: string) => ({ type: 'none', device: path.join(directory, name), o: 'bind' })
    await volumes.create({ name: 'good', options: options('host') })
    t.strictSame(readdirSync(await volumes.mount('good', 'c1')), ['file'])
    await volumes.remove('good')
    t.ok(existsSync(path.join(directory, 'host/file')), 'removal does not reach through the mount')
    await volumes.create({ name: 'bad', options: options('missing') })
    const target = volumes.mountpoint('bad')
    await t.rejects(volumes.mount('bad', 'c1'), {
      kind: 'internal',
      message:
        `error while mounting volume '${target}': failed to mount local volume: ` +
        `mount ${directory}/missing:${target}, flags: 0x1000: no such file or directory`,
    })
    t.strictSame(await mountsBelow(directory), [])
  },
)

t.test(
  'a subpath is bound for the container, directory or file, and never leads out of the volume',
  needsRoot,
  async (t) => {
    const { directory, volumes } = fixture(t)
    await volumes.create({ name: 'data' })
    const data = volumes.mountpoint('data')
    mkdirSync(path.join(data, 'a/b'), { recursive: true })
    writeFileSync(path.join(data, 'a/b/file'), 'inside')
    for (const [name, target] of Object.entries({ link: 'a', out: '/etc', up: '..', gone: 'nowhere', loop: 'loop' }))
      execFileSync('ln', ['-s', target, path.join(data, name)])
    const bound = await volumes.mount('data', 'c1', 'link/b')
    t.equal(readFileSync(path.join(bound, 'file'), 'utf8'), 'inside')
    t.equal(await volumes.mount('data', 'c1', 'link/b'), bound)
    t.equal(readFileSync(await volumes.mount('data', 'c1', 'a/b/file'), 'utf8'), 'inside')
    const unresolved = (subpath: string) =>
      `error while resolving symlinks in combined path "${path.join(data, subpath)}": `
    for (const [subpath, kind, message] of [
      ...['out/passwd', 'out', 'up'].map((subpath) => {
        const message = `path concatenation escapes the base directory, base: ${data}, subpath: ${subpath}`
        return [subpath, 'invalidArgument', message] as const
      }),
      ['no/such', 'notFound', `cannot access path ${data}/no/such: lstat ${data}/no: no such file or directory`],
      ['gone', 'notFound', `cannot access path ${data}/gone: lstat ${data}/nowhere: no such file or directory`],
      ['a/b/file/x', 'internal', `${unresolved('a/b/file/x')}not a directory`],
      ['loop', 'internal', `${unresolved('loop')}EvalSymlinks: too many links`],
    ] as const)
      await t.rejects(volumes.mount('data', 'c1', subpath), { kind, message }, subpath)
    t.equal((await mountsBelow(directory)).length, 2)
    await volumes.unmount('data', 'c1')
    t.strictSame(await mountsBelow(directory), [])
    t.ok(existsSync(path.join(data, 'a/b/file')))
    const rootFilesystem = path.join(directory, 'image')
    mkdirSync(path.join(rootFilesystem, 'srv/sub'), { recursive: true, mode: 0o750 })
    writeFileSync(path.join(rootFilesystem, 'srv/sub/content'), 'from the image')
    mkdirSync(path.join(data, 'empty'))
    for (const subpath of ['empty', 'a', 'a/b/file', 'no/such', 'out'])
      await volumes.copyUp('data', { rootFilesystem, destination: '/srv', subpath })
    t.equal(readFileSync(path.join(data, 'empty/sub/content'), 'utf8'), 'from the image', 'an empty one is filled')
    t.equal(statSync(path.join(data, 'empty')).mode & 0o777, 0o750)
    t.strictSame(readdirSync(path.join(data, 'a')), ['b'], 'another is left alone')
    t.strictSame(await mountsBelow(directory), [])
  },
)

t.test('a restart finishes removals and never deletes data that no row names', needsRoot, async (t) => {
  const { dataRoot, records, volumes, make } = fixture(t)
  const root = path.join(dataRoot, 'volumes')
  for (const name of ['removing', 'kept', 'lost', 'half-made', 'no-directory']) await volumes.create({ name })
  writeFileSync(path.join(volumes.mountpoint('lost'), 'precious'), 'x')
  records.deleteVolume('lost')
  records.deleteVolume('half-made')
  rmSync(path.join(root, 'no-directory'), { recursive: true })
  mkdirSync(path.join(root, '.removed/0123'), { recursive: true })
  execFileSync('mv', [path.join(root, 'removing'), path.join(root, '.removed/0123/removing')])
  const afterRestart = make()
  await afterRestart.sweep()
  t.strictSame(
    afterRestart.list().map((volume) => volume.name),
    ['kept', 'lost', 'no-directory'],
  )
  t.strictSame(readdirSync(root).sort(), ['kept', 'lost', 'no-directory'])
  t.ok(existsSync(path.join(afterRestart.mountpoint('lost'), 'precious')))
})

t.test('a restart ends the filling of a volume that was cut off', needsRoot, async (t) => {
  const { volumes, make } = fixture(t)
  for (const name of ['partial', 'staged']) await volumes.create({ name })
  const beside = (name: string, directory: string) => path.join(path.dirname(volumes.mountpoint(name)), directory)
  mkdirSync(path.join(beside('partial', 'copy-up.partial'), 'half'), { recursive: true })
  execFileSync(
    'sh',
    ['-ec', 'mkdir copy-up; cd copy-up; mkdir -m 1750 sub; echo a >a; echo b >b; chmod 2711 .; echo moved >../_data/a'],
    { cwd: path.dirname(volumes.mountpoint('staged')) },
  )
  await make().sweep()
  t.strictSame(readdirSync(volumes.mountpoint('partial')), [], 'what was not complete is not taken')
  t.strictSame(readdirSync(volumes.mountpoint('staged')).sort(), ['a', 'b', 'sub'])
  t.equal(readFileSync(path.join(volumes.mountpoint('staged'), 'a'), 'utf8'), 'moved\n', 'what is there stays')
  t.equal(statSync(volumes.mountpoint('staged')).mode & 0o7777, 0o2711)
  for (const name of ['partial', 'staged']) {
    t.strictSame(readdirSync(path.dirname(volumes.mountpoint(name))), ['_data'])
  }
})

t.test('a restart lets go of what copies held, and of nothing else', needsRoot, async (t) => {
  const { dataRoot, volumes, make } = fixture(t)
  const tmpfs = { type: 'tmpfs', device: 'tmpfs' }
  for (const name of ['copied', 'used']) await volumes.create({ name, options: tmpfs })
  await volumes.create({ name: 'plain' })
  mkdirSync(path.join(volumes.mountpoint('plain'), 'sub'))
  for (const name of ['copied', 'used']) await volumes.mount(name, 'copy-1')
  await volumes.mount('plain', 'copy-2', 'sub')
  await volumes.mount('used', 'container')
  t.equal((await mountsBelow(dataRoot)).length, 3)
  await make().sweep()
  t.strictSame(await mountsBelow(dataRoot), [volumes.mountpoint('used')])
  await make().unmount('used', 'container')
  t.strictSame(await mountsBelow(dataRoot), [])
})
