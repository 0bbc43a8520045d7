import t from 'tap'
import { type TestEngine, testEngine } from '../testing/index.ts'

const commit = { container: 'web', pause: true, changes: [] }
const lastCommit = (test: TestEngine) => test.images.commits.at(-1)

t.test('the image has the writable layer, the container’s configuration, and what the changes say', async (t) => {
  const test = testEngine()
  const { containers } = test.engine
  const body = { Cmd: ['run', 'it'], Env: ['A=1'], User: 'bob', Labels: { a: 'b' } }
  const id = await test.create(body, 'web')
  const changes = ['ENV B=2\nLABEL q=r', 'ENTRYPOINT ["e"]']
  const texts = { author: 'me', comment: 'why', repository: 'r', tag: 'v1' }
  const { Id: imageId } = await containers.commit({ ...commit, ...texts, changes })
  t.match(imageId, /^sha256:/)
  t.match(lastCommit(test), {
    layerText: `layer of /data/containers/${id}/upper`,
    created: { by: 'run it', author: 'me', comment: 'why' },
    config: {
      Env: ['A=1', 'PATH=/bin', 'B=2'],
      Labels: { a: 'b', from: 'image', q: 'r' },
      User: 'bob',
      Entrypoint: ['e'],
      Cmd: null,
    },
    reference: { domain: 'docker.io', path: 'library/r', tag: 'v1' },
    container: { id },
  })
  test.events.flush()
  const event = test.records.readEvents({ limit: 100 }).find(({ action }) => action === 'commit')
  t.match(event?.attributes, { comment: 'why', imageID: imageId, imageRef: 'r:v1', name: 'web' })
})

t.test('a configuration in the body comes first; the container’s fills in the rest', async (t) => {
  const test = testEngine()
  await test.create({ Cmd: ['run'], Env: ['A=1', 'Z=0'], WorkingDir: '/w', Hostname: 'h', Tty: true }, 'web')
  const config = { Env: ['Z=3'], Cmd: ['over'], Labels: { k: 'v' } }
  await test.engine.containers.commit({ ...commit, config })
  t.match(lastCommit(test)?.config, {
    Env: ['Z=3', 'A=1', 'PATH=/bin'],
    Cmd: ['over'],
    WorkingDir: '/w',
    Labels: { k: 'v', from: 'image' },
  })
  t.notHas(lastCommit(test)?.config, { Hostname: 'h' })
})

t.test('a running container is paused meanwhile, unless that is not wanted', async (t) => {
  const test = testEngine()
  const id = await test.create({}, 'web')
  await test.engine.containers.start(id, {})
  const status = async () => (await test.engine.containers.inspect(id, { size: false })).State.Status
  const seen: (string | undefined)[] = []
  const { commit: real } = test.images
  test.images.commit = async (request) => {
    seen.push(await status())
    return real(request)
  }
  await test.engine.containers.commit(commit)
  await test.engine.containers.commit({ ...commit, pause: false })
  await test.engine.containers.pause(id)
  await test.engine.containers.commit(commit)
  t.same(seen, ['paused', 'running', 'paused'])
  t.equal(await status(), 'paused', 'who paused it lets it go on')
  await test.engine.containers.unpause(id)
  test.images.commit = async () => {
    throw new Error('disk full')
  }
  await t.rejects(test.engine.containers.commit(commit), { message: 'disk full' })
  t.equal(await status(), 'running', 'a failure lets it go on too')
})

t.test('names and changes that are wrong are refused before anything is paused', async (t) => {
  const test = testEngine()
  const { containers } = test.engine
  await test.create({}, 'web')
  const refused: [change: object, message: string][] = [
    [{ repository: 'BAD' }, 'invalid reference format: repository name (library/BAD) must be lowercase'],
    [{ repository: 'a', tag: 'b c' }, 'invalid tag format'],
    [{ repository: `a@sha256:${'a'.repeat(64)}` }, 'cannot import digest reference'],
    [{ changes: ['RUN x'] }, 'RUN is not a valid change command'],
  ]
  for (const [change, message] of refused) {
    await t.rejects(containers.commit({ ...commit, ...change }), { kind: 'invalidArgument', message })
  }
  await t.rejects(containers.commit({ ...commit, container: 'none' }), { message: 'No such container: none' })
  t.equal(test.images.commits.length, 0)
})
