/** `network prune`: removes networks that no container uses. */
import { defineCommand, noArguments } from '../command.ts'
import { filterFlag } from '../options/filters.ts'
import { bool } from '../options/flags.ts'
import { pruneNetworks } from './prunes.ts'
import { confirm } from './shared.ts'

export default defineCommand({
  usage: '[OPTIONS]',
  short: 'Remove all unused networks',
  args: noArguments,
  flags: { filter: filterFlag('Remove only what matches ("until=<timestamp>")', ''), force: bool('f', 'Do not ask') },
  async run({ cli, flags }) {
    const question =
      'WARNING! This will remove all custom networks not used by at least one container.\nAre you sure you want to continue?'
    if (!flags.force && !(await confirm(cli, question))) return
    await pruneNetworks(cli, flags.filter)
  },
})
