import { Readable } from 'node:stream'
import t from 'tap'
import { armCrashPoint, crashPoints } from '../support/crash-point.ts'
import { fakeClient, settled, type TestEngine, testEngine } from '../testing/index.ts'

const never = () => new AbortController().signal
const unit = { volumes: false, force: false, link: false }
const stateOf = async (test: TestEngine, id: string) =>
  (await test.engine.containers.inspect(id, { size: false })).State

async function recovered(test: TestEngine, change: { bootId?: string } = {}): Promise<TestEngine> {
  const next = test.restartDaemon(change)
  const { startsEnded } = await next.engine.recover()
  await startsEnded
  await settled()
  return next
}

t.test('a running container is adopted: attach, logs, stop and its exit go on', async (t) => {
  const first = testEngine()
  const id = await first.create({}, 'web')
  await first.engine.containers.start(id, {})
  const process = first.process()
  const second = await recovered(first)
  t.match(await stateOf(second, 'web'), { Status: 'running', Pid: process.started?.pid })
  t.equal(second.monitors.started.length, 0, 'nothing was started')
  const user = fakeClient()
  const options = { logs: false, stream: true, stdin: false, stdout: true, stderr: true }
  const done = (await second.engine.containers.attach('web', options)).run(user.stream, never())
  await settled()
  process.write('stdout', 'on')
  process.exit(4)
  await done
  t.equal(user.received(), '\x01\0\0\0\0\0\0\x02on')
  t.match(await stateOf(second, 'web'), { Status: 'exited', ExitCode: 4 })
  t.equal(second.state.endpoints.size, 0)
})

t.test('a paused container is adopted paused; a stop that was cut off leaves it running', async (t) => {
  const first = testEngine()
  const paused = await first.create()
  await first.engine.containers.start(paused, {})
  await first.engine.containers.pause(paused)
  const stopping = await first.create()
  await first.engine.containers.start(stopping, {})
  first.process().fatalSignals = new Set([9])
  void first.engine.containers.stop(stopping, { timeoutSeconds: 100 })
  await settled()
  const second = await recovered(first)
  t.match(await stateOf(second, paused), { Status: 'paused' })
  t.match(await stateOf(second, stopping), { Status: 'running' })
  await second.engine.containers.unpause(paused)
  await second.engine.containers.kill(stopping, {})
})

t.test('an exit that nobody saw: its file tells, the clean-up is made up for', async (t) => {
  const first = testEngine()
  const id = await first.create({}, 'web')
  await first.engine.containers.start(id, {})
  const process = first.process()
  const second = first.restartDaemon()
  process.exit(9, { oomKilled: true })
  await settled()
  const third = await recovered(second)
  t.match(await stateOf(third, 'web'), { Status: 'exited', ExitCode: 9, OOMKilled: true, Pid: 0 })
  for (const left of [third.state.mounted, third.state.runs, third.state.endpoints]) t.equal(left.size, 0)
})

t.test('after a reboot nothing runs, whatever pids and files say', async (t) => {
  const first = testEngine()
  const id = await first.create()
  await first.engine.containers.start(id, {})
  const second = await recovered(first, { bootId: 'boot-2' })
  t.match(await stateOf(second, id), { Status: 'exited', ExitCode: 255, Error: /machine was started again/ })
})

t.test('restart policies at the start of the daemon', async (t) => {
  const first = testEngine()
  const make = async (name: string, policy: string, end?: 'stop' | 'fail') => {
    const id = await first.create({ HostConfig: { RestartPolicy: { Name: policy } } }, name)
    await first.engine.containers.start(id, {})
    if (end === 'stop') await first.engine.containers.stop(id, {})
  }
  await make('always-stopped', 'always', 'stop')
  await make('unless-stopped', 'unless-stopped', 'stop')
  await make('unless-running', 'unless-stopped')
  await make('failing', 'on-failure')
  await make('none', 'no')
  await first.create({ HostConfig: { RestartPolicy: { Name: 'always' } } }, 'never-started')
  const second = await recovered(first, { bootId: 'boot-2' })
  const list = await second.engine.containers.list({ all: true, size: false, filters: {} })
  const states = Object.fromEntries(list.map(({ Names: [name = ''], State: state }) => [name.slice(1), state]))
  t.strictSame(states, {
    'always-stopped': 'running',
    'unless-stopped': 'exited',
    'unless-running': 'running',
    failing: 'running',
    none: 'exited',
    'never-started': 'created',
  })
})

t.test('a container that was created, with and without volumes, is still created for the next daemon', async (t) => {
  const first = testEngine()
  await first.create({}, 'plain')
  await first.create({ Volumes: { '/v': {} } }, 'with-volume')
  const second = await recovered(first)
  for (const name of ['plain', 'with-volume']) t.match(await stateOf(second, name), { Status: 'created' })
  t.equal(second.volumes.list().length, 1)
})

t.test('AutoRemove containers that ended meanwhile are removed; objects without a row too', async (t) => {
  const first = testEngine()
  const id = await first.create({ HostConfig: { AutoRemove: true } })
  await first.engine.containers.start(id, {})
  const { state } = first
  state.rootFilesystems.add('stray')
  state.data.add('stray')
  state.runs.set('/run/c/stray', undefined)
  state.execDirectories.add('/run/x/stray')
  state.endpoints.set('stray', [])
  const second = await recovered(first, { bootId: 'boot-2' })
  t.equal((await second.engine.containers.list({ all: true, size: false, filters: {} })).length, 0)
  for (const left of [state.rootFilesystems, state.data, state.runs, state.execDirectories, state.endpoints]) {
    t.equal(left.size, 0)
  }
})

t.test('execs that run are adopted, those that ended have their code', async (t) => {
  const first = testEngine()
  const id = await first.create({}, 'web')
  await first.engine.containers.start(id, {})
  const start = async () => {
    const { Id: execId } = await first.engine.exec.create('web', { Cmd: ['x'] })
    await first.engine.exec.start(execId, { Detach: true })
    return { execId, process: first.process() }
  }
  const alive = await start()
  const ended = await start()
  ended.process.exit(5)
  await settled()
  const second = await recovered(first)
  t.match(await second.engine.exec.inspect(alive.execId), { Running: true, ExitCode: null })
  t.match(await second.engine.exec.inspect(ended.execId), { Running: false, ExitCode: 5 })
  alive.process.exit(6)
  await settled()
  t.match(await second.engine.exec.inspect(alive.execId), { Running: false, ExitCode: 6 })
})

t.test('close lets go: containers run on, restarts that wait are left to the next daemon', async (t) => {
  const first = testEngine()
  const id = await first.create({ HostConfig: { RestartPolicy: { Name: 'always' } } })
  await first.engine.containers.start(id, {})
  first.process().exit(1)
  await settled()
  await first.engine.close()
  await first.clock.advance(1000)
  t.equal(first.monitors.started.length, 1)
  const second = await recovered(first)
  t.match(await stateOf(second, id), { Status: 'running' })
})

t.test('a monitor that dies: its process is ended and the exit code is told as unknown', async (t) => {
  const test = testEngine()
  const id = await test.create({}, 'web')
  await test.engine.containers.start(id, {})
  test.process().lose(new Error('gone'))
  await settled()
  t.ok(test.state.calls.includes(`runtime.deleteForce ${id}`), 'ended by the runtime')
  t.match(await stateOf(test, id), { Status: 'exited', ExitCode: 255, Error: /not seen: gone/ })
  t.equal(test.state.endpoints.size, 0)
})

t.test('an update that was cut off between kernel and record becomes true', async (t) => {
  const first = testEngine()
  const id = await first.create({}, 'web')
  await first.engine.containers.start(id, {})
  const disarm = armCrashPoint('update:applied', () => first.die())
  void first.engine.containers.update(id, { Memory: 64 << 20, MemorySwap: 64 << 20 }).catch(() => {})
  await settled()
  disarm()
  const second = await recovered(first)
  const { HostConfig } = await second.engine.containers.inspect(id, { size: false })
  t.match(HostConfig, { Memory: 64 << 20, MemorySwap: 64 << 20 })
  t.match(second.state.limits.get(id), { Memory: 64 << 20 })
  t.equal(second.records.listContainers()[0]?.state.pendingUpdate, undefined)
})

t.test('an endpoint that is up and in no record goes down: a connect or disconnect was cut off', async (t) => {
  const first = testEngine()
  const id = await first.create({}, 'web')
  await first.engine.containers.start(id, {})
  const [row] = first.state.endpoints.get(id) ?? []
  t.ok(row)
  if (row !== undefined) first.state.endpoints.set(id, [row, { ...row, endpointId: 'other', networkId: 'other' }])
  const second = await recovered(first)
  t.same(second.state.endpoints.get(id), [row])
})

/** One life of a daemon that touches every step. Each is tried even when an earlier one has hit the crash. */
async function everything(test: TestEngine): Promise<void> {
  const { containers, exec } = test.engine
  const Healthcheck = { Test: ['CMD', 'check'], Interval: 1e9 }
  const HostConfig = { RestartPolicy: { Name: 'on-failure' } }
  const id = await test.create({ Volumes: { '/v': {} }, Healthcheck, HostConfig }, 'web')
  await containers.start(id, {})
  const process = test.process()
  const { Id: execId } = await exec.create(id, { Cmd: ['x'] })
  await exec.start(execId, { Detach: true })
  test.process().exit(0)
  await settled()
  await containers.pause(id)
  await containers.unpause(id)
  await test.clock.advance(1_100)
  test.process().exit(0)
  await settled()
  const { tar } = await containers.getArchive(id, '/etc/passwd')
  tar.resume()
  const unpacked = {
    path: '/tmp',
    noOverwriteDirNonDir: false,
    copyUidGid: true,
    body: Readable.from([Buffer.from('x')]),
  }
  await containers.putArchive(id, unpacked)
  await containers.commit({ container: id, pause: true, changes: [] })
  await settled()
  await containers.rename(id, 'renamed')
  await containers.update(id, { CpuShares: 10 })
  process.exit(1)
  await settled()
  await test.clock.advance(200)
  await containers.kill(id, { signal: 'HUP' })
  await containers.stop(id, {})
  await containers.remove(id, { ...unit, volumes: true })
}

t.test('killed at any crash point, a new daemon brings records and host into agreement', async (t) => {
  for (const point of crashPoints) {
    const first = testEngine()
    let strike = () => {}
    const struck = new Promise<string>((resolve) => {
      strike = () => resolve('struck')
    })
    const disarm = armCrashPoint(point, () => {
      first.die()
      strike()
    })
    t.equal(await Promise.race([everything(first), struck]), 'struck', `${point} is on the way`)
    await settled()
    disarm()
    const second = await recovered(first)
    const list = await second.engine.containers.list({ all: true, size: false, filters: {} })
    const known = new Set(list.map(({ Id: id }) => id))
    const inState = (...states: string[]) =>
      new Set(list.filter(({ State: state }) => states.includes(state)).map(({ Id: id }) => id))
    const running = inState('running', 'paused')
    const { state, records, monitors } = second
    const message = `after ${point}`
    t.same(new Set(records.listContainers().map(({ id }) => id)), known, `${message}: rows`)
    t.same(new Set(state.rootFilesystems), known, `${message}: root filesystems`)
    t.same(new Set(state.data), known, `${message}: data`)
    t.same(new Set(state.frozen), inState('paused'), `${message}: the freezer`)
    t.same(new Set(state.mounted), running, `${message}: mounts`)
    t.same(new Set(state.endpoints.keys()), running, `${message}: endpoints`)
    const containerProcesses = [...monitors.host.processes.values()].filter(
      ({ plan }) => plan.process.kind === 'container',
    )
    t.equal(containerProcesses.length, running.size, `${message}: processes`)
    for (const { Id: id } of list) {
      await second.engine.containers.remove(id, { volumes: true, force: true, link: false })
    }
    await settled()
    for (const left of [state.rootFilesystems, state.data, state.mounted, state.endpoints, state.runs]) {
      t.equal(left.size, 0, `${message}: nothing is left after the removal`)
    }
    t.equal(second.volumes.list().length, 0, `${message}: no volume is left`)
    t.equal(records.listContainers().length, 0)
    t.equal(records.listExecs().length, 0, `${message}: no exec is left`)
  }
})
