import { existsSync, readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import t from 'tap'
import { needsRoot } from '../monitor/testing/test-bundle.ts'
import { mountLines, openHelperBench } from './testing/helper-bench.ts'

t.test('mounts', needsRoot, async (t) => {
  const { helper, directory } = await openHelperBench(t)
  const at = (target: string) => mountLines().filter(({ point }) => point === target)
  const place = async (name: string) => {
    const target = path.join(directory, name)
    await mkdir(target, { recursive: true })
    return target
  }

  await t.test('a tmpfs once, however often it is asked for', async (t) => {
    const target = await place('tmp fs')
    const request = { source: 'tmpfs', target, fsType: 'tmpfs', flags: ['nosuid', 'nodev'], data: 'size=1m,mode=700' }
    await helper.mount(request)
    await helper.mount(request)
    const escaped = target.replace(' ', '\\040')
    t.match(at(escaped), [{ type: 'tmpfs', options: /rw,nosuid,nodev/ }])
    t.equal(at(escaped).length, 1)
    await helper.unmount(target)
    await helper.unmount(target)
    t.equal(at(escaped).length, 0)
    await helper.unmount(path.join(directory, 'not there'))
  })

  await t.test('a read-only bind mount keeps its source’s flags, and its own propagation', async (t) => {
    const source = await place('source')
    const target = await place('bound')
    await helper.mount({ source: 'tmpfs', target: source, fsType: 'tmpfs', flags: ['nosuid', 'noexec'] })
    await writeFile(path.join(source, 'file'), 'content')
    for (let round = 0; round < 2; round++)
      await helper.mount({ source, target, flags: ['bind', 'rec', 'rdonly', 'nodev', 'shared'] })
    t.equal(readFileSync(path.join(target, 'file'), 'utf8'), 'content')
    await t.rejects(writeFile(path.join(target, 'other'), ''), { code: 'EROFS' })
    t.match(at(target), [{ options: /^ro,nosuid,nodev,noexec/, propagation: /^shared:/ }])
    t.equal(at(target).length, 1)
    t.match(at(source), [{ options: /^rw,nosuid,noexec/ }], 'the source is as it was')
    await helper.mount({ source: 'none', target, flags: ['private'] })
    t.match(at(target), [{ propagation: '' }])
  })

  await t.test('an overlay with lower directories relative to a working directory', async (t) => {
    for (const name of ['layers/a', 'layers/b', 'upper', 'work', 'merged']) await place(name)
    await writeFile(path.join(directory, 'layers/a/top'), 'a')
    await writeFile(path.join(directory, 'layers/b/bottom'), 'b')
    const request = {
      source: 'overlay',
      target: path.join(directory, 'merged'),
      fsType: 'overlay',
      data: `lowerdir=a:b,upperdir=${directory}/upper,workdir=${directory}/work`,
      workingDirectory: path.join(directory, 'layers'),
    }
    await helper.mount(request)
    await helper.mount(request)
    t.equal(at(request.target).length, 1)
    t.equal(readFileSync(path.join(request.target, 'bottom'), 'utf8'), 'b')
    await writeFile(path.join(request.target, 'new'), 'n')
    t.ok(existsSync(path.join(directory, 'upper/new')))
    // A path relative to the working directory of one request means nothing to the next.
    await t.rejects(helper.mount({ source: 'a', target: path.join(directory, 'bound'), flags: ['bind'] }), {
      code: 'ENOENT',
    })
    await helper.unmount(request.target)
  })

  await t.test('errors say what was done and carry the errno', async (t) => {
    const target = path.join(directory, 'missing')
    const expected = { code: 'ENOENT', message: `mount tmpfs on ${target}: No such file or directory` }
    await t.rejects(helper.mount({ source: 'tmpfs', target, fsType: 'tmpfs' }), expected)
    await t.rejects(helper.mount({ source: 'x', target: 'relative' }), { code: 'EINVAL' })
    await t.rejects(helper.mount({ source: 'x', target: '/x', data: 'x'.repeat(5000), fsType: 'tmpfs' }), {
      code: 'E2BIG',
    })
    await t.rejects(helper.mount({ source: 'x', target: '/x', flags: ['nonsense'] }), TypeError)
    await t.rejects(helper.mount({ source: 'a\0b', target: '/x' }), TypeError)
  })

  await t.test('a busy mount is refused, or detached', async (t) => {
    const target = await place('busy')
    await helper.mount({ source: 'tmpfs', target, fsType: 'tmpfs' })
    const handle = await import('node:fs/promises').then(({ open }) => open(path.join(target, 'held'), 'w'))
    await t.rejects(helper.unmount(target), { code: 'EBUSY' })
    await helper.unmount(target, { detach: true })
    t.equal(at(target).length, 0)
    await handle.close()
  })
})
