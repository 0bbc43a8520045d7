/** `volume prune`: removes volumes that no container uses. */
import { compareVersions } from '../client/api-client.ts'
import { defineCommand, noArguments } from '../command.ts'
import { ExitError } from '../exit-error.ts'
import { addFilter, filterFlag } from '../options/filters.ts'
import { bool } from '../options/flags.ts'
import { pruneVolumes } from './prunes.ts'
import { confirm } from './shared.ts'

export default defineCommand({
  usage: '[OPTIONS]',
  short: 'Remove unused local volumes',
  args: noArguments,
  flags: {
    all: bool('a', 'Remove named volumes too, not only anonymous ones'),
    filter: filterFlag('Remove only what matches ("label=<label>")', ''),
    force: bool('f', 'Do not ask'),
  },
  async run({ cli, flags }) {
    if (flags.all && flags.filter.all)
      throw new ExitError(1, 'conflicting options: cannot specify both --all and --filter all=1')
    const version = await (await cli.api()).version()
    const chooses = compareVersions(version, '1.42') >= 0
    const named = flags.all || !chooses
    const warning = named
      ? 'WARNING! This will remove all local volumes not used by at least one container.'
      : 'WARNING! This will remove anonymous local volumes not used by at least one container.'
    if (!flags.force && !(await confirm(cli, `${warning}\nAre you sure you want to continue?`))) return
    await pruneVolumes(cli, flags.all && chooses ? addFilter(flags.filter, 'all', 'true') : flags.filter)
  },
})
