import t from 'tap'
import { fakeClient, settled, testEngine } from '../testing/index.ts'

const never = () => new AbortController().signal
const removal = { volumes: false, force: false, link: false }

t.test('run: create, attach, wait, start, output, exit, remove', async (t) => {
  const test = testEngine()
  const { containers } = test.engine
  test.monitors.host.onGo = (process) => {
    process.write('stdout', 'hello\n')
    process.exit(7)
  }
  const id = await test.create({ AttachStdout: true }, 'first')
  t.match(id, /^[0-9a-f]{64}$/)
  const attach = { logs: false, stream: true, stdin: false, stdout: true, stderr: true }
  const session = await containers.attach(id, attach)
  t.equal(session.multiplexed, true)
  const user = fakeClient()
  const attached = session.run(user.stream, never())
  const { result } = await containers.wait(id, { condition: 'next-exit', signal: never() })
  await containers.start(id, {})
  t.strictSame(await result, { StatusCode: 7 })
  await attached
  t.equal(user.received(), '\x01\0\0\0\0\0\0\x06hello\n', 'no byte is missed, and each is framed')
  const { State: state, NetworkSettings: network } = await containers.inspect('first', { size: false })
  t.match(state, { Status: 'exited', Running: false, Pid: 0, ExitCode: 7, Error: '' })
  await containers.remove('first', removal)
  t.strictSame(network.Ports, {})
  t.strictSame(test.eventLog(), [
    'container create first',
    'container attach first',
    'network connect bridge',
    'container start first',
    'network disconnect bridge',
    'container die first',
    'container destroy first',
  ])
  const { state: host } = test
  for (const left of [host.rootFilesystems, host.mounted, host.data, host.runs, host.endpoints]) t.equal(left.size, 0)
  t.equal(test.records.listContainers().length, 0)
})

t.test('a run cycle writes five times: create, intent, start, exit, removal', async (t) => {
  const test = testEngine()
  test.monitors.host.onGo = (process) => process.exit(0)
  const id = await test.create()
  t.equal(test.records.commits, 1)
  const { result } = await test.engine.containers.wait(id, { condition: 'next-exit', signal: never() })
  await test.engine.containers.start(id, {})
  await result
  t.equal(test.records.commits, 4, 'three for the run')
  await settled()
  await test.engine.containers.remove(id, removal)
  await settled()
  t.ok(test.records.commits <= 7, 'events of network and removal ride along or cost one each')
})

t.test('wait is answered before the network is let go', async (t) => {
  const test = testEngine()
  const id = await test.create()
  await test.engine.containers.start(id, {})
  const { result } = await test.engine.containers.wait(id, { condition: 'not-running', signal: never() })
  let releaseNetwork = () => {}
  const tearDown = test.networks.tearDown
  test.networks.tearDown = async (containerId) => {
    await new Promise<void>((resolve) => {
      releaseNetwork = resolve
    })
    await tearDown(containerId)
  }
  test.process().exit(3)
  t.strictSame(await result, { StatusCode: 3 }, 'while the network is still held')
  t.equal(test.state.endpoints.size, 1)
  const removed = test.engine.containers.remove(id, removal)
  await settled()
  t.ok(test.state.rootFilesystems.has(id), 'a removal waits for the clean-up')
  releaseNetwork()
  await removed
  t.equal(test.state.endpoints.size, 0)
})

t.test(
  'start: network, root filesystem and monitor are made side by side, the spec is written before go',
  async (t) => {
    const test = testEngine()
    const id = await test.create()
    test.state.calls.length = 0
    let callsAtGo: string[] = []
    test.monitors.host.onGo = () => {
      callsAtGo = [...test.state.calls]
    }
    await test.engine.containers.start(id, {})
    t.strictSame(
      callsAtGo.map((call) => call.split(' ')[0]),
      ['files.prepareRun', 'rootfs.mount', 'network.setUp', 'nameFiles.write', 'files.writeSpec'],
    )
    const spec = test.state.runs.get(`/run/c/${id}`)
    t.match(spec, { process: { args: ['sh'] }, root: { path: `/merged/${id}` } })
    t.match(
      spec?.linux.namespaces.find(({ type }) => type === 'network'),
      { path: `/run/netns/${id}` },
    )
    await t.rejects(test.engine.containers.start(id, {}), { kind: 'notModified', message: '' })
  },
)

t.test('the use cases of a whole cycle cost less than a millisecond of the daemon’s own', async (t) => {
  const test = testEngine()
  test.monitors.host.onGo = (process) => process.exit(0)
  const cycle = async () => {
    const id = await test.create()
    const { result } = await test.engine.containers.wait(id, { condition: 'next-exit', signal: never() })
    await test.engine.containers.start(id, {})
    await result
    await test.engine.containers.remove(id, removal)
  }
  for (let warm = 0; warm < 50; warm++) await cycle()
  const begin = process.cpuUsage()
  for (let count = 0; count < 100; count++) await cycle()
  const used = process.cpuUsage(begin)
  // Shown, not asserted: this machine is shared.
  t.comment(`${((used.user + used.system) / 100 / 1000).toFixed(2)} ms of CPU a cycle`)
  t.pass('measured')
})
