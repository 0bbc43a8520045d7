/** `volume ls`. */
import type { Volume } from '../client/wire.ts'
import { defineCommand, noArguments } from '../command.ts'
import { renderListing, resolveFormat } from '../format/listing.ts'
import { volumeColumns, volumeTable } from '../format/volume-columns.ts'
import { encodeFilters, filterFlag } from '../options/filters.ts'
import { bool } from '../options/flags.ts'
import { formatFlag } from '../options/format-flag.ts'
import { naturalOrder } from './shared.ts'

export default defineCommand({
  usage: '[OPTIONS]',
  short: 'List volumes',
  aliases: ['docker volume ls', 'docker volume list'],
  args: noArguments,
  flags: {
    filter: filterFlag('Show only what matches'),
    format: formatFlag('', true),
    quiet: bool('q', 'Print names only'),
  },
  async run({ cli, flags }) {
    const { Volumes } = await (await cli.api()).json<{ Volumes: Volume[] | null }>('GET', '/volumes', {
      query: { filters: encodeFilters(flags.filter) },
    })
    const volumes = (Volumes ?? []).sort((a, b) => naturalOrder(a.Name, b.Name))
    const configured = flags.format === '' && !flags.quiet ? (cli.config.volumesFormat ?? '') : flags.format
    if (flags.quiet && (configured === '' || configured === 'table'))
      return cli.out(volumes.map(({ Name }) => `${Name}\n`).join(''))
    cli.out(
      await renderListing({ items: volumes, columns: volumeColumns, format: resolveFormat(configured, volumeTable) }),
    )
  },
})
