/**
 * Many containers in one daemon of its own:
 *
 *   npm run bench:scale -- [--created 1000] [--running 200] [--stopped 10000] [--probed 100] [--write]
 *
 * What a call costs with few and with many of them, what the daemon holds for each, how soon it is ready after a restart.
 * --write puts the table into docs/performance.md.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { startDaemon } from '../../docker-compat-tests/support/daemon.ts'
import { busyboxRootfs, importImage } from '../../docker-compat-tests/support/images.ts'
import { Client, now, pool } from './client.ts'
import { memoryOf } from './memory.ts'

const IMAGE = 'dockerd-ts-bench:latest'
const { values } = parseArgs({
  options: {
    created: { type: 'string', default: '1000' },
    running: { type: 'string', default: '200' },
    stopped: { type: 'string', default: '10000' },
    probed: { type: 'string', default: '100' },
    write: { type: 'boolean', default: false },
  },
})
const [created, running, stopped, probed] = [values.created, values.running, values.stopped, values.probed].map(
  Number,
) as [number, number, number, number]

const rows: string[] = []
const row = (title: string, few: string, many: string) => {
  rows.push(`| ${title} | ${few} | ${many} |`)
  console.error(`# ${title}: ${few} → ${many}`)
}
const median = (list: readonly number[]) => [...list].sort((a, b) => a - b)[list.length >> 1] ?? Number.NaN
const ms = (value: number) => `${value >= 100 ? value.toFixed(0) : value.toPrecision(3)} ms`
const times = (count: number) => Array.from({ length: count }, (_, index) => index)

const daemon = await startDaemon()
const client = new Client('dockerd-ts', daemon.socket, IMAGE)
await importImage(daemon.socket, busyboxRootfs(), IMAGE)
const quiet = { NetworkMode: 'none' }

/** Median milliseconds of a call, one after another. */
async function timed(count: number, work: (index: number) => Promise<unknown>): Promise<number> {
  const each: number[] = []
  for (const index of times(count)) {
    const began = now()
    await work(index)
    each.push(now() - began)
  }
  return median(each)
}

const ticksPerSecond = 100
function daemonCpuMs(): number {
  const stat = readFileSync(`/proc/${daemon.pid}/stat`, 'latin1')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return ((Number(fields[11]) + Number(fields[12])) / ticksPerSecond) * 1000
}
const descriptors = () => readdirSync(`/proc/${daemon.pid}/fd`).length

/** The calls of which none may depend on how many containers there are, but for the list itself. */
async function calls() {
  const ids: string[] = []
  const create = await timed(20, async () => {
    ids.push(await client.create({ Cmd: ['sleep', '1d'], HostConfig: quiet }))
  })
  const inspect = await timed(50, () => client.call('GET', `/containers/${ids[0]}/json`))
  const start = await timed(20, (index) => client.start(ids[index] ?? ''))
  const runningOnly = await timed(10, () => client.call('GET', '/containers/json'))
  const list = await timed(10, () => client.call('GET', '/containers/json?all=1'))
  const oneOfAll = await timed(10, () => client.call('GET', '/containers/json?all=1&limit=1'))
  const events = await timed(10, async () => {
    const until = Math.floor(Date.now() / 1000)
    await client.call('GET', `/events?since=${until - 1}&until=${until}`)
  })
  const remove = await timed(20, (index) => client.remove(ids[index] ?? ''))
  return { create, inspect, start, runningOnly, list, oneOfAll, events, remove }
}

/** From now until the first answer, of a daemon that was killed. */
async function readyMs(): Promise<number> {
  await daemon.kill()
  const began = now()
  const started = daemon.start()
  for (;;) {
    const answered = await client.call('GET', '/_ping').then(
      () => true,
      () => false,
    )
    if (answered) break
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  const ready = now() - began
  await started
  return ready
}

const idle = async (seconds: number) => {
  const before = daemonCpuMs()
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000))
  return (daemonCpuMs() - before) / seconds
}

const emptyReady = await readyMs()
await calls()
const few = await calls()
const before = { memory: memoryOf([daemon.pid], []), fds: descriptors() }
await pool(times(created), 4, () => client.create({ Cmd: ['true'], HostConfig: quiet }))
const withCreated = memoryOf([daemon.pid], [])
const startedIds = await pool(times(running), 4, async () => {
  const id = await client.create({ Cmd: ['sleep', '1d'], HostConfig: quiet })
  await client.start(id)
  return id
})
const withRunning = { memory: memoryOf([daemon.pid], []), fds: descriptors() }
const many = await calls()
const perKb = (bytesMb: number, count: number) => `${((bytesMb * 1000) / count).toFixed(1)} kB`
const titles = {
  create: 'create',
  inspect: 'inspect',
  start: 'start, network none',
  runningOnly: 'list of the running ones',
  list: 'list of all',
  oneOfAll: 'list of all, limit 1',
  events: 'past events of a second',
  remove: 'forced removal of a running one',
} as const
const head = `| | few containers | ${created} created and ${running} running |`
for (const [key, title] of Object.entries(titles) as [keyof typeof titles, string][])
  row(title, ms(few[key]), ms(many[key]))
row(
  'private memory of daemon and helper per created container',
  '',
  perKb(withCreated.private - before.memory.private, created),
)
row('… per running container', '', perKb(withRunning.memory.private - withCreated.private, running))
row('file descriptors of the daemon', String(before.fds), String(withRunning.fds))
row('processor time of the idle daemon', '', `${(await idle(10)).toFixed(2)} ms/s`)
row('ready after kill -9', ms(emptyReady), ms(await readyMs()))
await pool(startedIds, 4, (id) => client.remove(id))

if (probed > 0) {
  const Healthcheck = { Test: ['CMD', 'true'], Interval: 10e9 }
  const ids = await pool(times(probed), 4, async () => {
    const id = await client.create({ Cmd: ['sleep', '1d'], HostConfig: quiet, Healthcheck })
    await client.start(id)
    return id
  })
  row(`processor time of the daemon, ${probed} containers probed every 10 s`, '', `${(await idle(30)).toFixed(1)} ms/s`)
  await pool(ids, 4, (id) => client.remove(id))
}
if (stopped > 0) {
  const missing = Math.max(0, stopped - created)
  await pool(times(missing), 4, () => client.create({ Cmd: ['true'], HostConfig: quiet }))
  row(
    `ready after kill -9, ${stopped} containers that do not run`,
    ms(emptyReady),
    ms(median([await readyMs(), await readyMs(), await readyMs()])),
  )
  row('… list of all', '', ms(await timed(5, () => client.call('GET', '/containers/json?all=1'))))
  row('… list of all, limit 1', '', ms(await timed(5, () => client.call('GET', '/containers/json?all=1&limit=1'))))
  const memory = memoryOf([daemon.pid], [])
  row(
    '… private memory of daemon and helper',
    `${before.memory.private.toFixed(0)} MB`,
    `${memory.private.toFixed(0)} MB`,
  )
}

const table = [head, '|---|---|---|', ...rows].join('\n')
console.log(table)
if (values.write) {
  const path = fileURLToPath(new URL('../../docs/performance.md', import.meta.url))
  const text = readFileSync(path, 'utf8')
  const facts = `Taken on ${new Date().toISOString().slice(0, 10)}: ${cpus().length} cores, Node ${process.version}. Medians, one call after another.`
  writeFileSync(
    path,
    text.replace(/(<!-- scale -->\n)[\s\S]*?(<!-- end of scale -->)/, `$1\n${facts}\n\n${table}\n\n$2`),
  )
}
await client.call('DELETE', `/images/${IMAGE}?force=1`, undefined, { accept: [200, 404, 409] })
const left = await daemon.stop()
if (left.length > 0) throw new Error(`left on the machine: ${left.join('\n')}`)
