import t from 'tap'
import { settled, type TestEngine, testEngine } from '../testing/index.ts'

const remote = (Config: Record<string, string> = {}) => ({ HostConfig: { LogConfig: { Type: 'remote', Config } } })

function engineFor(t: { teardown(end: () => Promise<void>): void }): TestEngine {
  const test = testEngine()
  t.teardown(() => test.engine.close())
  return test
}

function log(test: TestEngine, id: string, ...lines: string[]): void {
  const path = test.files.logPath(id)
  const records = lines.map((line) => ({
    stream: 'stdout' as const,
    timeNs: test.clock.nowNs(),
    line: Buffer.from(line),
  }))
  test.state.logs.set(path, [...(test.state.logs.get(path) ?? []), ...records])
}

t.test('what a container writes reaches the target, with the tag, to the end', async (t) => {
  const test = engineFor(t)
  const id = await test.create(remote({ tag: '{{.Name}}' }), 'web')
  await test.engine.containers.start(id, {})
  log(test, id, 'one')
  await settled()
  log(test, id, 'two')
  test.process().exit(0)
  await settled()
  t.same(test.logTargets.taken, ['web: one', 'web: two'])
  t.equal(test.logTargets.openTargets, 0, 'closed at the end')
})

t.test('a blocking container does not start without its target, a non-blocking one does', async (t) => {
  const test = engineFor(t)
  test.logTargets.failure = 'dial tcp 127.0.0.1:1: connect: connection refused'
  const blocking = await test.create(remote())
  await t.rejects(test.engine.containers.start(blocking, {}), {
    kind: 'internal',
    message:
      'failed to create task for container: failed to initialize logging driver: dial tcp 127.0.0.1:1: connect: connection refused',
  })
  const free = await test.create(remote({ mode: 'non-blocking' }))
  await test.engine.containers.start(free, {})
  log(test, free, 'kept')
  await settled()
  t.notOk(test.process().held)
  t.same(test.logTargets.taken, [])
  test.logTargets.failure = undefined
  await test.clock.advance(60_000)
  t.match(test.logTargets.taken, [/kept/], 'sent when the target is back')
})

t.test('a target that fails or is slow holds a blocking container until it takes records again', async (t) => {
  const test = engineFor(t)
  const id = await test.create(remote())
  await test.engine.containers.start(id, {})
  test.logTargets.failure = 'gone'
  log(test, id, 'one')
  await settled()
  t.ok(test.process().held)
  test.logTargets.failure = undefined
  await test.clock.advance(1_000)
  t.notOk(test.process().held)
  let open = () => {}
  test.logTargets.gate = new Promise((resolve) => {
    open = resolve
  })
  log(test, id, 'two')
  await settled()
  t.notOk(test.process().held, 'not at once')
  await test.clock.advance(1_500)
  t.ok(test.process().held)
  open()
  await settled()
  t.notOk(test.process().held)
  t.equal(test.logTargets.taken.length, 2)
})

t.test('the next daemon goes on where the last one stopped, for containers that ended too', async (t) => {
  const test = engineFor(t)
  const id = await test.create(remote({ mode: 'non-blocking', tag: 'x' }))
  const ended = await test.create(remote({ mode: 'non-blocking', tag: 'y' }))
  await test.engine.containers.start(id, {})
  log(test, id, 'one')
  await settled()
  test.logTargets.failure = 'gone'
  log(test, id, 'two')
  await test.engine.containers.start(ended, {})
  log(test, ended, 'last')
  test.process().exit(1)
  await settled()
  await test.engine.close()
  const next = test.restartDaemon()
  test.logTargets.failure = undefined
  await next.engine.recover()
  log(test, id, 'three')
  await settled()
  t.same([...test.logTargets.taken].sort(), ['x: one', 'x: three', 'x: two', 'y: last'])
  await next.engine.close()
  t.equal(test.logTargets.openTargets, 0)
})

t.test('a removal waits for the log, but not for ever', async (t) => {
  const test = engineFor(t)
  const id = await test.create(remote({ mode: 'non-blocking' }))
  await test.engine.containers.start(id, {})
  test.logTargets.failure = 'gone'
  log(test, id, 'one')
  test.process().exit(0)
  await settled()
  let removed = false
  const removal = test.engine.containers.remove(id, { volumes: false, force: false, link: false }).then(() => {
    removed = true
  })
  await settled()
  t.notOk(removed)
  await test.clock.advance(11_000)
  await removal
  t.same(test.logTargets.taken, [])
  t.equal(test.logTargets.openTargets, 0)
})
