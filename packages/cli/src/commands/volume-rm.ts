/** `volume rm`. */
import { atLeast, defineCommand } from '../command.ts'
import { bool } from '../options/flags.ts'
import { forEach, part } from './shared.ts'

export default defineCommand({
  usage: '[OPTIONS] VOLUME [VOLUME...]',
  short: 'Remove volumes',
  aliases: ['docker volume rm', 'docker volume remove'],
  args: atLeast(1),
  flags: { force: bool('f', 'Remove even when the driver no longer knows it') },
  async run({ cli, args, flags }) {
    await forEach(cli, args, (name, api) =>
      api.call('DELETE', `/volumes/${part(name)}`, { query: { force: flags.force ? 1 : undefined } }),
    )
  },
})
