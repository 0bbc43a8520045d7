/** `create`: makes a container and prints its id. */
import { atLeast, defineCommand } from '../command.ts'
import { ExitError, messageOf, withHelp } from '../exit-error.ts'
import { containerFlags } from '../options/container-flags.ts'
import { type CreateBody, createBody } from '../options/create-body.ts'
import { proxyEnvironment } from '../options/proxy-env.ts'
import { terminalSize } from '../terminal/resize.ts'
import { checkPullPolicy, createContainer } from './create-container.ts'

const USAGE_CODE = 125

export default defineCommand({
  usage: '[OPTIONS] IMAGE [COMMAND] [ARG...]',
  short: 'Create a container without starting it',
  aliases: ['docker container create', 'docker create'],
  args: atLeast(1),
  interspersed: false,
  flags: containerFlags,
  async run({ cli, args, flags, given }) {
    const [image = '', ...command] = args
    let body: CreateBody
    try {
      checkPullPolicy(flags.pull)
      body = createBody({
        flags,
        given,
        image,
        command,
        presetEnv: proxyEnvironment(cli.config, (await cli.address()).host),
        consoleSize: terminalSize(),
      })
    } catch (error) {
      throw error instanceof ExitError ? error : withHelp(messageOf(error), 'create', USAGE_CODE)
    }
    const id = await createContainer(cli, {
      body,
      name: flags.name,
      platform: flags.platform,
      pull: flags.pull,
      quiet: flags.quiet,
      cidfile: flags.cidfile,
    })
    cli.out(`${id}\n`)
  },
})
