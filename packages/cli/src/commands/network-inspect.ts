/** `network inspect`. */
import { atLeast, defineCommand } from '../command.ts'
import { inspectObjects } from '../format/inspect.ts'
import { fetchObject } from '../format/inspect-sources.ts'
import { bool } from '../options/flags.ts'
import { formatFlag } from '../options/format-flag.ts'

export default defineCommand({
  usage: '[OPTIONS] NETWORK [NETWORK...]',
  short: 'Show all details of networks',
  args: atLeast(1),
  flags: { format: formatFlag('f', false), verbose: bool('v', 'Show what helps to find faults') },
  async run({ cli, args, flags }) {
    const api = await cli.api()
    await inspectObjects(cli, {
      references: args,
      format: flags.format,
      fetch: (name) => fetchObject(api, 'network', name, { verbose: flags.verbose }),
    })
  },
})
