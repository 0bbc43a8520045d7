/** `rmi`: removes images. */
import { isNotFound } from '../client/errors.ts'
import { atLeast, defineCommand } from '../command.ts'
import { ExitError, messageOf } from '../exit-error.ts'
import { bool, strings } from '../options/flags.ts'
import { encodePlatform } from '../options/platform.ts'
import { part } from './shared.ts'

interface Deleted {
  Untagged?: string
  Deleted?: string
}

export default defineCommand({
  usage: '[OPTIONS] IMAGE [IMAGE...]',
  short: 'Remove images',
  aliases: ['docker image rm', 'docker image remove', 'docker rmi'],
  args: atLeast(1),
  flags: {
    force: bool('f', 'Remove even what is tagged or used by stopped containers'),
    'no-prune': bool('', 'Keep untagged parents'),
    platform: strings('', 'Remove only this platform (os[/arch[/variant]])'),
  },
  async run({ cli, args, flags }) {
    const api = await cli.api()
    const platforms = flags.platform.length > 0 ? flags.platform.map(encodePlatform) : undefined
    const query = { force: flags.force ? 1 : undefined, noprune: flags['no-prune'] ? 1 : undefined, platforms }
    const errors: string[] = []
    let fatal = false
    for (const name of args) {
      try {
        const deleted = await api.json<Deleted[]>('DELETE', `/images/${part(name)}`, { query })
        cli.out(
          deleted
            .map((item) => (item.Deleted ? `Deleted: ${item.Deleted}\n` : `Untagged: ${item.Untagged}\n`))
            .join(''),
        )
      } catch (error) {
        if (!isNotFound(error)) fatal = true
        errors.push(messageOf(error))
      }
    }
    if (errors.length > 0) throw new ExitError(flags.force && !fatal ? 0 : 1, errors.join('\n'))
  },
})
