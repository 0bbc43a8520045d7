/** `unpause`: thaws all processes of containers. */
import { atLeast, defineCommand } from '../command.ts'
import { containerPath, forEach } from './shared.ts'

export default defineCommand({
  usage: 'CONTAINER [CONTAINER...]',
  short: 'Thaw all processes of containers',
  aliases: ['docker container unpause', 'docker unpause'],
  args: atLeast(1),
  flags: {},
  async run({ cli, args }) {
    await forEach(cli, args, (name, api) => api.call('POST', `${containerPath(name)}/unpause`), { parallel: true })
  },
})
