/** `system prune`: removes all that is unused. */
import { compareVersions } from '../client/api-client.ts'
import { defineCommand, noArguments } from '../command.ts'
import { ExitError } from '../exit-error.ts'
import { addFilter, type Filters, filterFlag } from '../options/filters.ts'
import { bool } from '../options/flags.ts'
import { pruneBuildCache, pruneContainers, pruneImages, pruneNetworks, pruneVolumes, reclaimedLine } from './prunes.ts'
import { confirm } from './shared.ts'

export default defineCommand({
  usage: '[OPTIONS]',
  short: 'Remove unused data',
  args: noArguments,
  flags: {
    all: bool('a', 'Remove all unused images, not only untagged ones'),
    filter: filterFlag('Remove only what matches ("label=<key>=<value>")', ''),
    force: bool('f', 'Do not ask'),
    volumes: bool('', 'Remove anonymous volumes too'),
  },
  async run({ cli, flags }) {
    if (flags.volumes && flags.filter.until)
      throw new ExitError(1, 'ERROR: The "until" filter is not supported with "--volumes"')
    const api = await cli.api()
    const { builderVersion } = await api.ping()
    const hasCache = compareVersions(await api.version(), '1.31') >= 0 && builderVersion !== ''
    if (!flags.force && !(await confirm(cli, question(flags, hasCache)))) return
    let bytes = await pruneContainers(cli, flags.filter, false)
    await pruneNetworks(cli, flags.filter)
    if (flags.volumes) bytes += await pruneVolumes(cli, flags.filter, false)
    bytes += await pruneImages(cli, addFilter(flags.filter, 'dangling', flags.all ? 'false' : 'true'), false)
    if (hasCache) bytes += await pruneBuildCache(cli, flags.filter, { all: flags.all })
    cli.out(reclaimedLine(bytes))
  },
})

function question(flags: { all: boolean; volumes: boolean; filter: Filters }, hasCache: boolean): string {
  const lines = [
    'WARNING! This will remove:',
    '  - all stopped containers',
    '  - all networks not used by at least one container',
    ...(flags.volumes ? ['  - all anonymous volumes not used by at least one container'] : []),
    flags.all ? '  - all images without at least one container associated to them' : '  - all dangling images',
    ...(hasCache ? [flags.all ? '  - all build cache' : '  - unused build cache'] : []),
  ]
  const filters = Object.entries(flags.filter).flatMap(([name, values]) =>
    Object.keys(values).map((value) => `${name}=${value}`),
  )
  if (filters.length > 0)
    lines.push('', '  Items to be pruned will be filtered with:', ...filters.sort().map((filter) => `  - ${filter}`))
  return `${lines.join('\n')}\n\nAre you sure you want to continue?`
}
