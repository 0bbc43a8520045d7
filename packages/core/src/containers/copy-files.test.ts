import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { settled, type TestEngine, testEngine } from '../testing/index.ts'

const tarOf = (content: string) => Readable.from([Buffer.from(content)])
const put = (path: string, change: { copyUidGid?: boolean } = {}) => ({
  path,
  noOverwriteDirNonDir: true,
  copyUidGid: false,
  body: tarOf('tar'),
  ...change,
})
const containerEvents = (test: TestEngine) => test.eventLog().filter((line) => line.startsWith('container'))

t.test('a stat and a tar of a path; missing ones are told as Docker tells them', async (t) => {
  const test = testEngine()
  const { containers } = test.engine
  await test.create({}, 'web')
  t.match(await containers.statPath('web', 'etc/passwd'), { name: 'passwd', size: 5, mode: 0o644 })
  const { stat, tar } = await containers.getArchive('web', '/etc/passwd')
  t.match(stat, { name: 'passwd' })
  t.equal(await text(tar), 'passwd/:users')
  const missing = { kind: 'notFound', message: 'Could not find the file nope in container web' }
  await t.rejects(containers.statPath('web', 'nope'), missing)
  await t.rejects(containers.getArchive('web', 'nope'), missing)
  await t.rejects(containers.getArchive('none', '/'), { kind: 'notFound', message: 'No such container: none' })
  t.same(containerEvents(test), ['container create web', 'container archive-path web'])
})

t.test('the view has volumes and binds, parents first, and name files once there are any', async (t) => {
  const test = testEngine()
  test.state.paths.set('/src', 'directory')
  const HostConfig = { Binds: ['/src:/v/deep:ro', '/new:/n'], ReadonlyRootfs: true, Tmpfs: { '/t': '' } }
  const id = await test.create({ Volumes: { '/v': {} }, HostConfig }, 'web')
  await test.engine.containers.statPath('web', '/etc/passwd')
  const [view] = test.archives.views
  t.match(view, { root: `/merged/${id}`, readOnlyRoot: true })
  const seen = view?.mounts.map(({ destination, writable }) => `${destination} ${writable}`)
  t.same(seen, ['/n true', '/v true', '/v/deep false'])
  t.ok(test.state.paths.has('/new'), 'the source of a bind is made as at a start')
})

t.test('what a tar is read from is held until the tar is closed', async (t) => {
  const test = testEngine()
  await test.create({ Volumes: { '/v': {} } }, 'web')
  const counted = (verb: string) => test.volumes.calls.filter((call) => call.startsWith(`${verb} `)).length
  const released = () => counted('unmount') === counted('mount')
  const { tar } = await test.engine.containers.getArchive('web', '/etc/passwd')
  await settled()
  t.notOk(released(), 'a reader is there')
  tar.destroy()
  await settled()
  t.ok(released(), 'let go')
  t.equal(test.archives.open(), 0)
})

t.test('a tar is unpacked; owners are the archive’s, or the container’s user where asked', async (t) => {
  const test = testEngine()
  const { containers } = test.engine
  await test.create({ User: 'bob' }, 'web')
  await test.create({}, 'root')
  await containers.putArchive('web', put('/tmp/'))
  await containers.putArchive('web', put('/tmp', { copyUidGid: true }))
  await containers.putArchive('root', put('/tmp', { copyUidGid: true }))
  t.same(
    test.archives.written.map(({ path, owner, keepKinds, text }) => ({ path, owner, keepKinds, text })),
    [
      { path: '/tmp/', owner: undefined, keepKinds: true, text: 'tar' },
      { path: '/tmp', owner: { uid: 1000, gid: 1000 }, keepKinds: true, text: 'tar' },
      { path: '/tmp', owner: undefined, keepKinds: true, text: 'tar' },
    ],
  )
  t.same(containerEvents(test).slice(2), [
    'container extract-to-dir web',
    'container extract-to-dir web',
    'container extract-to-dir root',
  ])
  const refused = { kind: 'invalidArgument', message: 'extraction point is not a directory' }
  await t.rejects(containers.putArchive('web', put('/etc/passwd')), refused)
  t.equal(containerEvents(test).length, 5, 'a refusal is no event')
})

t.test('export packs the root filesystem', async (t) => {
  const test = testEngine()
  const id = await test.create({}, 'web')
  t.equal(await text(await test.engine.containers.export('web')), `tree of /merged/${id}`)
  t.same(containerEvents(test).slice(1), ['container export web'])
})
