import t from 'tap'
import { checkName, inventName } from './container-name.ts'
import type { ContainerRecord, ContainerStatus } from './container-record.ts'
import { initialState } from './container-record.ts'
import { checkTransition, isRunning, mayFollow, wireState } from './container-state.ts'
import { DetachScanner, defaultDetachKeys, parseDetachKeys } from './detach-keys.ts'
import { mergeConfig } from './merge-config.ts'
import { normalizeNetworking } from './network-mode.ts'
import { type EndOfRun, restartDelayMs, restartsAtBoot } from './restart-policy.ts'
import { statusText } from './status-text.ts'

const record = (status: ContainerStatus, state: Partial<ContainerRecord['state']> = {}) =>
  ({ status, state: { ...initialState(), ...state } }) as ContainerRecord

t.test('statuses', async (t) => {
  t.throws(() => checkTransition('created', 'running'), { kind: 'internal', message: /from created to running/ })
  t.doesNotThrow(() => checkTransition('starting', 'running'))
  const all: ContainerStatus[] = [
    'creating',
    'created',
    'starting',
    'running',
    'paused',
    'stopping',
    'restarting',
    'exited',
    'removing',
    'dead',
  ]
  for (const status of all) t.ok(mayFollow(status).length > 0, `${status} is no dead end`)
  t.strictSame(all.filter(isRunning), ['running', 'paused', 'stopping', 'restarting'])
  const shown = (status: ContainerStatus, startedAtNs = '') => wireState(record(status, { startedAtNs }))
  t.match(shown('starting'), { Status: 'created', Running: false })
  t.match(shown('starting', '1'), { Status: 'exited', Running: false }, 'a second start shows the last end')
  t.match(shown('stopping', '1'), { Status: 'running', Running: true })
  t.match(shown('paused', '1'), { Status: 'paused', Running: true, Paused: true })
  t.match(shown('restarting', '1'), { Status: 'restarting', Running: true, Restarting: true })
  t.match(shown('dead', '1'), { Status: 'dead', Running: false, Dead: true })
})

t.test('status texts', async (t) => {
  const second = 1_000_000_000n
  const now = 1000n * second
  const ago = (seconds: bigint) => String(now - seconds * second)
  const text = (status: ContainerStatus, state: Partial<ContainerRecord['state']>) =>
    statusText(record(status, { startedAtNs: ago(90n), ...state }), now)
  t.equal(text('created', { startedAtNs: '' }), 'Created')
  t.equal(text('running', { startedAtNs: ago(0n) }), 'Up Less than a second')
  t.equal(text('running', {}), 'Up About a minute')
  t.equal(
    text('running', { health: { status: 'starting', failingStreak: 0, log: [] } }),
    'Up About a minute (health: starting)',
  )
  t.equal(text('running', { health: { status: 'healthy', failingStreak: 0, log: [] } }), 'Up About a minute (healthy)')
  t.equal(text('paused', {}), 'Up About a minute (Paused)')
  t.equal(text('restarting', { exitCode: 1, finishedAtNs: ago(5n) }), 'Restarting (1) 5 seconds ago')
  t.equal(text('exited', { exitCode: 137, finishedAtNs: ago(3n) }), 'Exited (137) 3 seconds ago')
  t.equal(text('removing', {}), 'Removal In Progress')
  t.equal(text('dead', {}), 'Dead')
})

t.test('restart policies', async (t) => {
  const end: EndOfRun = {
    policy: { Name: 'always' },
    exitCode: 0,
    manuallyStopped: false,
    runDurationNs: 1n,
    restartCount: 0,
    previousDelayMs: 0,
  }
  const delay = (change: Partial<EndOfRun>) => restartDelayMs({ ...end, ...change })
  t.equal(delay({}), 100)
  t.equal(delay({ previousDelayMs: 100 }), 200)
  t.equal(delay({ previousDelayMs: 51_200 }), 60_000, 'not above a minute')
  t.equal(delay({ previousDelayMs: 51_200, runDurationNs: 10_000_000_000n }), 100, 'a good run starts again')
  for (const policy of [undefined, { Name: '' }, { Name: 'no' }]) t.equal(delay({ policy }), undefined)
  t.equal(delay({ manuallyStopped: true }), undefined)
  const onFailure = { Name: 'on-failure', MaximumRetryCount: 2 }
  t.equal(delay({ policy: onFailure }), undefined, 'success is no failure')
  t.equal(delay({ policy: onFailure, exitCode: 1, restartCount: 1 }), 100)
  t.equal(delay({ policy: onFailure, exitCode: 1, restartCount: 2 }), undefined)
  t.equal(delay({ policy: { Name: 'on-failure' }, exitCode: 1, restartCount: 99 }), 100)
})

t.test('at the start of the daemon', async (t) => {
  const state = { hasRun: true, manuallyStopped: true, exitCode: 1, restartCount: 0 }
  t.equal(restartsAtBoot({ ...state, policy: { Name: 'always' } }), true)
  t.equal(restartsAtBoot({ ...state, policy: { Name: 'unless-stopped' } }), false)
  t.equal(restartsAtBoot({ ...state, policy: { Name: 'unless-stopped' }, manuallyStopped: false }), true)
  t.equal(restartsAtBoot({ ...state, policy: { Name: 'always' }, hasRun: false }), false, 'never started, left alone')
  const failing = { ...state, manuallyStopped: false, policy: { Name: 'on-failure', MaximumRetryCount: 1 } }
  t.equal(restartsAtBoot(failing), true)
  t.equal(restartsAtBoot({ ...failing, exitCode: 0 }), false)
  t.equal(restartsAtBoot({ ...failing, restartCount: 1 }), false)
})

t.test('detach keys', async (t) => {
  t.strictSame(parseDetachKeys('ctrl-p,ctrl-q'), [...defaultDetachKeys])
  t.strictSame(parseDetachKeys('a,DEL,ctrl-@,ctrl-[,ctrl-_,ctrl-z'), [97, 127, 0, 27, 31, 26])
  for (const wrong of ['', 'foo', 'ctrl-', 'ctrl-A', 'a,,b', 'ctrl-1'])
    t.equal(parseDetachKeys(wrong), undefined, wrong)
  const scan = (...chunks: string[]) => {
    const scanner = new DetachScanner([16, 17])
    const results = chunks.map((chunk) => scanner.scan(Buffer.from(chunk, 'latin1')))
    return [results.map(({ forward }) => forward.toString('latin1')).join(''), results.some(({ detached }) => detached)]
  }
  t.strictSame(scan('abc'), ['abc', false])
  t.strictSame(scan('ab\x10\x11cd'), ['ab', true], 'the sequence and what follows are swallowed')
  t.strictSame(scan('ab\x10', '\x11'), ['ab', true], 'in two chunks')
  t.strictSame(scan('\x10x'), ['\x10x', false], 'a beginning that goes on otherwise is forwarded')
  t.strictSame(scan('\x10\x10\x11'), ['\x10', true], 'the second may be the beginning')
  t.strictSame(scan('\x11\x10'), ['\x11', false])
})

t.test('names', async (t) => {
  t.equal(checkName('/web-1.x_Y'), 'web-1.x_Y')
  for (const name of ['x', '-ab', 'a b', 'a/b', '']) {
    const message = `Invalid container name (${name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`
    t.throws(() => checkName(name), { kind: 'invalidArgument', message })
  }
  const tried: string[] = []
  const id = 'c0ffee'.repeat(11)
  const name = inventName(id, (candidate) => {
    tried.push(candidate)
    return true
  })
  t.equal(name, 'c0ffeec0ffee', 'the short id when luck fails')
  t.equal(tried.length, 6)
  t.match(tried[0], /^[a-z]+_[a-z]+$/)
  t.match(tried[1], /^[a-z]+_[a-z]+\d$/)
  for (const candidate of tried) t.equal(checkName(candidate), candidate)
})

t.test('a working directory is kept clean: nothing is made where its path only passes through', async (t) => {
  const directory = (user: string | undefined, image = '') =>
    mergeConfig({ Cmd: ['x'], ...(user !== undefined && { WorkingDir: user }) }, { WorkingDir: image }).WorkingDir
  t.equal(directory('/a/../b//./c/'), '/b/c')
  t.equal(directory('/../..'), '/')
  t.equal(directory(undefined, '/srv/app/../data/'), '/srv/data')
  t.equal(directory(''), '', 'none stays none')
})

t.test('the configuration of image and user merged', async (t) => {
  const image = {
    User: 'app',
    Env: ['PATH=/bin', 'A=image'],
    Entrypoint: ['/entry'],
    Cmd: ['serve'],
    Labels: { a: 'image', b: 'image' },
    ExposedPorts: { '80/tcp': {} },
    Volumes: { '/data': {} },
    WorkingDir: '/srv',
    StopSignal: 'SIGINT',
    Healthcheck: { Test: ['CMD', 'x'], Interval: 5 },
  }
  t.match(mergeConfig({}, image), {
    User: 'app',
    Env: ['PATH=/bin', 'A=image'],
    Entrypoint: ['/entry'],
    Cmd: ['serve'],
    WorkingDir: '/srv',
    StopSignal: 'SIGINT',
  })
  const merged = mergeConfig(
    {
      Env: ['A=user', 'B'],
      Cmd: ['other'],
      Labels: { a: 'user' },
      ExposedPorts: { '81/tcp': {} },
      Healthcheck: { Retries: 2 },
    },
    image,
  )
  t.strictSame(merged.Env, ['A=user', 'B', 'PATH=/bin'], "the user's first, then what they did not set")
  t.strictSame([merged.Entrypoint, merged.Cmd], [['/entry'], ['other']])
  t.strictSame(merged.Labels, { a: 'user', b: 'image' })
  t.strictSame(Object.keys(merged.ExposedPorts ?? {}), ['80/tcp', '81/tcp'])
  t.match(merged.Healthcheck, { Test: ['CMD', 'x'], Interval: 5, Retries: 2 })
  const own = mergeConfig({ Entrypoint: ['/mine'] }, image)
  t.strictSame([own.Entrypoint, own.Cmd], [['/mine'], null], "an entrypoint of one's own drops the image's command")
  t.equal(mergeConfig({ Entrypoint: [''], Cmd: ['x'] }, image).Entrypoint, null, 'an empty one clears the image’s')
  t.throws(() => mergeConfig({}, {}), { kind: 'invalidArgument', message: 'no command specified' })
})

t.test('networks', async (t) => {
  const unknown = () => undefined
  t.strictSame(
    normalizeNetworking({ NetworkMode: 'default' }, { EndpointsConfig: { default: {} } }, undefined, unknown),
    {
      networkMode: 'bridge',
      endpoints: { bridge: {} },
    },
  )
  t.strictSame(
    normalizeNetworking({}, { EndpointsConfig: { other: { Aliases: ['x'] } } }, '02:42:00:00:00:01', unknown),
    {
      networkMode: 'bridge',
      endpoints: { other: { Aliases: ['x'] }, bridge: { MacAddress: '02:42:00:00:00:01' } },
    },
  )
  t.throws(() => normalizeNetworking({}, { EndpointsConfig: { default: null } }, undefined, unknown), {
    message: 'invalid config for network bridge: EndpointsConfig is nil',
  })
  t.strictSame(normalizeNetworking({ NetworkMode: 'container:abc' }, undefined, undefined, unknown), {
    networkMode: 'container:abc',
    endpoints: {},
  })
})
