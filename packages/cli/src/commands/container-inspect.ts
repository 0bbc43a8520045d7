/** `container inspect`. */
import { atLeast, defineCommand } from '../command.ts'
import { inspectObjects } from '../format/inspect.ts'
import { fetchObject } from '../format/inspect-sources.ts'
import { bool } from '../options/flags.ts'
import { formatFlag } from '../options/format-flag.ts'

export default defineCommand({
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  short: 'Show all details of containers',
  args: atLeast(1),
  flags: {
    format: formatFlag('f', false),
    removed: bool('', 'Show what is kept of a container that was removed'),
    size: bool('s', 'Show the sizes of file systems'),
  },
  async run({ cli, args, flags }) {
    const api = await cli.api()
    await inspectObjects(cli, {
      references: args,
      format: flags.format,
      fetch: (name) => fetchObject(api, 'container', name, { size: flags.size, removed: flags.removed }),
    })
  },
})
