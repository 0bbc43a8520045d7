/** `builder prune`: removes build cache. */
import { defineCommand, noArguments } from '../command.ts'
import { bytes } from '../options/container-flags.ts'
import { filterFlag } from '../options/filters.ts'
import { bool } from '../options/flags.ts'
import { pruneBuildCache, reclaimedLine } from './prunes.ts'
import { confirm } from './shared.ts'

export default defineCommand({
  usage: '',
  short: 'Remove build cache',
  args: noArguments,
  flags: {
    all: bool('a', 'Remove all that is unused, not only what is dangling'),
    filter: filterFlag('Remove only what matches ("until=24h")', ''),
    force: bool('f', 'Do not ask'),
    'keep-storage': bytes('', 'Amount of cache to keep'),
  },
  async run({ cli, flags }) {
    const what = flags.all ? 'all build cache' : 'all dangling build cache'
    if (!flags.force && !(await confirm(cli, `WARNING! This will remove ${what}.\nAre you sure you want to continue?`)))
      return
    cli.out(
      reclaimedLine(
        await pruneBuildCache(cli, flags.filter, { all: flags.all, keepStorage: flags['keep-storage'] }),
      ).replace('Total reclaimed space', 'Total'),
    )
  },
})
