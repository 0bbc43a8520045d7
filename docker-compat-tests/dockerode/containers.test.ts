/** The life of containers, by dockerode: every answer and every refusal as the SDK's users see them. */
import t from 'tap'
import { dockerode, image, leavesNothing, refusal, startWithImage, text } from '../support/sdk.ts'

const daemon = await startWithImage()
const docker = dockerode(daemon)

/** A container that runs until it is told to end. */
const sleeper = (name: string, extra: object = {}) =>
  docker.createContainer({ name, Image: image, Cmd: ['sleep', '1000'], StopSignal: 'SIGKILL', ...extra })

t.test('create answers the id; inspect shows what was asked for', async (t) => {
  const container = await docker.createContainer({
    name: 'made',
    Image: image,
    Cmd: ['echo', 'hi'],
    Env: ['A=1'],
    Labels: { who: 'me' },
    WorkingDir: '/tmp',
    HostConfig: { Memory: 64 * 1024 * 1024, RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 2 } },
  })
  t.match(container.id, /^[0-9a-f]{64}$/)
  const found = await container.inspect()
  t.match(found, {
    Id: container.id,
    Name: '/made',
    Path: 'echo',
    Args: ['hi'],
    RestartCount: 0,
    State: { Status: 'created', Running: false, Pid: 0, ExitCode: 0, StartedAt: '0001-01-01T00:00:00Z' },
    Config: { Image: image, Cmd: ['echo', 'hi'], WorkingDir: '/tmp', Labels: { who: 'me' }, Tty: false },
    HostConfig: { Memory: 67108864, RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 2 } },
  })
  t.ok(found.Config.Env.includes('A=1'))
  t.match((await container.inspect({ size: true } as object)) as unknown as object, {
    SizeRw: Number,
    SizeRootFs: Number,
  })
  await container.remove()
})

t.test('start, a second start, stop and a second stop: 204, 304, 204, 304', async (t) => {
  const container = await sleeper('twice')
  await container.start()
  t.equal((await refusal(container.start()))[0], 304)
  t.equal((await container.inspect()).State.Status, 'running')
  await container.stop()
  t.equal((await refusal(container.stop()))[0], 304)
  t.match((await container.inspect()).State, { Status: 'exited', ExitCode: 137, Running: false })
  await container.remove()
})

t.test('wait: not-running, next-exit, removed', async (t) => {
  const container = await docker.createContainer({
    Image: image,
    Cmd: ['sh', '-c', 'read line; exit 3'],
    OpenStdin: true,
  })
  t.same(await container.wait(), { StatusCode: 0 }, 'not-running answers at once for one that never ran')
  const nextExit = container.wait({ condition: 'next-exit' })
  const removed = container.wait({ condition: 'removed' })
  const input = await container.attach({ stream: true, stdin: true, hijack: true })
  await container.start()
  const notRunning = container.wait({ condition: 'not-running' })
  input.end('go\n')
  t.same(await nextExit, { StatusCode: 3 })
  t.same(await notRunning, { StatusCode: 3 })
  t.same(await container.wait(), { StatusCode: 3 }, 'and again after the end')
  await container.remove()
  t.same(await removed, { StatusCode: 3 })
  t.equal((await refusal(container.wait()))[0], 404)
})

t.test('wait refuses an unknown condition', async (t) => {
  const container = await sleeper('waited')
  const [status, message] = await refusal(container.wait({ condition: 'someday' as 'removed' }))
  t.equal(status, 400)
  t.match(message, 'invalid condition')
  await container.remove()
})

t.test('kill by a signal, restart, rename, pause and unpause', async (t) => {
  const container = await docker.createContainer({
    name: 'lively',
    Image: image,
    Cmd: ['sh', '-c', 'trap "exit 9" USR1; while :; do sleep 0.1; done'],
  })
  t.same(await refusal(container.kill()), [
    409,
    `cannot kill container: ${container.id}: container ${container.id} is not running`,
  ])
  await container.start()
  const firstPid = (await container.inspect()).State.Pid
  await container.restart({ t: 0 })
  const restarted = await container.inspect()
  t.equal(restarted.State.Running, true)
  t.not(restarted.State.Pid, firstPid)
  await container.rename({ name: 'renamed' })
  t.equal((await docker.getContainer('renamed').inspect()).Id, container.id)
  t.same(await refusal(docker.getContainer('lively').inspect()), [404, 'No such container: lively'])
  await container.pause()
  t.match((await container.inspect()).State, { Status: 'paused', Paused: true, Running: true })
  t.same(await refusal(container.pause()), [409, `Container ${container.id} is already paused`])
  await container.unpause()
  t.same(await refusal(container.unpause()), [500, `Container ${container.id} is not paused`])
  const end = container.wait()
  await container.kill({ signal: 'SIGUSR1' })
  t.same(await end, { StatusCode: 9 })
  await container.remove()
})

t.test('list filters by status, name, label, ancestor and exit code; limit and all', async (t) => {
  const running = await sleeper('list-running', { Labels: { group: 'list', kind: 'a' } })
  await running.start()
  const ended = await docker.createContainer({
    name: 'list-ended',
    Image: image,
    Cmd: ['sh', '-c', 'exit 4'],
    Labels: { group: 'list', kind: 'b' },
  })
  await ended.start()
  await ended.wait()
  const names = async (filters: Record<string, string[]>, options: object = { all: true }) =>
    (await docker.listContainers({ ...options, filters } as object)).flatMap(({ Names }) => Names).sort()
  const both = ['/list-ended', '/list-running']
  t.same(await names({ label: ['group=list'] }), both)
  t.same(await names({ label: ['group=list'] }, {}), ['/list-running'], 'without all only what runs')
  t.same(await names({ label: ['group=list', 'kind=b'] }), ['/list-ended'], 'labels are a conjunction')
  t.same(await names({ status: ['exited'], name: ['list-'] }, {}), ['/list-ended'], 'a status implies all')
  t.same(await names({ name: ['^/list-running$'] }), ['/list-running'], 'names are regular expressions')
  t.same(await names({ exited: ['4'], label: ['group'] }), ['/list-ended'])
  t.same(await names({ ancestor: ['busybox'], label: ['group'] }), both)
  t.same(await names({ id: [running.id.slice(0, 12)] }), ['/list-running'])
  t.same(await names({ before: ['list-ended'], label: ['group'] }), ['/list-running'])
  t.same(await names({ since: ['list-running'], label: ['group'] }), ['/list-ended'])
  t.equal((await docker.listContainers({ limit: 1 })).length, 1, 'limit implies all')
  t.equal((await refusal(docker.listContainers({ filters: { nonsense: ['1'] } })))[0], 400)
  const [summary] = await docker.listContainers({ filters: { id: [running.id] }, size: true } as object)
  t.match(summary, {
    Id: running.id,
    Image: image,
    Command: 'sleep 1000',
    State: 'running',
    Status: /^Up /,
    Ports: [],
    Labels: { kind: 'a' },
    SizeRootFs: Number,
    HostConfig: { NetworkMode: /./ },
    NetworkSettings: { Networks: { bridge: { NetworkID: /^[0-9a-f]{64}$/, IPAddress: /^\d/ } } },
    Mounts: [],
  })
  await running.remove({ force: true })
  await ended.remove()
})

t.test('top lists processes with the columns that were asked for', async (t) => {
  const container = await sleeper('topped')
  t.equal((await refusal(container.top()))[0], 409)
  await container.start()
  // For a moment after the start the process may still be the runtime that becomes it.
  let plain = await container.top()
  while (plain.Processes[0]?.at(-1) !== 'sleep 1000' && plain.Processes.length > 0) plain = await container.top()
  t.ok(plain.Titles.includes('PID') && plain.Titles.includes('CMD'))
  t.match(plain.Processes[0]?.at(-1), 'sleep 1000')
  t.same((await container.top({ ps_args: 'o pid,comm' } as object)).Titles, ['PID', 'COMMAND'])
  await container.remove({ force: true })
})

t.test('stats: one document without a stream, several with', async (t) => {
  const container = await sleeper('measured')
  await container.start()
  const once = await container.stats({ stream: false })
  t.equal(once.id, container.id)
  t.equal(once.name, '/measured')
  t.ok(once.memory_stats.usage > 0)
  t.ok(
    once.cpu_stats.system_cpu_usage > once.precpu_stats.system_cpu_usage,
    'two samples, so that a percentage can be had',
  )
  t.match(once.networks, { eth0: { rx_bytes: Number } })
  const oneShot = await container.stats({ stream: false, 'one-shot': true } as { stream: false })
  t.notOk(oneShot.precpu_stats.system_cpu_usage)
  const stream = await container.stats({ stream: true })
  let lines = ''
  for await (const chunk of stream) {
    lines += chunk
    if (lines.split('\n').length > 2) break
  }
  for (const line of lines.split('\n').slice(0, 2)) t.equal(JSON.parse(line).id, container.id)
  await container.remove({ force: true })
})

t.test('update changes limits of a running container and its restart policy', async (t) => {
  const container = await sleeper('updated', { HostConfig: { Memory: 64 << 20, MemorySwap: 64 << 20 } })
  await container.start()
  t.match(await container.update({ Memory: 32 << 20, RestartPolicy: { Name: 'unless-stopped' } }), { Warnings: null })
  t.match((await container.inspect()).HostConfig, { Memory: 32 << 20, RestartPolicy: { Name: 'unless-stopped' } })
  t.equal(
    (await container.stats({ stream: false, 'one-shot': true } as { stream: false })).memory_stats.limit,
    32 << 20,
  )
  await container.remove({ force: true })
})

t.test('remove: a running one is refused, force removes it, volumes go with v', async (t) => {
  const container = await sleeper('removed', { Volumes: { '/data': {} } })
  await container.start()
  const [status, message] = await refusal(container.remove())
  t.equal(status, 409)
  t.match(
    message,
    /^cannot remove container .*container is running: stop the container before removing or force remove$/,
  )
  const [mount] = (await container.inspect()).Mounts
  t.match(mount, { Type: 'volume', Destination: '/data', Driver: 'local', RW: true })
  await container.remove({ force: true, v: true })
  t.equal((await refusal(docker.getVolume(mount?.Name ?? '').inspect()))[0], 404)
  t.same(await refusal(container.remove()), [404, `No such container: ${container.id}`])
})

t.test('create refuses: a name in use, a missing image, no command, a bad name, a bad limit', async (t) => {
  const container = await sleeper('taken')
  t.same(await refusal(sleeper('taken')), [
    409,
    `Conflict. The container name "/taken" is already in use by container "${container.id}". You have to remove (or rename) that container to be able to reuse that name.`,
  ])
  t.same(await refusal(docker.createContainer({ Image: 'no/such:image' })), [404, 'No such image: no/such:image'])
  t.same(await refusal(docker.createContainer({ Image: '' })), [400, 'no command specified'])
  t.equal((await refusal(sleeper('bad name')))[0], 400)
  const tooSmall = await refusal(docker.createContainer({ Image: image, HostConfig: { Memory: 1024 } }))
  t.same(tooSmall, [400, 'Minimum memory limit allowed is 6MB'])
  await container.remove()
})

t.test('a program that does not exist: start is refused and the exit code is 127', async (t) => {
  const container = await docker.createContainer({ Image: image, Cmd: ['/no/such/program'] })
  const [status, message] = await refusal(container.start())
  t.equal(status, 400)
  t.match(message, 'no such file or directory')
  t.match((await container.inspect()).State, { Status: 'created', ExitCode: 127, Error: /no such file/ })
  await container.remove()
})

t.test('prune removes what is stopped and says so', async (t) => {
  const ended = await sleeper('pruned', { Labels: { prune: 'yes' } })
  const kept = await sleeper('kept', { Labels: { prune: 'no' } })
  const filters = { label: ['prune=yes'] }
  t.match(await docker.pruneContainers({ filters }), { ContainersDeleted: [ended.id], SpaceReclaimed: Number })
  t.match(await docker.pruneContainers({ filters }), { ContainersDeleted: null, SpaceReclaimed: 0 })
  t.equal((await kept.inspect()).Id, kept.id)
  await kept.remove()
})

t.test('a container with AutoRemove is gone after its end', async (t) => {
  const container = await docker.createContainer({ Image: image, Cmd: ['true'], HostConfig: { AutoRemove: true } })
  const removed = container.wait({ condition: 'removed' })
  await container.start()
  t.same(await removed, { StatusCode: 0 })
  t.equal((await refusal(container.inspect()))[0], 404)
})

t.test('run of dockerode: create, attach, start and wait in one', async (t) => {
  const { PassThrough } = await import('node:stream')
  const output = new PassThrough()
  const collected = text(output)
  const [result, container] = await docker.run(image, ['sh', '-c', 'echo ran; exit 2'], output, { Tty: true })
  t.same(result, { StatusCode: 2 })
  t.equal(await collected, 'ran\r\n')
  await container.remove()
})

leavesNothing(t, daemon)
