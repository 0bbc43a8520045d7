/** `rename`: gives a container another name. */
import { defineCommand, exactly } from '../command.ts'
import { ExitError, messageOf } from '../exit-error.ts'
import { containerPath } from './shared.ts'

export default defineCommand({
  usage: 'CONTAINER NEW_NAME',
  short: 'Give a container another name',
  aliases: ['docker container rename', 'docker rename'],
  args: exactly(2),
  flags: {},
  async run({ cli, args }) {
    const [oldName = '', newName = ''] = args.map((arg) => arg.trim())
    if (oldName === '' || newName === '') throw new ExitError(1, 'Error: Neither old nor new names may be empty')
    try {
      await (await cli.api()).call('POST', `${containerPath(oldName)}/rename`, { query: { name: newName } })
    } catch (error) {
      throw new ExitError(1, `${messageOf(error)}\nError: failed to rename container named ${oldName}`)
    }
  },
})
