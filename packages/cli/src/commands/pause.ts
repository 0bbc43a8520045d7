/** `pause`: freezes all processes of containers. */
import { atLeast, defineCommand } from '../command.ts'
import { containerPath, forEach } from './shared.ts'

export default defineCommand({
  usage: 'CONTAINER [CONTAINER...]',
  short: 'Freeze all processes of containers',
  aliases: ['docker container pause', 'docker pause'],
  args: atLeast(1),
  flags: {},
  async run({ cli, args }) {
    await forEach(cli, args, (name, api) => api.call('POST', `${containerPath(name)}/pause`), { parallel: true })
  },
})
