import { existsSync, readFileSync } from 'node:fs'
import { chmod, copyFile, link, mkdir, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises'
import path from 'node:path'
import t from 'tap'
import { needsRoot } from '../monitor/testing/test-bundle.ts'
import { openHelperBench, run } from './testing/helper-bench.ts'

t.test('a path inside a root', needsRoot, async (t) => {
  const { helper, directory } = await openHelperBench(t)
  const root = path.join(directory, 'root')
  await mkdir(path.join(root, 'etc'), { recursive: true })
  await writeFile(path.join(root, 'etc/file'), 'inside')
  await writeFile(path.join(directory, 'secret'), 'outside')
  await symlink('/etc/file', path.join(root, 'absolute'))
  await symlink('../../../secret', path.join(root, 'etc/out'))
  await symlink('/nowhere', path.join(root, 'dangling'))
  await symlink('/', path.join(root, 'top'))
  const resolve = (
    name: string,
    options: { followLast?: boolean; create?: 'directory' | 'file'; idMap?: string } = {},
  ) => helper.resolveInRoot({ root, path: name, followLast: true, ...options })

  await t.test('is resolved as if the root were /', async (t) => {
    for (const name of ['etc/file', '/etc/file', '/absolute', '../../etc/file', 'top/top/etc/../etc/file']) {
      const found = await resolve(name)
      t.equal(await readFile(found.path, 'utf8'), 'inside', name)
      await found.release()
      await found.release()
    }
    await t.rejects(resolve('etc/out'), { code: 'ENOENT' })
    await t.rejects(resolve('no/such'), { code: 'ENOENT' })
    const itself = await resolve('absolute', { followLast: false })
    t.ok((await stat(itself.path)).isSymbolicLink(), 'the link itself')
    await itself.release()
    const whole = await resolve('/')
    t.same((await readdir(whole.path)).sort(), ['absolute', 'dangling', 'etc', 'top'])
    await whole.release()
  })

  await t.test('stays the same object when the path is changed afterwards', async (t) => {
    const found = await resolve('etc')
    await rename(path.join(root, 'etc'), path.join(root, 'moved'))
    await symlink('/etc', path.join(root, 'etc'))
    t.same((await readdir(found.path)).sort(), ['file', 'out'])
    await rm(path.join(root, 'etc'))
    await rename(path.join(root, 'moved'), path.join(root, 'etc'))
    await found.release()
  })

  await t.test('is made where it is missing', async (t) => {
    const made = await resolve('new/deep/er', { create: 'directory' })
    t.ok((await stat(path.join(root, 'new/deep/er'))).isDirectory())
    await made.release()
    const file = await resolve('top/new/deep/file', { create: 'file' })
    await writeFile(file.path, 'written')
    t.equal(readFileSync(path.join(root, 'new/deep/file'), 'utf8'), 'written')
    await file.release()
    await t.rejects(resolve('dangling', { create: 'file' }), { code: 'ENOENT' })
    t.notOk(existsSync('/nowhere'))
    const led = await resolve('dangling/below', { create: 'directory' })
    t.ok((await stat(path.join(root, 'nowhere/below'))).isDirectory(), 'where a link leads')
    t.notOk(existsSync('/nowhere'))
    await led.release()
    await symlink('circle', path.join(root, 'circle'))
    await t.rejects(resolve('circle', { create: 'directory' }), { code: 'ELOOP' })
    const mapped = await resolve('of-another', { create: 'directory', idMap: '0 70000 10/0 80000 10' })
    t.match(await stat(path.join(root, 'of-another')), { uid: 70000, gid: 80000 })
    await mapped.release()
    await t.rejects(resolve('etc/file/below', { create: 'directory' }), { code: 'ENOTDIR' })
  })

  await t.test('never leads out while its links are swapped', async (t) => {
    await mkdir(path.join(root, 'race/real'), { recursive: true })
    await writeFile(path.join(root, 'race/real/secret'), 'inside')
    await symlink(directory, path.join(root, 'race/link'))
    let going = true
    const swapping = (async () => {
      const [a, b, spare] = ['real', 'link', 'spare'].map((name) => path.join(root, 'race', name)) as [
        string,
        string,
        string,
      ]
      while (going) {
        await rename(a, spare)
        await rename(b, a)
        await rename(spare, b)
      }
    })()
    const seen = new Set<string>()
    while (seen.size < 2) {
      for (let round = 0; round < 500; round++) {
        const found = await resolve('race/real/secret').catch((error) => void seen.add(error.code))
        if (found) seen.add(await readFile(found.path, 'utf8'))
        await found?.release()
      }
    }
    t.same([...seen].sort(), ['ENOENT', 'inside'], 'both were met, never the file outside')
    going = false
    await swapping
  })
})

t.test('a directory tree is removed', needsRoot, async (t) => {
  const { helper, directory } = await openHelperBench(t)
  const tree = path.join(directory, 'tree')

  await t.test('with links that are not followed, and once more', async (t) => {
    await mkdir(path.join(tree, 'a/b/c'), { recursive: true })
    await mkdir(path.join(directory, 'kept'))
    await writeFile(path.join(directory, 'kept/file'), '')
    await symlink(path.join(directory, 'kept'), path.join(tree, 'a/link'))
    await link(path.join(directory, 'kept/file'), path.join(tree, 'a/b/hard'))
    run('mkfifo', path.join(tree, 'a/fifo'))
    await chmod(path.join(tree, 'a/b'), 0)
    await helper.removeTree(tree)
    await helper.removeTree(tree)
    t.notOk(existsSync(tree))
    t.ok(existsSync(path.join(directory, 'kept/file')))
    await symlink(path.join(directory, 'kept'), tree)
    await helper.removeTree(tree)
    t.ok(existsSync(path.join(directory, 'kept/file')))
  })

  await t.test('however deep it is', async (t) => {
    await mkdir(tree)
    // Deeper than PATH_MAX allows to name, and than descriptors could follow.
    run(
      'python3',
      '-c',
      `import os\nos.chdir(${JSON.stringify(tree)})\nfor i in range(3000):\n  os.mkdir('d'*10)\n  os.chdir('d'*10)\n  open('f','w').close()`,
    )
    await helper.removeTree(tree)
    t.notOk(existsSync(tree))
  })

  await t.test('but not what is mounted in it', async (t) => {
    await mkdir(path.join(tree, 'mounted'), { recursive: true })
    await mkdir(path.join(directory, 'source'))
    await writeFile(path.join(directory, 'source/file'), '')
    // A bind mount of the same file system: the device number does not tell.
    await helper.mount({ source: path.join(directory, 'source'), target: path.join(tree, 'mounted'), flags: ['bind'] })
    await t.rejects(helper.removeTree(tree), { code: 'EBUSY', message: /\(at mounted\)/ })
    await t.rejects(helper.removeTree(path.join(tree, 'mounted')), { code: 'EBUSY' })
    t.ok(existsSync(path.join(directory, 'source/file')))
    await helper.unmount(path.join(tree, 'mounted'))
    await helper.removeTree(tree)
    t.notOk(existsSync(tree))
  })

  await t.test('but not the host', async (t) => {
    for (const wrong of ['/', '/etc', '/tmp/../etc/x', 'relative/path', '//', '/./x', ''])
      await t.rejects(helper.removeTree(wrong), { code: 'EINVAL' }, wrong)
  })
})

t.test('a sealed program', needsRoot, async (t) => {
  const { helper, directory } = await openHelperBench(t)
  const program = path.join(directory, 'program')
  await copyFile('/bin/echo', program)
  const first = await helper.sealProgram(program)
  t.match(first.path, new RegExp(`^/proc/${helper.pid}/fd/\\d+$`))
  t.same(readFileSync(first.path), readFileSync(program))
  t.same(await helper.sealProgram(program), first, 'is kept while the file is the same')
  await t.rejects(writeFile(first.path, 'changed'), 'cannot be written')
  const seals = run('python3', '-c', `import fcntl\nprint(fcntl.fcntl(open(${JSON.stringify(first.path)}), 1034))`)
  t.equal(Number(seals), 0b1111, 'has all seals that crun and runc look for')
  t.equal(run(first.path, 'runs').trim(), 'runs')
  await copyFile('/usr/bin/env', program)
  const second = await helper.sealProgram(program)
  t.not(second.path, first.path)
  t.same(readFileSync(second.path), readFileSync(program))
  t.ok(existsSync(first.path), 'the one before stays for starts under way')
  const script = path.join(directory, 'script')
  await writeFile(script, '#!/bin/sh\necho hello\n', { mode: 0o755 })
  t.same(await helper.sealProgram(script), { path: script }, 'a script stays where it is')
  await t.rejects(helper.sealProgram('/no/such/program'), { code: 'ENOENT' })
  await t.rejects(helper.sealProgram(directory), { code: 'EINVAL' })
})
