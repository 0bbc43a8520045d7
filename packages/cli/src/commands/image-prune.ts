/** `image prune`: removes images that nothing uses. */
import { defineCommand, noArguments } from '../command.ts'
import { addFilter, filterFlag } from '../options/filters.ts'
import { bool } from '../options/flags.ts'
import { pruneImages } from './prunes.ts'
import { confirm } from './shared.ts'

export default defineCommand({
  usage: '[OPTIONS]',
  short: 'Remove unused images',
  args: noArguments,
  flags: {
    all: bool('a', 'Remove all that no container uses, not only untagged ones'),
    filter: filterFlag('Remove only what matches ("until=<timestamp>")', ''),
    force: bool('f', 'Do not ask'),
  },
  async run({ cli, flags }) {
    const what = flags.all ? 'all images without at least one container associated to them' : 'all dangling images'
    const question = `WARNING! This will remove ${what}.\nAre you sure you want to continue?`
    if (!flags.force && !(await confirm(cli, question))) return
    await pruneImages(cli, addFilter(flags.filter, 'dangling', flags.all ? 'false' : 'true'))
  },
})
