/** `save`: writes images to a tar archive. */
import { compareVersions } from '../client/api-client.ts'
import { atLeast, defineCommand } from '../command.ts'
import { string } from '../options/flags.ts'
import { encodePlatform } from '../options/platform.ts'
import { checkOutput, writeOutput } from './output-file.ts'

export default defineCommand({
  usage: '[OPTIONS] IMAGE [IMAGE...]',
  short: 'Write images to a tar archive',
  aliases: ['docker image save', 'docker save'],
  args: atLeast(1),
  flags: {
    output: string('o', 'Write to this file in place of standard output'),
    platform: string('', 'Platform to write where an image has several (os[/arch[/variant]])'),
  },
  async run({ cli, args, flags }) {
    const api = await cli.api()
    const platform = flags.platform === '' ? undefined : encodePlatform(flags.platform)
    if (platform !== undefined && compareVersions(await api.version(), '1.48') < 0) {
      throw new Error(
        `"platform" requires API version 1.48, but the Docker daemon API version is ${await api.version()}`,
      )
    }
    checkOutput(flags.output, 'save image')
    const reply = await api.request('GET', '/images/get', { query: { names: args, platform } })
    await writeOutput(cli, flags.output, reply.body)
  },
})
