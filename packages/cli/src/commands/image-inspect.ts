/** `image inspect`. */
import { atLeast, defineCommand } from '../command.ts'
import { inspectObjects } from '../format/inspect.ts'
import { fetchObject } from '../format/inspect-sources.ts'
import { string } from '../options/flags.ts'
import { formatFlag } from '../options/format-flag.ts'
import { encodePlatform } from '../options/platform.ts'

export default defineCommand({
  usage: '[OPTIONS] IMAGE [IMAGE...]',
  short: 'Show all details of images',
  args: atLeast(1),
  flags: {
    format: formatFlag('f', false),
    platform: string('', 'Platform to show where an image has several (os[/arch[/variant]])'),
  },
  async run({ cli, args, flags }) {
    const api = await cli.api()
    const platform = flags.platform === '' ? undefined : encodePlatform(flags.platform)
    await inspectObjects(cli, {
      references: args,
      format: flags.format,
      fetch: (name) => fetchObject(api, 'image', name, { platform }),
    })
  },
})
