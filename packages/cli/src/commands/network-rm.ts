/** `network rm`. */
import { isNotFound } from '../client/errors.ts'
import { atLeast, defineCommand } from '../command.ts'
import { ExitError, messageOf } from '../exit-error.ts'
import { bool } from '../options/flags.ts'
import { part } from './shared.ts'

export default defineCommand({
  usage: 'NETWORK [NETWORK...]',
  short: 'Remove networks',
  aliases: ['docker network rm', 'docker network remove'],
  args: atLeast(1),
  flags: { force: bool('f', 'Do not complain about networks that do not exist') },
  async run({ cli, args, flags }) {
    const api = await cli.api()
    let failed = false
    for (const name of args) {
      try {
        await api.call('DELETE', `/networks/${part(name)}`)
        cli.out(`${name}\n`)
      } catch (error) {
        if (flags.force && isNotFound(error)) continue
        cli.err(`${messageOf(error)}\n`)
        failed = true
      }
    }
    if (failed) throw new ExitError(1, 'exit status 1')
  },
})
