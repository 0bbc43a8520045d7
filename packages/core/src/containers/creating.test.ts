/** What a container is made from is in use before the container can be seen. */
import t from 'tap'
import { testEngine } from '../testing/index.ts'

t.test('an image and volumes are in use while the container is being made', async (t) => {
  const test = testEngine()
  const creating = test.create({ HostConfig: { Binds: ['data:/data'] } }, 'web')
  const [image] = test.images.images.values()
  t.match(test.images.usage?.containersOf(image?.id ?? ''), [{ name: 'web', running: false }])
  t.match(test.users.list(), [{ name: 'web', volumeNames: ['data'] }])
  t.throws(() => test.users.find('web'), { kind: 'notFound', message: 'No such container: web' })
  const id = await creating
  t.match(test.users.list(), [{ id }])
  t.equal(test.users.list().length, 1, 'and it counts once')
})

t.test('a working directory that the image has is looked for once', async (t) => {
  const test = testEngine()
  const made = () => test.state.calls.filter((line) => line.startsWith('rootfs.makeDirectory')).length
  test.state.paths.set('/srv', 'directory')
  await test.create({ WorkingDir: '/srv' })
  await test.create({ WorkingDir: '/srv' })
  t.equal(made(), 1)
  await test.create({ WorkingDir: '/other' })
  await test.create({ WorkingDir: '/other' })
  t.equal(made(), 3, 'one that it lacks is made each time')
  await test.create({ WorkingDir: '/' })
  t.equal(made(), 3)
})

t.test('a container that could not be made holds nothing, and its image is collected if it was removed', async (t) => {
  const test = testEngine()
  test.state.failures.set('rootfs.create', new Error('disk full'))
  await t.rejects(test.create(), { message: 'disk full' })
  t.strictSame(test.users.list(), [])
  const [image] = test.images.images.values()
  t.strictSame(test.images.released, [image?.id])
})
