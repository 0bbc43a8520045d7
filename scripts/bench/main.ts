/**
 * Side by side with a real dockerd on the same machine:
 *
 *   npm run bench -- --against unix:///var/run/docker.sock --against-pid PID[,PID] [--runs 5] [--only name,…] [--write]
 *
 * A dockerd-ts of its own is started; the runs of the two engines are interleaved (A B B A …), so that drift of the
 * machine cancels: judge by the ratios. --write puts the table into docs/performance.md.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, release, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { startDaemon } from '../../docker-compat-tests/support/daemon.ts'
import { busyboxRootfs, importImage } from '../../docker-compat-tests/support/images.ts'
import { Client } from './client.ts'
import { closeRegistry } from './image-metrics.ts'
import type { Figure, State } from './metric.ts'
import { metrics } from './metrics.ts'

const IMAGE = 'dockerd-ts-bench:latest'
const { values } = parseArgs({
  options: {
    against: { type: 'string' },
    'against-pid': { type: 'string', default: '' },
    runs: { type: 'string', default: '5' },
    only: { type: 'string' },
    write: { type: 'boolean', default: false },
  },
})
const runs = Number(values.runs)

const probePath = join(mkdtempSync(join(tmpdir(), 'dts-bench-')), 'probe')
const probe = new URL('loop-probe.ts', import.meta.url).href
const daemon = await startDaemon({
  environment: { NODE_OPTIONS: `--import=${probe}`, DOCKERD_TS_LOOP_PROBE: probePath },
})
const tar = busyboxRootfs()
const engines: ({ client: Client } & State)[] = [
  { client: new Client('dockerd-ts', daemon.socket, IMAGE), daemonPids: [daemon.pid], probePath },
]
if (values.against) {
  const socket = values.against.replace(/^unix:\/\//, '')
  engines.push({
    client: new Client('dockerd', socket, IMAGE),
    daemonPids: values['against-pid'].split(',').filter(Boolean).map(Number),
  })
}
for (const { client } of engines) await importImage(client.socketPath, tar, IMAGE)

const results = new Map<string, { figure: Figure; of: Map<string, number[]> }>()
for (const metric of metrics) {
  if (values.only && !values.only.split(',').includes(metric.name)) continue
  const states = new Map<Client, State>(engines.map(({ client, ...state }) => [client, state]))
  for (const [client, state] of states) await metric.setUp?.(client, state)
  const count = metric.runs?.(runs) ?? runs
  for (let run = -1; run < count; run += 1) {
    // The first is a warm-up, except where there is only one.
    if (run === -1 && count === 1) continue
    for (const { client } of run % 2 ? [...engines].reverse() : engines) {
      const figures = await metric.run(client, states.get(client) ?? { daemonPids: [] })
      if (run === -1) continue
      for (const [key, value] of Object.entries(figures)) {
        const figure = metric.figures[key]
        if (!figure) continue
        const row = results.get(key) ?? { figure, of: new Map<string, number[]>() }
        row.of.set(client.label, [...(row.of.get(client.label) ?? []), value])
        results.set(key, row)
      }
    }
  }
  for (const { client } of engines) {
    await client.removeAll()
    await metric.tearDown?.(client)
  }
  console.error(`# ${metric.name} done`)
}

const sorted = (list: readonly number[]) => [...list].sort((a, b) => a - b)
const median = (list: readonly number[]) => sorted(list)[list.length >> 1] ?? Number.NaN
const number = (value: number) => (value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2))
const cell = (list: readonly number[] | undefined) =>
  list ? `${number(median(list))} (${number(Math.min(...list))}–${number(Math.max(...list))})` : '–'
const version = values.against
  ? ((await engines[1]?.client.json<{ Version: string }>('GET', '/version'))?.Version ?? '')
  : ''
const lines = [
  `| | unit | dockerd-ts | dockerd ${version} | ratio |`,
  '|---|---|---|---|---|',
  ...[...results].map(([, { figure, of }]) => {
    const ours = of.get('dockerd-ts')
    const theirs = of.get('dockerd')
    const ratio = ours && theirs ? `×${(median(ours) / median(theirs)).toPrecision(2)}` : ''
    return `| ${figure.title} | ${figure.unit} ${figure.better === 'lower' ? '↓' : '↑'} | ${cell(ours)} | ${cell(theirs)} | ${ratio} |`
  }),
]
console.log(lines.join('\n'))

if (values.write) {
  const path = fileURLToPath(new URL('../../docs/performance.md', import.meta.url))
  const text = readFileSync(path, 'utf8')
  const facts = `Taken on ${new Date().toISOString().slice(0, 10)}: kernel ${release()}, ${cpus().length} cores, Node ${process.version}. Medians (min–max) of one interleaved run.`
  writeFileSync(
    path,
    text.replace(/(<!-- figures -->\n)[\s\S]*?(<!-- end -->)/, `$1\n${facts}\n\n${lines.join('\n')}\n\n$2`),
  )
}
for (const { client } of engines)
  await client.call('DELETE', `/images/${IMAGE}?force=1`, undefined, { accept: [200, 404] })
await closeRegistry()
const left = await daemon.stop()
rmSync(dirname(probePath), { recursive: true })
if (left.length > 0) throw new Error(`left on the machine: ${left.join('\n')}`)
