/** `network disconnect`. */
import { defineCommand, exactly } from '../command.ts'
import { bool } from '../options/flags.ts'
import { part } from './shared.ts'

export default defineCommand({
  usage: '[OPTIONS] NETWORK CONTAINER',
  short: 'Disconnect a container from a network',
  args: exactly(2),
  flags: { force: bool('f', 'Disconnect even when the container cannot be reached') },
  async run({ cli, args, flags }) {
    const [network = '', Container = ''] = args
    await (await cli.api()).call('POST', `/networks/${part(network)}/disconnect`, {
      json: { Container, Force: flags.force },
    })
  },
})
