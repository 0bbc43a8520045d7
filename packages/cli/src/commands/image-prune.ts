/** `image prune`: removes images that nothing uses. */
import { defineCommand, noArguments } from '../command.ts'
import { ExitError } from '../exit-error.ts'
import { addFilter, filterFlag } from '../options/filters.ts'
import { bool, string } from '../options/flags.ts'
import { applyImagePrune, planImagePrune } from './image-prune-plan.ts'
import { pruneImages } from './prunes.ts'
import { confirm } from './shared.ts'

export default defineCommand({
  usage: '[OPTIONS]',
  short: 'Remove unused images',
  args: noArguments,
  flags: {
    all: bool('a', 'Remove all that no container uses, not only untagged ones'),
    filter: filterFlag('Remove only what matches ("until=<timestamp>")', ''),
    apply: string('', 'Delete exactly what the plan of this id showed'),
    force: bool('f', 'Do not ask'),
    plan: bool('', 'Show what would be deleted, and remember it'),
  },
  async run({ cli, flags }) {
    const filters = addFilter(flags.filter, 'dangling', flags.all ? 'false' : 'true')
    if (flags.plan && flags.apply !== '') throw new ExitError(1, '--plan and --apply cannot be used together')
    if (flags.plan) return planImagePrune(cli, filters)
    if (flags.apply !== '') return applyImagePrune(cli, flags.apply)
    const what = flags.all ? 'all images without at least one container associated to them' : 'all dangling images'
    const question = `WARNING! This will remove ${what}.\nAre you sure you want to continue?`
    if (!flags.force && !(await confirm(cli, question))) return
    await pruneImages(cli, filters)
  },
})
