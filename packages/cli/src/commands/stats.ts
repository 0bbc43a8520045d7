/** `stats`: shows what containers use, live. */
import type { Cli } from '../cli.ts'
import type { ApiClient } from '../client/api-client.ts'
import { jsonValues } from '../client/api-client.ts'
import type { ContainerSummary } from '../client/wire.ts'
import { anyArguments, defineCommand } from '../command.ts'
import { ExitError, messageOf } from '../exit-error.ts'
import { type Columns, isTable, renderListing, resolveFormat } from '../format/listing.ts'
import { emptyRow, type StatsRow, type StatsSample, toRow } from '../format/stats-sample.ts'
import { binarySize, humanSize, shortId } from '../format/units.ts'
import { bool } from '../options/flags.ts'
import { formatFlag } from '../options/format-flag.ts'
import { part } from './shared.ts'

const REFRESH_MS = 500
const statsTable = '{{.ID}}\t{{.Name}}\t{{.CPUPerc}}\t{{.MemUsage}}\t{{.MemPerc}}\t{{.NetIO}}\t{{.BlockIO}}\t{{.PIDs}}'

export default defineCommand({
  usage: '[OPTIONS] [CONTAINER...]',
  short: 'Show what containers use, live',
  aliases: ['docker container stats', 'docker stats'],
  args: anyArguments,
  flags: {
    all: bool('a', 'Show stopped containers too'),
    format: formatFlag('', true),
    'no-stream': bool('', 'Show one result and end'),
    'no-trunc': bool('', 'Do not shorten columns'),
  },
  async run({ cli, args, flags }) {
    const api = await cli.api()
    const configured = flags.format === '' ? (cli.config.statsFormat ?? '') : flags.format
    const format = resolveFormat(configured, statsTable)
    const monitor = new Monitor(api, !flags['no-stream'])
    if (args.length > 0) await Promise.all(args.map((name) => monitor.add(name)))
    else {
      for (const { Id } of await api.json<ContainerSummary[]>('GET', '/containers/json', {
        query: { all: flags.all ? 1 : undefined },
      }))
        await monitor.add(shortId(Id))
      if (!flags['no-stream']) void monitor.follow(flags.all)
    }
    await monitor.first()
    const failures = monitor.failures()
    if (failures.length > 0 && args.length > 0) throw new ExitError(1, failures.join('\n'))
    await show(cli, monitor, {
      format,
      truncate: !flags['no-trunc'],
      stream: !flags['no-stream'],
      named: args.length > 0,
    })
  },
})

interface ShowOptions {
  format: string
  truncate: boolean
  stream: boolean
  named: boolean
}

async function show(cli: Cli, monitor: Monitor, options: ShowOptions): Promise<void> {
  const table = isTable(options.format)
  for (;;) {
    const text = await renderListing({
      items: monitor.rows(),
      columns: statsColumns(options.truncate),
      format: options.format,
    })
    if (!options.stream) return cli.out(text)
    // Each line ends by clearing what the previous, longer one may have left.
    cli.out(table ? `\x1b[H${text.replaceAll('\n', '\x1b[K\n')}\x1b[J` : text)
    if (options.named && monitor.empty) return
    await new Promise((resolve) => setTimeout(resolve, REFRESH_MS))
  }
}

class Monitor {
  readonly #api: ApiClient
  readonly #stream: boolean
  readonly #rows = new Map<string, { row: StatsRow; error?: string; ready: Promise<void> }>()

  constructor(api: ApiClient, stream: boolean) {
    this.#api = api
    this.#stream = stream
  }

  get empty(): boolean {
    return this.#rows.size === 0
  }

  rows(): StatsRow[] {
    return [...this.#rows.values()].map(({ row }) => row)
  }

  failures(): string[] {
    return [...this.#rows.values()].flatMap(({ error }) => (error === undefined ? [] : [error]))
  }

  async add(name: string): Promise<void> {
    if (this.#rows.has(name)) return
    let ready = () => {}
    const entry: { row: StatsRow; error?: string; ready: Promise<void> } = {
      row: emptyRow(name),
      ready: new Promise((resolve) => (ready = resolve)),
    }
    this.#rows.set(name, entry)
    void this.#collect(name, entry, ready).finally(ready)
  }

  /** Resolves when every container has shown its first sample or failed. */
  async first(): Promise<void> {
    await Promise.all([...this.#rows.values()].map((entry) => entry.ready))
  }

  /** Adds containers as they start and drops them as they end. */
  async follow(all: boolean): Promise<void> {
    const events = all ? ['create', 'start', 'destroy'] : ['start', 'die', 'destroy']
    const filters = JSON.stringify({
      type: { container: true },
      event: Object.fromEntries(events.map((name) => [name, true])),
    })
    const reply = await this.#api.request('GET', '/events', { query: { filters } })
    for await (const event of jsonValues<{ Action: string; Actor: { ID: string } }>(reply.body)) {
      const name = shortId(event.Actor.ID)
      if (event.Action === 'die' || event.Action === 'destroy') this.#rows.delete(name)
      else await this.add(name)
    }
  }

  async #collect(name: string, entry: { row: StatsRow; error?: string }, ready: () => void): Promise<void> {
    try {
      const reply = await this.#api.request('GET', `/containers/${part(name)}/stats`, {
        query: { stream: this.#stream ? 1 : 0 },
      })
      for await (const sample of jsonValues<StatsSample>(reply.body)) {
        entry.row = toRow(name, sample)
        ready()
        if (!this.#stream) return
      }
      this.#rows.delete(name)
    } catch (error) {
      entry.error = messageOf(error)
      entry.row = { ...emptyRow(name), failed: true }
    }
  }
}

function statsColumns(truncate: boolean): Columns<StatsRow> {
  const dash = (row: StatsRow, value: () => string, placeholder = '--') => (row.failed ? placeholder : value())
  return {
    rowType: '*container.statsContext',
    headers: {
      Container: 'CONTAINER',
      Name: 'NAME',
      ID: 'CONTAINER ID',
      CPUPerc: 'CPU %',
      MemUsage: 'MEM USAGE / LIMIT',
      MemPerc: 'MEM %',
      NetIO: 'NET I/O',
      BlockIO: 'BLOCK I/O',
      PIDs: 'PIDS',
    },
    values: {
      Container: (row) => row.container,
      Name: (row) => row.name || '--',
      ID: (row) => (truncate ? shortId(row.id) : row.id),
      CPUPerc: (row) => dash(row, () => `${row.cpuPercent.toFixed(2)}%`),
      MemUsage: (row) =>
        dash(row, () => `${binarySize(row.memoryBytes)} / ${binarySize(row.memoryLimitBytes)}`, '-- / --'),
      MemPerc: (row) => dash(row, () => `${row.memoryPercent.toFixed(2)}%`),
      NetIO: (row) => dash(row, () => `${humanSize(row.receivedBytes, 3)} / ${humanSize(row.sentBytes, 3)}`),
      BlockIO: (row) => dash(row, () => `${humanSize(row.readBytes, 3)} / ${humanSize(row.writtenBytes, 3)}`),
      PIDs: (row) => dash(row, () => String(row.pids)),
    },
  }
}
