/** `ps`: lists containers. */

import type { ContainerSummary } from '../client/wire.ts'
import { defineCommand, noArguments } from '../command.ts'
import { containerColumns, containerTable } from '../format/container-columns.ts'
import { checkTemplate, isTable, renderListing, resolveFormat } from '../format/listing.ts'
import { encodeFilters, filterFlag } from '../options/filters.ts'
import { bool, int } from '../options/flags.ts'
import { formatFlag } from '../options/format-flag.ts'

const SAMPLE: ContainerSummary = {
  Id: '',
  Names: [],
  Image: '',
  ImageID: '',
  Command: '',
  Created: 0,
  Ports: [],
  Labels: {},
  State: '',
  Status: '',
}

export default defineCommand({
  usage: '[OPTIONS]',
  short: 'List containers',
  aliases: ['docker container ls', 'docker container list', 'docker container ps', 'docker ps'],
  args: noArguments,
  flags: {
    all: bool('a', 'Show stopped containers too'),
    filter: filterFlag('Show only what matches'),
    format: formatFlag('', true),
    last: int('n', 'Show the n containers created last, in any state', -1),
    latest: bool('l', 'Show the container created last, in any state'),
    'no-trunc': bool('', 'Do not shorten columns'),
    quiet: bool('q', 'Print ids only'),
    removed: bool('', 'Show those that were removed and are kept (--removed-retention of the daemon)'),
    size: bool('s', 'Show sizes of file systems'),
  },
  async run({ cli, flags, given }) {
    const configured = flags.format === '' && !flags.quiet ? (cli.config.psFormat ?? '') : flags.format
    const table = flags.size ? `${containerTable}\t{{.Size}}` : containerTable
    const quiet = flags.quiet && (configured === '' || configured === 'table')
    const format = quiet ? '{{.ID}}' : resolveFormat(configured, table)
    const wantsSize = flags.size || (!given('size') && !isTable(format) && /\.Size\b/.test(format))
    const limit = flags.latest && flags.last === -1 ? 1 : flags.last
    // A faulty template is reported even when there is nothing to list.
    if (flags.format !== '') await checkTemplate(flags.format, SAMPLE, containerColumns(true))
    const api = await cli.api()
    const containers = await api.json<ContainerSummary[]>('GET', '/containers/json', {
      query: {
        all: flags.all ? 1 : undefined,
        removed: flags.removed ? 1 : undefined,
        limit: limit > 0 ? limit : undefined,
        size: wantsSize ? 1 : undefined,
        filters: encodeFilters(flags.filter),
      },
    })
    if (quiet) {
      const columns = containerColumns(!flags['no-trunc'])
      return cli.out(containers.map((container) => `${columns.values.ID?.(container)}\n`).join(''))
    }
    cli.out(await renderListing({ items: containers, columns: containerColumns(!flags['no-trunc']), format }))
  },
})
