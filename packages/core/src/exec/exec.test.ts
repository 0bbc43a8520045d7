import t from 'tap'
import { fakeClient, settled, type TestEngine, testEngine } from '../testing/index.ts'

const never = () => new AbortController().signal
const attached = { AttachStdout: true, AttachStderr: true }

async function running(test: TestEngine, body = {}): Promise<string> {
  const id = await test.create(body, 'web')
  await test.engine.containers.start(id, {})
  return id
}

t.test('exec: create, start, output, exit code; inspect says so when the stream has ended', async (t) => {
  const test = testEngine()
  const id = await running(test, { Env: ['A=1'], User: '' })
  const { Id: execId } = await test.engine.exec.create('web', { ...attached, Cmd: ['ls', '-l'], Env: ['B=2'] })
  t.strictSame((await test.engine.containers.inspect(id, { size: false })).ExecIDs, [execId])
  t.match(await test.engine.exec.inspect(execId), { Running: false, ExitCode: null, ContainerID: id })
  const session = await test.engine.exec.start(execId, {})
  const user = fakeClient()
  const done = session?.run(user.stream, never())
  await settled()
  t.match(await test.engine.exec.inspect(execId.slice(0, 10)), {
    Running: true,
    ExitCode: null,
    Pid: Number,
    ProcessConfig: { entrypoint: 'ls', arguments: ['-l'], tty: false },
  })
  const process = test.process()
  t.match(process.plan, { process: { kind: 'exec', containerId: id, execId }, terminal: false, openStdin: false })
  process.write('stdout', 'file\n')
  process.exit(3)
  await done
  t.equal(user.received(), '\x01\0\0\0\0\0\0\x05file\n')
  t.match(await test.engine.exec.inspect(execId), { Running: false, ExitCode: 3 })
  t.equal((await test.engine.containers.inspect(id, { size: false })).ExecIDs, null)
  t.equal(test.state.execDirectories.size, 0)
  t.strictSame(
    test
      .eventLog()
      .filter((line) => line.includes('exec'))
      .map((line) => line.replace('container ', '')),
    ['exec_create: ls -l web', 'exec_start: ls -l web', 'exec_die web'],
  )
})

t.test('what cannot be', async (t) => {
  const test = testEngine()
  const { exec } = test.engine
  const id = await test.create({}, 'web')
  await t.rejects(exec.create('web', { Cmd: ['x'] }), { kind: 'conflict', message: `container ${id} is not running` })
  await test.engine.containers.start(id, {})
  await t.rejects(exec.create('web', { Cmd: [] }), { kind: 'invalidArgument', message: 'No exec command specified' })
  await t.rejects(exec.create('web', { Cmd: ['x'], DetachKeys: 'foo' }), {
    kind: 'internal',
    message: 'Invalid escape keys (foo) provided',
  })
  const missing = { kind: 'notFound', message: 'No such exec instance: nope' }
  await t.rejects(exec.inspect('nope'), missing)
  await t.rejects(exec.start('nope', {}), missing)
  await t.rejects(exec.resize('nope', { height: 1, width: 1 }), missing)
  const { Id: execId } = await exec.create('web', { Cmd: ['x'] })
  const early = exec.resize(execId, { height: 1, width: 1 })
  t.equal(await exec.start(execId, { Detach: true }), undefined)
  await t.resolves(early, 'a resize waits for the start')
  const twice = { kind: 'conflict', message: `Error: Exec command ${execId} is already running` }
  await t.rejects(exec.start(execId, { Detach: true }), twice)
  const user = fakeClient()
  await (await exec.start(execId, {}))?.run(user.stream, never())
  t.match(user.received(), `${twice.message}\r\n`, 'of an attached start the refusal comes in the stream')
  test.process().exit(0)
  await settled()
  const ended = { kind: 'conflict', message: `Error: Exec command ${execId} has already run` }
  await t.rejects(exec.start(execId, { Detach: true }), ended)
  await t.rejects(exec.resize(execId, { height: 1, width: 1 }), {
    kind: 'notFound',
    message: `process does not exist ${execId}: not found`,
  })
  await test.engine.containers.pause('web')
  await t.rejects(exec.create('web', { Cmd: ['x'] }), {
    kind: 'conflict',
    message: 'Container web is paused, unpause the container before exec',
  })
})

t.test('a program that does not exist: told in the stream, exit code 127', async (t) => {
  const test = testEngine()
  await running(test)
  const { Id: execId } = await test.engine.exec.create('web', { ...attached, Cmd: ['nope'] })
  test.monitors.host.failNext = 'executable file `nope` not found in $PATH: No such file or directory'
  const user = fakeClient()
  await (await test.engine.exec.start(execId, {}))?.run(user.stream, never())
  t.match(user.received(), /OCI runtime exec failed: .*exec: "nope": executable file not found in \$PATH: unknown\r\n$/)
  t.match(await test.engine.exec.inspect(execId), { Running: false, ExitCode: 127 })
})

t.test('user, variables, directory, terminal', async (t) => {
  const test = testEngine()
  await running(test, { Env: ['A=1'] })
  const files: object[] = []
  const { prepareExec } = test.files
  test.files.prepareExec = (id, process) => {
    files.push(process)
    return prepareExec(id, process)
  }
  const { Id: execId } = await test.engine.exec.create('web', {
    AttachStdin: true,
    AttachStdout: true,
    Tty: true,
    Cmd: ['id'],
    User: 'bob',
    Env: ['A=2'],
    WorkingDir: '/srv',
    Privileged: true,
  })
  const session = await test.engine.exec.start(execId, { Tty: true, ConsoleSize: [20, 80] })
  t.equal(session?.multiplexed, false)
  const user = fakeClient()
  const done = session?.run(user.stream, never())
  await settled()
  t.match(files[0], {
    args: ['id'],
    user: { uid: 1000, gid: 1000 },
    cwd: '/srv',
    terminal: true,
    consoleSize: { height: 20, width: 80 },
  })
  t.match(JSON.stringify(files[0]), /"A=2".*/)
  await test.engine.exec.resize(execId, { height: 5, width: 6 })
  t.strictSame(test.process().sizes, [{ height: 5, width: 6 }])
  user.type('x\x10\x11')
  await done
  t.match(await test.engine.exec.inspect(execId), { Running: true }, 'detached, it runs on')
  t.ok(test.eventLog().includes('container exec_detach web'))
  const { Id: unknown } = await test.engine.exec.create('web', { ...attached, Cmd: ['id'], User: 'nobody' })
  const other = fakeClient()
  await (await test.engine.exec.start(unknown, {}))?.run(other.stream, never())
  t.match(other.received(), /unable to find user nobody: no matching entries in passwd file/)
  t.match(await test.engine.exec.inspect(unknown), { Running: false, ExitCode: 126 })
})

t.test('the start decides whether the output is framed, whatever the process has', async (t) => {
  const test = testEngine()
  await running(test)
  const received = async (terminal: boolean, asked: boolean | undefined) => {
    const { Id: execId } = await test.engine.exec.create('web', { ...attached, Tty: terminal, Cmd: ['x'] })
    const session = await test.engine.exec.start(execId, asked === undefined ? {} : { Tty: asked })
    const user = fakeClient()
    const done = session?.run(user.stream, never())
    await settled()
    test.process().write('stdout', 'out\n')
    test.process().write('stderr', 'err\n')
    test.process().exit(0)
    await done
    return [session?.multiplexed, user.received()]
  }
  const out = '\x01\0\0\0\0\0\0\x04out\n'
  t.strictSame(await received(true, true), [false, 'out\nerr\n'])
  t.strictSame(await received(true, false), [true, `${out}\x01\0\0\0\0\0\0\x04err\n`])
  t.strictSame(await received(true, undefined), await received(true, false), 'none is no terminal')
  t.strictSame(await received(false, true), [false, 'out\n'], 'without frames there is stdout alone')
  t.strictSame(await received(false, false), [true, `${out}\x02\0\0\0\0\0\0\x04err\n`])
})

t.test('an ended exec is forgotten after five minutes, and with its container', async (t) => {
  const test = testEngine()
  const id = await running(test)
  const make = async () => {
    const { Id: execId } = await test.engine.exec.create('web', { Cmd: ['x'] })
    await test.engine.exec.start(execId, { Detach: true })
    test.process().exit(0)
    await settled()
    return execId
  }
  const first = await make()
  await test.clock.advance(4 * 60_000)
  t.match(await test.engine.exec.inspect(first), { ExitCode: 0 })
  await test.clock.advance(2 * 60_000)
  await t.rejects(test.engine.exec.inspect(first), { message: `No such exec instance: ${first}` })
  const second = await make()
  await test.engine.containers.remove(id, { volumes: false, force: true, link: false })
  await t.rejects(test.engine.exec.inspect(second), { message: `No such exec instance: ${second}` })
  t.equal(test.records.listExecs().length, 0)
})
