/** `search`: searches Docker Hub for images. */
import { registryAuthHeader } from '../client/registry-auth.ts'
import { defineCommand, exactly } from '../command.ts'
import { type Columns, renderListing, resolveFormat } from '../format/listing.ts'
import { ellipsis } from '../format/units.ts'
import { encodeFilters, filterFlag } from '../options/filters.ts'
import { bool, int, string } from '../options/flags.ts'

interface SearchResult {
  name: string
  description: string
  star_count: number
  is_official: boolean
  is_automated?: boolean
}

const DESCRIPTION_WIDTH = 45

export default defineCommand({
  usage: '[OPTIONS] TERM',
  short: 'Search Docker Hub for images',
  args: exactly(1),
  flags: {
    filter: filterFlag('Show only what matches'),
    format: string('', 'How to print, by a Go template'),
    limit: int('', 'Most results to show'),
    'no-trunc': bool('', 'Do not shorten columns'),
  },
  async run({ cli, args, flags }) {
    const term = args[0] ?? ''
    const domain =
      term.includes('/') && /[.:]|^localhost$/.test(term.split('/')[0] ?? '') ? (term.split('/')[0] ?? '') : 'docker.io'
    const results = await (await cli.api()).json<SearchResult[]>('GET', '/images/search', {
      query: { term, limit: flags.limit || undefined, filters: encodeFilters(flags.filter) },
      headers: { 'X-Registry-Auth': await registryAuthHeader(cli, domain) },
    })
    const table = '{{.Name}}\t{{.Description}}\t{{.StarCount}}\t{{.IsOfficial}}'
    cli.out(
      await renderListing({
        items: results,
        columns: columns(!flags['no-trunc']),
        format: resolveFormat(flags.format, table),
      }),
    )
  },
})

function columns(truncate: boolean): Columns<SearchResult> {
  return {
    rowType: '*search.searchContext',
    headers: {
      Name: 'NAME',
      Description: 'DESCRIPTION',
      StarCount: 'STARS',
      IsOfficial: 'OFFICIAL',
      IsAutomated: 'AUTOMATED',
    },
    values: {
      Name: ({ name }) => name,
      Description: ({ description }) => {
        const line = description.replaceAll('\n', ' ').replaceAll('\r', ' ')
        return truncate ? ellipsis(line, DESCRIPTION_WIDTH) : line
      },
      StarCount: ({ star_count }) => String(star_count),
      IsOfficial: ({ is_official }) => (is_official ? '[OK]' : ''),
      IsAutomated: ({ is_automated }) => (is_automated ? '[OK]' : ''),
    },
  }
}
