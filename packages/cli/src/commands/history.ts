/** `history`: shows the steps an image was made of. */
import { defineCommand, exactly } from '../command.ts'
import { type Columns, renderListing, resolveFormat } from '../format/listing.ts'
import { ago, ellipsis, goTime, humanSize, shortId } from '../format/units.ts'
import { bool, string } from '../options/flags.ts'
import { formatFlag } from '../options/format-flag.ts'
import { encodePlatform } from '../options/platform.ts'
import { part } from './shared.ts'

interface Step {
  Id: string
  Created: number
  CreatedBy: string
  Size: number
  Comment: string
}

const COMMAND_WIDTH = 45
const SIZE_DIGITS = 3

export default defineCommand({
  usage: '[OPTIONS] IMAGE',
  short: 'Show the steps an image was made of',
  aliases: ['docker image history', 'docker history'],
  args: exactly(1),
  flags: {
    format: formatFlag('', true),
    human: bool('H', 'Print sizes and dates for people', true),
    'no-trunc': bool('', 'Do not shorten columns'),
    platform: string('', 'Platform to show where an image has several (os[/arch[/variant]])'),
    quiet: bool('q', 'Print ids only'),
  },
  async run({ cli, args, flags }) {
    const platform = flags.platform === '' ? undefined : encodePlatform(flags.platform)
    const steps = await (await cli.api()).json<Step[]>('GET', `/images/${part(args[0] ?? '')}/history`, {
      query: { platform },
    })
    const columns = stepColumns(flags.human, !flags['no-trunc'])
    if (flags.quiet && flags.format === '')
      return cli.out(steps.map((step) => `${columns.values.ID?.(step)}\n`).join(''))
    const created = flags.human ? '{{.CreatedSince}}' : '{{.CreatedAt}}'
    const table = `{{.ID}}\t${created}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}`
    cli.out(await renderListing({ items: steps, columns, format: resolveFormat(flags.format, table) }))
  },
})

function stepColumns(human: boolean, truncate: boolean): Columns<Step> {
  const since = (created: number) => (human ? ago(created) : rfc3339(created))
  return {
    rowType: '*image.historyContext',
    headers: {
      ID: 'IMAGE',
      CreatedSince: 'CREATED',
      CreatedAt: 'CREATED AT',
      CreatedBy: 'CREATED BY',
      Size: 'SIZE',
      Comment: 'COMMENT',
    },
    values: {
      ID: ({ Id }) => (truncate ? shortId(Id) : Id),
      CreatedAt: ({ Created }) => rfc3339(Created),
      CreatedSince: ({ Created }) => (Created <= 0 ? 'N/A' : since(Created)),
      CreatedBy: ({ CreatedBy }) => {
        const command = CreatedBy.replaceAll('\t', ' ')
        return truncate ? ellipsis(command, COMMAND_WIDTH) : command
      },
      Size: ({ Size }) => (human ? humanSize(Size, SIZE_DIGITS) : String(Size)),
      Comment: ({ Comment }) => Comment,
    },
  }
}

function rfc3339(unixSeconds: number): string {
  const [day, clock, zone = ''] = goTime(new Date(unixSeconds * 1000)).split(' ')
  return `${day}T${clock}${zone === '+0000' ? 'Z' : `${zone.slice(0, 3)}:${zone.slice(3)}`}`
}
