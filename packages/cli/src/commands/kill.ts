/** `kill`: sends a signal to containers. */
import { atLeast, defineCommand } from '../command.ts'
import { string } from '../options/flags.ts'
import { containerPath, forEach } from './shared.ts'

export default defineCommand({
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  short: 'Send a signal to running containers',
  aliases: ['docker container kill', 'docker kill'],
  args: atLeast(1),
  flags: { signal: string('s', 'Signal to send') },
  async run({ cli, args, flags }) {
    const query = { signal: flags.signal || undefined }
    await forEach(cli, args, (name, api) => api.call('POST', `${containerPath(name)}/kill`, { query }), {
      parallel: true,
    })
  },
})
