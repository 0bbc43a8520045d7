import t from 'tap'
import type { AttachOptions } from '../engine.ts'
import { fakeClient, settled, testEngine } from '../testing/index.ts'

const never = () => new AbortController().signal
const all: AttachOptions = { logs: false, stream: true, stdin: true, stdout: true, stderr: true }
const interactive = { OpenStdin: true, StdinOnce: true, AttachStdin: true }
const out = (text: string) => `\x01\0\0\0\0\0\0${String.fromCharCode(text.length)}${text}`

t.test('attach is refused in Docker’s words', async (t) => {
  const test = testEngine()
  const { containers } = test.engine
  await t.rejects(containers.attach('nope', all), { kind: 'notFound', message: 'No such container: nope' })
  const id = await test.create({}, 'web')
  await t.rejects(containers.attach('web', { ...all, detachKeys: 'zzz' }), {
    kind: 'invalidArgument',
    message: 'Invalid detach keys (zzz) provided',
  })
  await containers.start(id, {})
  await containers.pause(id)
  await t.rejects(containers.attach('web', all), {
    kind: 'conflict',
    message: 'container web is paused, unpause the container before attach',
  })
})

t.test('the end of the client’s input ends the process’s, and output goes on', async (t) => {
  const test = testEngine()
  const id = await test.create(interactive)
  const session = await test.engine.containers.attach(id, all)
  const user = fakeClient()
  const done = session.run(user.stream, never())
  user.type('typed before the start\n')
  await test.engine.containers.start(id, {})
  user.end()
  await settled()
  const process = test.process()
  t.equal(process.input, 'typed before the start\n')
  t.ok(process.inputEnded)
  process.write('stdout', 'late\n')
  await settled()
  t.equal(user.received(), out('late\n'))
  process.exit(0)
  await done
})

t.test('without StdinOnce the end of the input only detaches this client', async (t) => {
  const test = testEngine()
  const id = await test.create({ OpenStdin: true })
  await test.engine.containers.start(id, {})
  const [first, second] = [fakeClient(), fakeClient()]
  const firstDone = (await test.engine.containers.attach(id, all)).run(first.stream, never())
  const secondDone = (await test.engine.containers.attach(id, all)).run(second.stream, never())
  await settled()
  first.end()
  await firstDone
  t.notOk(test.process().inputEnded)
  test.process().write('stdout', 'x')
  await settled()
  t.equal(first.received(), '')
  t.equal(second.received(), out('x'))
  test.process().exit(0)
  await secondDone
})

t.test('input of a client that did not ask for stdin, or of a container without, is dropped', async (t) => {
  for (const [body, options] of [
    [interactive, { ...all, stdin: false }],
    [{}, all],
  ] as const) {
    const test = testEngine()
    const id = await test.create(body)
    await test.engine.containers.start(id, {})
    const user = fakeClient()
    const done = (await test.engine.containers.attach(id, options)).run(user.stream, never())
    user.type('ignored')
    user.end()
    await settled()
    t.equal(test.process().input, '')
    test.process().write('stdout', 'still here')
    test.process().exit(0)
    await done
    t.equal(user.received(), out('still here'))
  }
})

t.test('detach keys leave a terminal; the process lives on; events attach and detach', async (t) => {
  const test = testEngine()
  const id = await test.create({ OpenStdin: true, Tty: true }, 'web')
  await test.engine.containers.start(id, {})
  const user = fakeClient()
  const session = await test.engine.containers.attach(id, { ...all, detachKeys: 'ctrl-a,d' })
  t.equal(session.multiplexed, false)
  const done = session.run(user.stream, never())
  await settled()
  test.process().write('stdout', 'raw')
  user.type('ls\x01')
  user.type('d more')
  await done
  t.equal(test.process().input, 'ls')
  t.equal(user.received(), 'raw')
  await settled()
  t.equal(test.process().clientCount, 0)
  const actions = test.eventLog().filter((line) => line.startsWith('container'))
  t.strictSame(actions.slice(-2), ['container attach web', 'container detach web'])
})

t.test('a client that goes away leaves nothing behind, before and after the start', async (t) => {
  const test = testEngine()
  const id = await test.create(interactive)
  const early = new AbortController()
  const earlyDone = (await test.engine.containers.attach(id, all)).run(fakeClient().stream, early.signal)
  early.abort()
  await earlyDone
  await test.engine.containers.start(id, {})
  t.equal(test.process().clientCount, 0)
  const late = new AbortController()
  const lateDone = (await test.engine.containers.attach(id, all)).run(fakeClient().stream, late.signal)
  await settled()
  t.equal(test.process().clientCount, 1)
  late.abort()
  await lateDone
  await settled()
  t.equal(test.process().clientCount, 0)
})

t.test('who attached to a container that is removed before it ran sees the end', async (t) => {
  const test = testEngine()
  const id = await test.create(interactive)
  const done = (await test.engine.containers.attach(id, all)).run(fakeClient().stream, never())
  await settled()
  await test.engine.containers.remove(id, { volumes: false, force: false, link: false })
  await done
  t.pass('the stream has ended')
})

t.test('logs=1 replays what is in the log before the stream', async (t) => {
  const test = testEngine()
  const id = await test.create()
  await test.engine.containers.start(id, {})
  test.state.logs.set(`/data/containers/${id}/${id}-json.log`, [
    { stream: 'stdout', timeNs: 1n, line: Buffer.from('old\n') },
    { stream: 'stderr', timeNs: 2n, line: Buffer.from('err\n') },
  ])
  const user = fakeClient()
  const options = { ...all, logs: true, stream: false, stderr: false }
  await (await test.engine.containers.attach(id, options)).run(user.stream, never())
  t.equal(user.received(), out('old\n'))
})

t.test('logs', async (t) => {
  const test = testEngine()
  const { containers } = test.engine
  const id = await test.create({}, 'web')
  const base = { follow: false, stdout: true, stderr: true, timestamps: false, details: false, signal: never() }
  await t.rejects(containers.logs(id, { ...base, stdout: false, stderr: false }), {
    kind: 'invalidArgument',
    message: 'Bad parameters: you must choose at least one stream',
  })
  const silent = await test.create({ HostConfig: { LogConfig: { Type: 'none' } } })
  await t.rejects(containers.logs(silent, base), {
    kind: 'notImplemented',
    message: 'configured logging driver does not support reading',
  })
  const read = async (options = base) => {
    const { chunks } = await containers.logs(id, options)
    let text = ''
    for await (const chunk of chunks) text += chunk.toString('latin1')
    return text
  }
  t.equal(await read({ ...base, follow: true }), '', 'nothing to follow before a start')
  await containers.start(id, {})
  const log = [{ stream: 'stdout' as const, timeNs: 5n, line: Buffer.from('one\n') }]
  test.state.logs.set(`/data/containers/${id}/${id}-json.log`, log)
  const followed = read({ ...base, follow: true })
  await settled()
  log.push({ stream: 'stdout', timeNs: 6n, line: Buffer.from('two\n') })
  await settled()
  log.push({ stream: 'stdout', timeNs: 7n, line: Buffer.from('end\n') })
  test.process().exit(0)
  t.equal(await followed, out('one\n') + out('two\n') + out('end\n'), 'follow ends with the container, and whole')
  t.equal(await read(), out('one\n') + out('two\n') + out('end\n'))
})

t.test('resize', async (t) => {
  const test = testEngine()
  const { containers } = test.engine
  const id = await test.create({ Tty: true })
  await t.rejects(containers.resize(id, { height: 1, width: 2 }), {
    kind: 'conflict',
    message: `container ${id} is not running`,
  })
  await containers.start(id, {})
  await containers.resize(id, { height: 30, width: 90 })
  t.strictSame(test.process().sizes, [{ height: 30, width: 90 }])
  t.match(test.records.readEvents({ limit: 99, sinceNs: 0n }).length, Number)
})
