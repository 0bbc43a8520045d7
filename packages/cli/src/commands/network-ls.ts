/** `network ls`. */

import { plain } from '@dockerd-ts/go-template/print'
import type { NetworkSummary } from '../client/wire.ts'
import { defineCommand, noArguments } from '../command.ts'
import { joinLabels } from '../format/container-columns.ts'
import { type Columns, renderListing, resolveFormat } from '../format/listing.ts'
import { shortId } from '../format/units.ts'
import { encodeFilters, filterFlag } from '../options/filters.ts'
import { bool } from '../options/flags.ts'
import { formatFlag } from '../options/format-flag.ts'
import { naturalOrder } from './shared.ts'

const networkTable = '{{.ID}}\t{{.Name}}\t{{.Driver}}\t{{.Scope}}'

export default defineCommand({
  usage: '[OPTIONS]',
  short: 'List networks',
  aliases: ['docker network ls', 'docker network list'],
  args: noArguments,
  flags: {
    filter: filterFlag('Show only what matches ("driver=bridge")'),
    format: formatFlag('', true),
    'no-trunc': bool('', 'Do not shorten columns'),
    quiet: bool('q', 'Print ids only'),
  },
  async run({ cli, flags }) {
    const networks = await (await cli.api()).json<NetworkSummary[]>('GET', '/networks', {
      query: { filters: encodeFilters(flags.filter) },
    })
    networks.sort((a, b) => naturalOrder(a.Name, b.Name))
    const columns = networkColumns(!flags['no-trunc'])
    const configured = flags.format === '' && !flags.quiet ? (cli.config.networksFormat ?? '') : flags.format
    if (flags.quiet && (configured === '' || configured === 'table'))
      return cli.out(networks.map((network) => `${columns.values.ID?.(network)}\n`).join(''))
    cli.out(await renderListing({ items: networks, columns, format: resolveFormat(configured, networkTable) }))
  },
})

function networkColumns(truncate: boolean): Columns<NetworkSummary> {
  return {
    rowType: '*network.networkContext',
    headers: {
      ID: 'NETWORK ID',
      Name: 'NAME',
      Driver: 'DRIVER',
      Scope: 'SCOPE',
      IPv4: 'IPV4',
      IPv6: 'IPV6',
      Internal: 'INTERNAL',
      Labels: 'LABELS',
      CreatedAt: 'CREATED AT',
    },
    values: {
      ID: ({ Id }) => (truncate ? shortId(Id) : Id),
      Name: ({ Name }) => Name,
      Driver: ({ Driver }) => Driver,
      Scope: ({ Scope }) => Scope,
      IPv4: ({ EnableIPv4 }) => String(EnableIPv4 ?? false),
      IPv6: ({ EnableIPv6 }) => String(EnableIPv6),
      Internal: ({ Internal }) => String(Internal),
      Labels: ({ Labels }) => joinLabels(Labels),
      CreatedAt: ({ Created }) =>
        Created.replace('T', ' ')
          .replace(/Z$/, ' +0000 UTC')
          .replace(/([+-]\d\d):(\d\d)$/, ' $1$2 $1$2'),
    },
    methods: { Label: ({ Labels }, [name]) => Labels?.[plain(name)] ?? '' },
  }
}
