/** `volume inspect`. */
import { atLeast, defineCommand } from '../command.ts'
import { inspectObjects } from '../format/inspect.ts'
import { fetchObject } from '../format/inspect-sources.ts'
import { formatFlag } from '../options/format-flag.ts'

export default defineCommand({
  usage: '[OPTIONS] VOLUME [VOLUME...]',
  short: 'Show all details of volumes',
  args: atLeast(1),
  flags: { format: formatFlag('f', false) },
  async run({ cli, args, flags }) {
    const api = await cli.api()
    await inspectObjects(cli, {
      references: args,
      format: flags.format,
      fetch: (name) => fetchObject(api, 'volume', name),
    })
  },
})
