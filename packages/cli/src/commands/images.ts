/** `images`: lists images. */

import type { ImageSummary } from '../client/wire.ts'
import { atMost, defineCommand } from '../command.ts'
import { imageColumns, imageRows, imageTable, imageTableWithDigests } from '../format/image-columns.ts'
import { renderListing, resolveFormat } from '../format/listing.ts'
import { addFilter, encodeFilters, filterFlag } from '../options/filters.ts'
import { bool } from '../options/flags.ts'
import { formatFlag } from '../options/format-flag.ts'

export default defineCommand({
  usage: '[OPTIONS] [REPOSITORY[:TAG]]',
  short: 'List images',
  aliases: ['docker image ls', 'docker image list', 'docker images'],
  args: atMost(1),
  flags: {
    all: bool('a', 'Show intermediate images too'),
    digests: bool('', 'Show digests'),
    filter: filterFlag('Show only what matches'),
    format: formatFlag('', true),
    'no-trunc': bool('', 'Do not shorten columns'),
    quiet: bool('q', 'Print ids only'),
  },
  async run({ cli, args, flags }) {
    const filters = args[0] === undefined ? flags.filter : addFilter(flags.filter, 'reference', args[0])
    const api = await cli.api()
    const images = await api.json<ImageSummary[]>('GET', '/images/json', {
      query: { all: flags.all ? 1 : undefined, filters: encodeFilters(filters) },
    })
    const columns = imageColumns(!flags['no-trunc'])
    const configured = flags.format === '' && !flags.quiet ? (cli.config.imagesFormat ?? '') : flags.format
    if (flags.quiet && (configured === '' || configured === 'table')) {
      return cli.out(
        imageRows(images, false)
          .map((row) => `${columns.values.ID?.(row)}\n`)
          .join(''),
      )
    }
    const format = resolveFormat(configured, flags.digests ? imageTableWithDigests : imageTable)
    const needsDigests = flags.digests || format.includes('.Digest')
    cli.out(await renderListing({ items: imageRows(images, needsDigests), columns, format }))
  },
})
