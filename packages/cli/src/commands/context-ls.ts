/** `context ls`. */
import { ContextStore } from '../client/contexts.ts'
import { DEFAULT_HOST } from '../client/endpoint.ts'
import { defineCommand, noArguments } from '../command.ts'
import { messageOf } from '../exit-error.ts'
import { type Columns, renderListing, resolveFormat } from '../format/listing.ts'
import { bool } from '../options/flags.ts'
import { formatFlag } from '../options/format-flag.ts'
import { warnHostOverride } from './context-shared.ts'
import { naturalOrder } from './shared.ts'

interface ContextRow {
  current: boolean
  name: string
  description: string
  host: string
  error: string
}

const DESCRIPTION_WIDTH = 60

export default defineCommand({
  usage: '[OPTIONS]',
  short: 'List contexts',
  aliases: ['docker context ls', 'docker context list'],
  args: noArguments,
  flags: { format: formatFlag('', true), quiet: bool('q', 'Print names only') },
  async run({ cli, flags }) {
    const current = cli.contextName()
    const rows: ContextRow[] = new ContextStore(cli.configDir).list().map((meta) => ({
      current: meta.Name === current,
      name: meta.Name,
      description: meta.Metadata.Description ?? '',
      host: meta.Endpoints.docker?.Host ?? '',
      error: '',
    }))
    rows.push({
      current: current === 'default',
      name: 'default',
      description: 'Current DOCKER_HOST based configuration',
      host: process.env.DOCKER_HOST || DEFAULT_HOST,
      error: '',
    })
    if (!rows.some((row) => row.current)) rows.push(missing(cli, current))
    rows.sort((a, b) => naturalOrder(a.name, b.name))
    if (flags.quiet) return cli.out(rows.map((row) => `${row.name}\n`).join(''))
    const table = '{{.Name}}{{if .Current}} *{{end}}\t{{.Description}}\t{{.DockerEndpoint}}\t{{.Error}}'
    cli.out(await renderListing({ items: rows, columns, format: resolveFormat(flags.format, table) }))
    if (cli.globals.host.length === 0) warnHostOverride(cli, '')
  },
})

function missing(cli: { configDir: string }, name: string): ContextRow {
  try {
    new ContextStore(cli.configDir).read(name)
    return { current: true, name, description: '', host: '', error: '' }
  } catch (error) {
    return { current: true, name, description: '', host: '', error: messageOf(error) }
  }
}

const columns: Columns<ContextRow> = {
  rowType: '*formatter.clientContextContext',
  headers: { Name: 'NAME', Description: 'DESCRIPTION', DockerEndpoint: 'DOCKER ENDPOINT', Error: 'ERROR', Current: '' },
  values: {
    Current: ({ current }) => current,
    Name: ({ name }) => name,
    Description: ({ description }) =>
      description.length > DESCRIPTION_WIDTH ? `${description.slice(0, DESCRIPTION_WIDTH - 1)}…` : description,
    DockerEndpoint: ({ host }) => host,
    Error: ({ error }) => error.split('\n')[0] ?? '',
  },
}
