/** What is measured: each metric does its work on one engine, checks that it was done, and answers its figures. */
import { type Client, collect, demultiplexer, now, pool } from './client.ts'
import { copyMetric } from './copy-metrics.ts'
import { imageMetric } from './image-metrics.ts'
import { memoryOf } from './memory.ts'
import { higher, lower, type Metric } from './metric.ts'

const median = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN
const times = (count: number) => Array.from({ length: count }, (_, index) => index)

async function cycle(client: Client, network: string) {
  const began = now()
  const id = await client.create({
    Cmd: ['echo', 'hi'],
    AttachStdout: true,
    AttachStderr: true,
    HostConfig: { NetworkMode: network },
  })
  const created = now()
  const output = collect(await client.attach(id))
  const attached = now()
  await client.start(id)
  const started = now()
  const { stdout, firstMs } = await output
  await client.wait(id)
  const exited = now()
  await client.remove(id)
  const removed = now()
  if (stdout !== 'hi\n') throw new Error(`output ${JSON.stringify(stdout)}`)
  return {
    total: removed - began,
    create: created - began,
    attach: attached - created,
    start: started - attached,
    wait: exited - started,
    remove: removed - exited,
    first: firstMs - began,
  }
}

const runMetric = (network: string): Metric => ({
  name: `run_${network}`,
  runs: (runs) => runs * 3,
  figures: {
    [`run_${network}`]: lower(`create, attach, start, wait, remove of a short program, network ${network}`),
    [`run_${network}_create`]: lower('… its create'),
    [`run_${network}_start`]: lower('… its start'),
    [`run_${network}_wait`]: lower('… from start answered to wait answered'),
    [`run_${network}_remove`]: lower('… its remove'),
    [`run_${network}_first_byte`]: lower('… create sent to first byte of output'),
  },
  async run(client) {
    const r = await cycle(client, network)
    const name = `run_${network}`
    return {
      [name]: r.total,
      [`${name}_create`]: r.create,
      [`${name}_start`]: r.start,
      [`${name}_wait`]: r.wait,
      [`${name}_remove`]: r.remove,
      [`${name}_first_byte`]: r.first,
    }
  },
})

async function exec(client: Client, id: string): Promise<void> {
  const { Id } = await client.json<{ Id: string }>('POST', `/containers/${id}/exec`, {
    Cmd: ['echo', 'x'],
    AttachStdout: true,
    AttachStderr: true,
  })
  const { stdout } = await collect(await client.hijack(`/exec/${Id}/start`, { Detach: false, Tty: false }))
  if (stdout !== 'x\n') throw new Error(`exec output ${JSON.stringify(stdout)}`)
  for (;;) {
    const { Running, ExitCode } = await client.json<{ Running: boolean; ExitCode: number | null }>(
      'GET',
      `/exec/${Id}/json`,
    )
    if (Running) continue
    if (ExitCode !== 0) throw new Error(`exec exit code ${ExitCode}`)
    return
  }
}

const sleeper = { Cmd: ['sleep', '1d'], HostConfig: { NetworkMode: 'bridge' } }

async function startSleeper(client: Client): Promise<string> {
  const id = await client.create(sleeper)
  await client.start(id)
  return id
}

const execMetric: Metric = {
  name: 'exec',
  figures: {
    exec: lower('exec of a short program in a running container'),
    exec_8: higher('execs, 8 at a time', 'exec/s'),
  },
  async setUp(client, state) {
    state.id = await startSleeper(client)
  },
  async run(client, { id = '' }) {
    const each: number[] = []
    for (const _ of times(10)) {
      const began = now()
      await exec(client, id)
      each.push(now() - began)
    }
    const began = now()
    await pool(times(32), 8, () => exec(client, id))
    return { exec: median(each), exec_8: 32 / ((now() - began) / 1000) }
  },
}

const burstMetric: Metric = {
  name: 'burst',
  figures: {
    burst_20: lower('20 containers created and started, 8 at a time', 's'),
    burst_20_remove: lower('… and removed by force', 's'),
  },
  async run(client) {
    const began = now()
    const ids = await pool(times(20), 8, () => startSleeper(client))
    const running = now()
    await pool(ids, 8, (id) => client.remove(id))
    return { burst_20: (running - began) / 1000, burst_20_remove: (now() - running) / 1000 }
  },
}

const LIST_COUNT = 300
const listMetric: Metric = {
  name: 'list',
  figures: { list_300: lower('list of 300 containers'), inspect: lower('inspect of one of them') },
  async setUp(client, state) {
    const ids = await pool(times(LIST_COUNT), 4, () => client.create({ Cmd: ['true'] }))
    state.id = ids[150] ?? ''
  },
  async run(client, { id = '' }) {
    const list: number[] = []
    const inspect: number[] = []
    for (const _ of times(5)) {
      let began = now()
      const all = await client.json<unknown[]>('GET', '/containers/json?all=1')
      list.push(now() - began)
      if (all.length < LIST_COUNT) throw new Error(`the list has ${all.length}`)
      began = now()
      await client.call('GET', `/containers/${id}/json`)
      inspect.push(now() - began)
    }
    return { list_300: median(list), inspect: median(inspect) }
  },
}

const LINES = 200_000
const logsMetric: Metric = {
  name: 'logs',
  runs: (runs) => Math.min(runs, 3),
  figures: {
    logs_write: lower('200,000 lines of 100 bytes written to json-file', 's'),
    logs_read: higher('reading them back'),
  },
  async run(client) {
    const spec = {
      Cmd: ['sh', '-c', `yes ${'x'.repeat(99)} | head -n ${LINES}`],
      HostConfig: { NetworkMode: 'none', LogConfig: { Type: 'json-file' } },
    }
    const id = await client.create(spec)
    let began = now()
    await client.start(id)
    await client.wait(id)
    const writeS = (now() - began) / 1000
    let bytes = 0
    began = now()
    const onData = demultiplexer((stream, payload) => {
      if (stream === 1) bytes += payload.length
    })
    await client.call('GET', `/containers/${id}/logs?stdout=1&stderr=1`, undefined, { onData })
    const readS = (now() - began) / 1000
    if (bytes !== LINES * 100) throw new Error(`logs gave ${bytes} bytes`)
    await client.remove(id)
    return { logs_write: writeS, logs_read: bytes / 1e6 / readS }
  },
}

const OUT_BYTES = 256 * 2 ** 20
const IN_BYTES = 128 * 2 ** 20
const attachMetric: Metric = {
  name: 'attach',
  runs: (runs) => Math.min(runs, 3),
  figures: { attach_stdout: higher('256 MiB out through attach'), attach_stdin: higher('128 MiB in through attach') },
  async run(client) {
    const quiet = { NetworkMode: 'none', LogConfig: { Type: 'none' } }
    const out = await client.create({
      Cmd: ['dd', 'if=/dev/zero', 'bs=1M', 'count=256'],
      AttachStdout: true,
      AttachStderr: true,
      HostConfig: quiet,
    })
    const output = collect(await client.attach(out), false)
    await client.start(out)
    const { bytes, firstMs, endMs } = await output
    if (bytes !== OUT_BYTES) throw new Error(`attach gave ${bytes} bytes`)
    await client.remove(out)
    const streams = { AttachStdin: true, AttachStdout: true, AttachStderr: true, OpenStdin: true, StdinOnce: true }
    const into = await client.create({ Cmd: ['wc', '-c'], ...streams, HostConfig: quiet })
    const socket = await client.attach(into, 'stdin=1&stdout=1&stderr=1')
    const counted = collect(socket)
    await client.start(into)
    const began = now()
    const chunk = Buffer.alloc(2 ** 18, 97)
    for (let sent = 0; sent < IN_BYTES; sent += chunk.length) {
      if (!socket.write(chunk)) await new Promise((resolve) => socket.once('drain', resolve))
    }
    socket.end()
    const { stdout, endMs: readMs } = await counted
    if (Number(stdout) !== IN_BYTES) throw new Error(`the container read ${stdout.trim()} bytes`)
    await client.remove(into)
    return { attach_stdout: OUT_BYTES / 1e3 / (endMs - firstMs), attach_stdin: IN_BYTES / 1e3 / (readMs - began) }
  },
}

const IDLE_MS = 45_000

const footprintMetric: Metric = {
  name: 'footprint',
  runs: () => 1,
  figures: {
    idle_pss: lower("all the engine's processes, idle (PSS)", 'MB'),
    idle_private: lower('… private memory only', 'MB'),
    container_private: lower("private memory per running container, the engine's share", 'MB'),
    container_pss: lower('… as PSS', 'MB'),
  },
  async run(client, { daemonPids }) {
    // Idle is what nobody has asked anything of for a while: both engines give memory back then.
    await new Promise((resolve) => setTimeout(resolve, IDLE_MS))
    const idle = memoryOf(daemonPids, [])
    const ids = await pool(times(50), 4, () => startSleeper(client))
    const inits: number[] = []
    for (const id of ids)
      inits.push((await client.json<{ State: { Pid: number } }>('GET', `/containers/${id}/json`)).State.Pid)
    const busy = memoryOf(daemonPids, inits, ids)
    await pool(ids, 4, (id) => client.remove(id))
    return {
      idle_pss: idle.pss,
      idle_private: idle.private,
      container_private: (busy.private - idle.private) / ids.length,
      container_pss: (busy.pss - idle.pss) / ids.length,
    }
  },
}

export const metrics: readonly Metric[] = [
  runMetric('bridge'),
  runMetric('none'),
  execMetric,
  burstMetric,
  listMetric,
  logsMetric,
  attachMetric,
  copyMetric,
  imageMetric,
  footprintMetric,
]
