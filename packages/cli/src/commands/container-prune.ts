/** `container prune`: removes stopped containers. */
import { defineCommand, noArguments } from '../command.ts'
import { filterFlag } from '../options/filters.ts'
import { bool } from '../options/flags.ts'
import { pruneContainers } from './prunes.ts'
import { confirm } from './shared.ts'

export default defineCommand({
  usage: '[OPTIONS]',
  short: 'Remove all stopped containers',
  args: noArguments,
  flags: { filter: filterFlag('Remove only what matches ("until=<timestamp>")', ''), force: bool('f', 'Do not ask') },
  async run({ cli, flags }) {
    const question = 'WARNING! This will remove all stopped containers.\nAre you sure you want to continue?'
    if (!flags.force && !(await confirm(cli, question))) return
    await pruneContainers(cli, flags.filter)
  },
})
