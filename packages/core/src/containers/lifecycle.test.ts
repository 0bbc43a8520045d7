import t from 'tap'
import { settled, testEngine } from '../testing/index.ts'

const never = () => new AbortController().signal
const plain = { volumes: false, force: false, link: false }
const id64 = /[0-9a-f]{64}/

t.test('stop: the signal, patience, then SIGKILL; events kill, kill, die, stop', async (t) => {
  const test = testEngine()
  const { containers } = test.engine
  const id = await test.create({ StopSignal: 'SIGUSR1' }, 'web')
  await t.rejects(containers.stop(id, {}), { kind: 'notModified', message: '' })
  await containers.start(id, {})
  const process = test.process()
  process.fatalSignals = new Set([9])
  const stopped = containers.stop(id, { timeoutSeconds: 3 })
  await settled()
  t.strictSame(process.signals, [10])
  t.match(await containers.inspect(id, { size: false }), { State: { Status: 'running' } }, 'inspect answers meanwhile')
  await test.clock.advance(2900)
  t.strictSame(process.signals, [10])
  await test.clock.advance(200)
  await stopped
  t.strictSame(process.signals, [10, 9])
  t.strictSame(test.eventLog().slice(-5), [
    'container kill web',
    'container kill web',
    'network disconnect bridge',
    'container die web',
    'container stop web',
  ])
  t.match(await containers.inspect(id, { size: false }), { State: { Status: 'exited', ExitCode: 137 } })
})

t.test('stop waits the container’s own time, the daemon’s, or for ever', async (t) => {
  const test = testEngine()
  const { containers } = test.engine
  for (const [stopTimeout, timeoutSeconds, waitMs] of [
    [5, undefined, 5000],
    [undefined, undefined, 10_000],
    [5, 1, 1000],
  ] as const) {
    const id = await test.create(stopTimeout === undefined ? {} : { StopTimeout: stopTimeout })
    await containers.start(id, {})
    test.process().fatalSignals = new Set([9])
    const stopped = containers.stop(id, timeoutSeconds === undefined ? {} : { timeoutSeconds })
    await settled()
    await test.clock.advance(waitMs - 50)
    t.strictSame(test.process().signals, [15])
    await test.clock.advance(100)
    await stopped
    t.strictSame(test.process().signals, [15, 9])
  }
  const id = await test.create()
  await containers.start(id, {})
  test.process().fatalSignals = new Set([9])
  const stopped = containers.stop(id, { timeoutSeconds: -1 })
  await test.clock.advance(10_000_000)
  t.strictSame(test.process().signals, [15])
  await containers.kill(id, {})
  await stopped
  t.strictSame(test.process().signals, [15, 9], 'kill works while a stop waits')
})

t.test('kill', async (t) => {
  const test = testEngine()
  const { containers } = test.engine
  await t.rejects(containers.kill('nope', {}), {
    kind: 'notFound',
    message: 'cannot kill container: nope: No such container: nope',
  })
  const id = await test.create({}, 'web')
  await t.rejects(containers.kill('web', {}), {
    kind: 'conflict',
    message: `cannot kill container: web: container ${id} is not running`,
  })
  await containers.start(id, {})
  await t.rejects(containers.kill('web', { signal: 'FOO' }), {
    kind: 'invalidArgument',
    message: 'cannot kill container: web: invalid signal: FOO',
  })
  await containers.kill('web', { signal: 'HUP' })
  t.strictSame(test.process().signals, [1])
  await containers.kill('web', {})
  t.match(await containers.inspect(id, { size: false }), { State: { Status: 'exited', ExitCode: 137, Running: false } })
})

t.test('a paused container is frozen, and thawed for its stop', async (t) => {
  const test = testEngine()
  const { containers } = test.engine
  const id = await test.create({}, 'web')
  await t.rejects(containers.pause(id), { kind: 'conflict', message: `container ${id} is not running` })
  await containers.start(id, {})
  await t.rejects(containers.unpause(id), { kind: 'internal', message: `Container ${id} is not paused` })
  await containers.pause(id)
  t.ok(test.state.frozen.has(id))
  await t.rejects(containers.pause(id), { kind: 'conflict', message: `Container ${id} is already paused` })
  await t.rejects(containers.start(id, {}), {
    kind: 'conflict',
    message: 'cannot start a paused container, try unpause instead',
  })
  await t.rejects(containers.remove('web', plain), {
    kind: 'conflict',
    message: 'cannot remove container "/web": container is paused and must be unpaused first',
  })
  await containers.unpause(id)
  t.notOk(test.state.frozen.has(id))
  await containers.pause(id)
  await containers.stop(id, {})
  t.notOk(test.state.frozen.has(id))
  t.match(await containers.inspect(id, { size: false }), { State: { Status: 'exited', Paused: false } })
})

t.test('restart: kill, die, stop, start, restart; a stopped one is only started', async (t) => {
  const test = testEngine()
  const { containers } = test.engine
  const id = await test.create({ HostConfig: { AutoRemove: true } }, 'web')
  await containers.restart(id, {})
  const before = test.eventLog().length
  await containers.restart(id, {})
  t.strictSame(
    test
      .eventLog()
      .slice(before)
      .filter((line) => line.startsWith('container')),
    ['kill', 'die', 'stop', 'start', 'restart'].map((action) => `container ${action} web`),
  )
  t.match(await containers.inspect(id, { size: false }), { State: { Status: 'running' } }, 'AutoRemove has waited')
  await containers.stop(id, {})
  await settled()
  await t.rejects(containers.inspect(id, { size: false }), { kind: 'notFound', message: `No such container: ${id}` })
})

t.test('remove', async (t) => {
  const test = testEngine()
  const { containers } = test.engine
  const id = await test.create({ Volumes: { '/anonymous': {} }, HostConfig: { Binds: ['named:/d'] } }, 'web')
  t.equal(test.volumes.list().length, 2)
  await containers.start(id, {})
  await t.rejects(containers.remove('web', plain), {
    kind: 'conflict',
    message: 'cannot remove container "/web": container is running: stop the container before removing or force remove',
  })
  const { result } = await containers.wait(id, { condition: 'removed', signal: never() })
  await containers.remove('web', { ...plain, force: true, volumes: true })
  t.strictSame(await result, { StatusCode: 137 })
  t.strictSame(
    test.volumes.list().map(({ name }) => name),
    ['named'],
    'anonymous volumes only',
  )
  t.strictSame(test.images.released.length, 1)
  await t.rejects(containers.remove('web', plain), { kind: 'notFound', message: 'No such container: web' })
  const again = await test.create({}, 'web')
  t.not(again, id, 'the name is free')
})

t.test('two removals at once: the second is told', async (t) => {
  const test = testEngine()
  const { containers } = test.engine
  const id = await test.create({}, 'web')
  const first = containers.remove('web', plain)
  await new Promise((resolve) => setImmediate(resolve))
  const second = containers.remove('web', plain).catch((error: Error) => error.message)
  await first
  t.match(await second, /already in progress|No such container: web/)
  t.equal(test.records.listContainers().length, 0)
  t.notOk(test.state.rootFilesystems.has(id))
})

t.test('what cannot be removed stays as dead, and can be removed later', async (t) => {
  const test = testEngine()
  const { containers } = test.engine
  const id = await test.create({}, 'web')
  test.state.failures.set('rootfs.remove', new Error('device busy'))
  await t.rejects(containers.remove('web', plain), {
    kind: 'internal',
    message: `unable to remove filesystem for ${id}: device busy`,
  })
  t.match(await containers.inspect('web', { size: false }), { State: { Status: 'dead', Dead: true } })
  t.equal(test.records.listContainers()[0]?.status, 'dead', 'and is so after a restart')
  await containers.remove('web', plain)
  t.equal(test.records.listContainers().length, 0)
})

t.test('rename', async (t) => {
  const test = testEngine()
  const { containers } = test.engine
  const id = await test.create({}, 'one')
  const other = await test.create({}, 'two')
  const refused: [string, string, string][] = [
    ['', 'invalidArgument', 'Neither old nor new names may be empty'],
    ['one', 'invalidArgument', 'Renaming a container with the same name as its current name'],
    [
      '!!',
      'invalidArgument',
      'Error when allocating new name: Invalid container name (/!!), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed',
    ],
    [
      'two',
      'conflict',
      `Error when allocating new name: Conflict. The container name "/two" is already in use by container "${other}". ` +
        'You have to remove (or rename) that container to be able to reuse that name.',
    ],
  ]
  for (const [name, kind, message] of refused) await t.rejects(containers.rename('one', name), { kind, message })
  await containers.rename('one', '/three')
  t.match(await containers.inspect('three', { size: false }), { Id: id, Name: '/three' })
  await t.rejects(containers.inspect('one', { size: false }), { message: 'No such container: one' })
  t.equal(test.records.listContainers().find((row) => row.id === id)?.name, 'three')
  t.match(test.records.readEvents({ limit: 99 }).at(-1), { action: 'rename', attributes: { oldName: '/one' } })
})

t.test('wait', async (t) => {
  const test = testEngine()
  const { containers } = test.engine
  const id = await test.create()
  const wait = async (condition: 'not-running' | 'next-exit' | 'removed') =>
    (await containers.wait(id, { condition, signal: never() })).result
  t.strictSame(await wait('not-running'), { StatusCode: 0 }, 'at once for one that was never started')
  let next: unknown
  void wait('next-exit').then((response) => {
    next = response
  })
  await containers.start(id, {})
  await settled()
  t.equal(next, undefined)
  const notRunning = wait('not-running')
  test.process().exit(5)
  t.strictSame(await notRunning, { StatusCode: 5 })
  await settled()
  t.strictSame(next, { StatusCode: 5 })
  t.strictSame(await wait('not-running'), { StatusCode: 5 })
  const gone = wait('next-exit')
  await containers.remove(id, plain)
  t.strictSame(await gone, { StatusCode: 5 }, 'a removal answers, since no exit will come')
})

t.test('a wait that comes while a start is under way waits for what the start comes to', async (t) => {
  const test = testEngine()
  const { containers } = test.engine
  const id = await test.create()
  const started = containers.start(id, {})
  while (test.records.listContainers()[0]?.status !== 'starting') await Promise.resolve()
  const { result } = await containers.wait(id, { condition: 'not-running', signal: never() })
  await started
  test.process().exit(7)
  t.strictSame(await result, { StatusCode: 7 })
  await settled()
  test.monitors.host.failNext = 'no such file or directory'
  const failing = containers.start(id, {})
  while (test.records.listContainers()[0]?.status !== 'starting') await Promise.resolve()
  const failed = await containers.wait(id, { condition: 'not-running', signal: never() })
  await t.rejects(failing)
  t.match(await failed.result, { StatusCode: Number, Error: { Message: String } })
})

t.test('a start that fails: exit code and words by cause, nothing left, the container stays created', async (t) => {
  const failures: [string, string[], number, string, RegExp][] = [
    [
      'executable file `nope` not found in $PATH: No such file or directory',
      ['nope'],
      127,
      'invalidArgument',
      /exec: "nope": executable file not found in \$PATH: unknown$/,
    ],
    [
      'exec: "nope": executable file not found in $PATH',
      ['nope'],
      127,
      'invalidArgument',
      /executable file not found in \$PATH/,
    ],
    ['open executable: Permission denied', ['/etc'], 126, 'invalidArgument', /permission denied/],
    ['exec /dir: Is a directory', ['/dir'], 126, 'invalidArgument', /is a directory/],
    ['cgroups: something odd', ['x'], 128, 'internal', /cgroups: something odd/],
  ]
  for (const [runtimeText, command, exitCode, kind, message] of failures) {
    const test = testEngine()
    const id = await test.create({ Cmd: command })
    test.monitors.host.failNext = runtimeText
    await t.rejects(test.engine.containers.start(id, {}), { kind, message })
    const { State: state } = await test.engine.containers.inspect(id, { size: false })
    t.match(state, { Status: 'created', ExitCode: exitCode, Error: message, Running: false, Pid: 0 })
    for (const left of [test.state.mounted, test.state.runs, test.state.endpoints]) t.equal(left.size, 0)
    await test.engine.containers.start(id, {})
    t.match(await test.engine.containers.inspect(id, { size: false }), { State: { Status: 'running', Error: '' } })
  }
})

t.test('a network that cannot be set up: everything beside it is taken back, the words are kept', async (t) => {
  const test = testEngine()
  const id = await test.create()
  const text = 'Bind for 0.0.0.0:80 failed: port is already allocated'
  test.state.failures.set('network.setUp', new Error(text))
  await t.rejects(test.engine.containers.start(id, {}), { kind: 'internal', message: text })
  for (const left of [test.state.mounted, test.state.runs, test.state.endpoints]) t.equal(left.size, 0)
})

t.test('AutoRemove follows a failed start too', async (t) => {
  const test = testEngine()
  const id = await test.create({ HostConfig: { AutoRemove: true } })
  const { result } = await test.engine.containers.wait(id, { condition: 'next-exit', signal: never() })
  test.monitors.host.failNext = 'x'
  await t.rejects(test.engine.containers.start(id, {}), { kind: 'internal', message: /x: unknown/ })
  t.match(await result, { StatusCode: 128 })
  t.equal(test.records.listContainers().length, 0)
  t.equal(test.state.rootFilesystems.size, 0)
})

t.test('restart policy: 100 ms, doubling; waiters hear each exit; a stop ends it', async (t) => {
  const test = testEngine()
  const { containers } = test.engine
  const id = await test.create({ HostConfig: { RestartPolicy: { Name: 'always' } } })
  await containers.start(id, {})
  const first = test.process()
  const { result } = await containers.wait(id, { condition: 'next-exit', signal: never() })
  first.exit(1)
  t.strictSame(await result, { StatusCode: 1 })
  t.match(await containers.inspect(id, { size: false }), {
    State: { Status: 'restarting', Running: true, Restarting: true, ExitCode: 1 },
    RestartCount: 1,
  })
  await test.clock.advance(100)
  t.not(test.process(), first)
  t.match(await containers.inspect(id, { size: false }), { State: { Status: 'running' } })
  test.process().exit(1)
  await settled()
  await test.clock.advance(150)
  t.equal(test.monitors.started.length, 2, '200 ms now')
  await test.clock.advance(60)
  t.equal(test.monitors.started.length, 3)
  t.match(await containers.inspect(id, { size: false }), { RestartCount: 2 })
  await containers.stop(id, {})
  await test.clock.advance(100_000)
  t.equal(test.monitors.started.length, 3)
  await containers.start(id, {})
  t.match(await containers.inspect(id, { size: false }), { RestartCount: 0 })
  test.process().exit(0)
  await settled()
  await t.rejects(containers.start(id, {}), { kind: 'notModified', message: '' }, 'its start is coming')
  const Cmd = ['true']
  await t.rejects(test.engine.exec.create(id.slice(0, 12), { Cmd }), {
    kind: 'conflict',
    message: `Container ${id} is restarting, wait until the container is running`,
  })
  await containers.stop(id, {})
  t.match(await containers.inspect(id, { size: false }), { State: { Status: 'exited' } }, 'stopped while it waited')
  await test.clock.advance(100_000)
  t.equal(test.monitors.started.length, 4)
})

t.test('a restart by the policy that fails: the error, with the exit code of the run before', async (t) => {
  const test = testEngine()
  const { containers } = test.engine
  const id = await test.create({ HostConfig: { RestartPolicy: { Name: 'always' } } })
  await containers.start(id, {})
  test.process().exit(3)
  await settled()
  const { ContainersRunning, ContainersStopped } = await test.engine.system.info()
  t.strictSame([ContainersRunning, ContainersStopped], [0, 1], 'while it waits it counts as stopped')
  test.monitors.host.failNext = 'no such file or directory'
  await test.clock.advance(100)
  await settled()
  t.match((await containers.inspect(id, { size: false })).State, {
    Status: 'exited',
    ExitCode: 3,
    Error: /no such file or directory/,
  })
})

t.test('an OOM kill is told', async (t) => {
  const test = testEngine()
  const id = await test.create({}, 'web')
  await test.engine.containers.start(id, {})
  test.process().exit(137, { oomKilled: true })
  await settled()
  t.match(await test.engine.containers.inspect(id, { size: false }), { State: { OOMKilled: true } })
  const actions = test.eventLog().filter((line) => line.startsWith('container'))
  t.strictSame(actions.slice(-2), ['container oom web', 'container die web'])
})

t.test('an OOM kill of another than the first process is told at once, each time', async (t) => {
  const test = testEngine()
  const id = await test.create({}, 'web')
  const state = async (engine = test) => (await engine.engine.containers.inspect(id, { size: false })).State
  const ooms = (engine = test) => engine.eventLog().filter((line) => line === 'container oom web').length
  await test.engine.containers.start(id, {})
  test.process().runOutOfMemory()
  t.match(await state(), { OOMKilled: true, Running: true })
  test.process().runOutOfMemory()
  t.equal(ooms(), 2)
  const next = test.restartDaemon()
  await next.engine.recover()
  t.equal(ooms(next), 2, 'what was told is not told again by the next daemon')
  next.die()
  test.process().runOutOfMemory()
  const last = next.restartDaemon()
  await last.engine.recover()
  t.equal(ooms(last), 3, 'what no daemon saw is told by the next')
  test.process().exit(0, { oomKilled: true })
  await settled()
  t.match(await state(last), { OOMKilled: true, ExitCode: 0 })
  t.equal(ooms(last), 3)
  await last.engine.containers.start(id, {})
  t.match(await state(last), { OOMKilled: false })
})

t.test('update: live limits, words, restart policy', async (t) => {
  const test = testEngine()
  const { containers } = test.engine
  const megabyte = 1024 ** 2
  const id = await test.create({ HostConfig: { Memory: 64 * megabyte } }, 'web')
  await containers.update(id, { CpuShares: 512 })
  t.equal(test.state.limits.size, 0, 'nothing is running')
  await containers.start(id, {})
  t.strictSame(await containers.update(id, { Memory: 32 * megabyte, RestartPolicy: { Name: 'always' } }), {
    Warnings: null,
  })
  t.match(test.state.limits.get(id), { Memory: 32 * megabyte })
  t.match(test.records.listContainers()[0]?.hostConfig, {
    Memory: 32 * megabyte,
    CpuShares: 512,
    RestartPolicy: { Name: 'always', MaximumRetryCount: 0 },
  })
  await t.rejects(containers.update(id, { Memory: 100 }), { message: 'Minimum memory limit allowed is 6MB' })
  await t.rejects(containers.update(id, { Memory: 256 * megabyte }), {
    kind: 'conflict',
    message: `Cannot update container ${id}: Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time`,
  })
  const has = async (changed: object) => t.match((await containers.inspect(id, { size: false })).HostConfig, changed)
  await containers.update(id, { PidsLimit: 50 })
  await containers.update(id, { MemorySwap: -1, PidsLimit: null })
  await has({ MemorySwap: -1, PidsLimit: 50 })
  await t.rejects(containers.update(id, { Memory: 48 * megabyte }), { kind: 'conflict', message: /at the same time$/ })
  for (const PidsLimit of [0, -1]) {
    await containers.update(id, { PidsLimit: 60 })
    await containers.update(id, { PidsLimit })
    await has({ PidsLimit: 0 })
    t.equal(test.state.limits.get(id)?.PidsLimit, 0, `no limit: ${PidsLimit}`)
  }
  await containers.update(id, { CpuQuota: -1, CpuRealtimeRuntime: 1000, Devices: [{ PathOnHost: '/dev/null' }] })
  t.notMatch(test.state.limits.get(id), { CpuRealtimeRuntime: 1000 }, 'which Docker does not look at')
  await containers.update(id, { NanoCpus: 1e9 })
  await t.rejects(containers.update(id, { CpuQuota: 5000 }), {
    kind: 'conflict',
    message: `Cannot update container ${id}: Conflicting options: CPU Quota cannot be updated as NanoCPUs has already been set`,
  })
  await containers.update(id, { RestartPolicy: { Name: '', MaximumRetryCount: 3 } })
  await has({ NanoCpus: 1e9, Devices: null, RestartPolicy: { Name: 'always' } })
})

t.test('create: refusals in Docker’s words, and nothing stays of them', async (t) => {
  const test = testEngine()
  const { containers } = test.engine
  await test.create({}, 'taken')
  const takenBy = id64.exec(JSON.stringify(await containers.inspect('taken', { size: false })))?.[0]
  const image = { Image: 'busybox' }
  const refused: [Parameters<typeof containers.create>[0], string, string][] = [
    [{ body: {} }, 'invalidArgument', 'config cannot be empty in order to create a container'],
    [{ body: { Image: 'nope' } }, 'notFound', 'No such image: nope:latest'],
    [
      { body: image, name: 'x' },
      'invalidArgument',
      'Invalid container name (x), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed',
    ],
    [
      { body: image, name: 'taken' },
      'conflict',
      `Conflict. The container name "/taken" is already in use by container "${takenBy}". You have to remove (or rename) that container to be able to reuse that name.`,
    ],
    [{ body: { ...image, StopSignal: 'FOO' } }, 'invalidArgument', 'invalid signal: FOO'],
    [
      { body: { ...image, HostConfig: { Runtime: 'nope' } } },
      'invalidArgument',
      'unknown or invalid runtime name: nope',
    ],
    [{ body: { ...image, HostConfig: { IpcMode: 'container:nope' } } }, 'invalidArgument', 'No such container: nope'],
    [{ body: { ...image, HostConfig: { VolumesFrom: ['nope'] } } }, 'invalidArgument', 'No such container: nope'],
    [
      { body: { ...image, HostConfig: { Links: ['nope:x'] } } },
      'invalidArgument',
      'could not get container for nope: No such container: nope',
    ],
    [
      { body: { ...image, HostConfig: { Mounts: [{ Type: 'bind', Source: '/nonex', Target: '/b' }] } } },
      'invalidArgument',
      'invalid mount config for type "bind": bind source path does not exist: /nonex',
    ],
    [
      { body: { ...image, HostConfig: { LogConfig: { Type: 'json-file', Config: { foo: '1' } } } } },
      'invalidArgument',
      "unknown log opt 'foo' for json-file log driver",
    ],
    [
      { body: { ...image, HostConfig: { AutoRemove: true, RestartPolicy: { Name: 'always' } } } },
      'invalidArgument',
      "can't create 'AutoRemove' container with restart policy",
    ],
  ]
  for (const [request, kind, message] of refused) await t.rejects(containers.create(request), { kind, message })
  test.state.failures.set('rootfs.create', new Error('disk full'))
  await t.rejects(containers.create({ body: { ...image, Volumes: { '/v': {} } }, name: 'half' }), {
    message: 'disk full',
  })
  t.equal(test.records.listContainers().length, 1)
  t.equal(test.state.rootFilesystems.size, 1)
  t.equal(test.state.data.size, 1)
  t.equal(test.volumes.list().length, 0)
  await test.create({}, 'half')
})

t.test('create: what is stored', async (t) => {
  const test = testEngine()
  const { containers } = test.engine
  const other = await test.create({}, 'other')
  const id = await test.create({
    HostConfig: { NetworkMode: 'container:other', PidMode: 'container:other', MemorySwappiness: -1, PidsLimit: 0 },
  })
  const { HostConfig: hostConfig, Config: config, Mounts: mounts } = await containers.inspect(id, { size: false })
  t.match(hostConfig, {
    NetworkMode: `container:${other}`,
    PidMode: `container:${other}`,
    RestartPolicy: { Name: 'no', MaximumRetryCount: 0 },
    Runtime: 'runc',
    IpcMode: 'private',
    ShmSize: 67108864,
    MemorySwappiness: null,
    PidsLimit: null,
    LogConfig: { Type: 'json-file', Config: {} },
    Binds: null,
    ConsoleSize: [0, 0],
  })
  t.match(config, { Hostname: id.slice(0, 12), Env: ['PATH=/bin'], Labels: { from: 'image' }, Volumes: null })
  t.strictSame(mounts, [])
  await t.rejects(containers.start(id, {}), {
    kind: 'conflict',
    message: `cannot join network of a non running container: ${other}`,
  })
  await containers.start(other, {})
  await containers.start(id, {})
  const spec = test.state.runs.get(`/run/c/${id}`)
  const { State: state } = await containers.inspect(other, { size: false })
  t.ok(spec?.linux.namespaces.some(({ type, path }) => type === 'network' && path === `/proc/${state.Pid}/ns/net`))
  const hostNetwork = await containers.create({
    body: { Image: 'busybox', HostConfig: { NetworkMode: 'host', PortBindings: { '80/tcp': [{}] } } },
  })
  t.strictSame(hostNetwork.Warnings, ['Published ports are discarded when using host network mode'])
  t.match(await containers.inspect(hostNetwork.Id, { size: false }), { Config: { Hostname: 'host.example' } })
})
