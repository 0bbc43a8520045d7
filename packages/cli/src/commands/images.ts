/** `images`: lists images. */
import { isatty } from 'node:tty'
import type { ImageSummary } from '../client/wire.ts'
import { atMost, defineCommand } from '../command.ts'
import { imageColumns, imageRows, imageTable, imageTableWithDigests } from '../format/image-columns.ts'
import { renderImageTree } from '../format/image-tree.ts'
import { renderListing, resolveFormat } from '../format/listing.ts'
import { addFilter, encodeFilters, filterFlag } from '../options/filters.ts'
import { bool } from '../options/flags.ts'
import { formatFlag } from '../options/format-flag.ts'
import { STDOUT } from '../terminal/write.ts'

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
    tree: bool('', 'List the platforms of each image below it (EXPERIMENTAL)'),
  },
  async run({ cli, args, flags }) {
    if (flags.tree) refuseWithTree(flags)
    const filters = args[0] === undefined ? flags.filter : addFilter(flags.filter, 'reference', args[0])
    const api = await cli.api()
    const images = await api.json<ImageSummary[]>('GET', '/images/json', {
      query: {
        all: flags.all ? 1 : undefined,
        filters: encodeFilters(filters),
        manifests: flags.tree ? 1 : undefined,
      },
    })
    if (flags.tree) {
      const isTerminal = isatty(STDOUT)
      const shown = flags.all ? images : images.filter(hasName)
      return cli.out(renderImageTree(shown, { isTerminal, columns: isTerminal ? (process.stdout.columns ?? 0) : 0 }))
    }
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

/** Docker's words, with its slip in the name of `--digests`. */
function refuseWithTree(flags: { quiet: boolean; 'no-trunc': boolean; digests: boolean; format: string }): void {
  const refused = [
    flags.quiet && '--quiet',
    flags['no-trunc'] && '--no-trunc',
    flags.digests && '--show-digest',
    flags.format !== '' && '--format',
  ].find(Boolean)
  if (refused) throw new Error(`${refused} is not yet supported with --tree`)
}

const hasName = ({ RepoTags, RepoDigests }: ImageSummary): boolean =>
  (RepoTags ?? []).length > 0 || (RepoDigests ?? []).length > 0
