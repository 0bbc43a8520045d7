/** What `stop` and `restart` share: a signal, a time to wait, several containers at once. */
import { atLeast, type Command, defineCommand } from '../command.ts'
import { ExitError } from '../exit-error.ts'
import { int, string } from '../options/flags.ts'
import { containerPath, forEach } from './shared.ts'

export function stopCommand(verb: 'stop' | 'restart', short: string): Command {
  return defineCommand({
    usage: '[OPTIONS] CONTAINER [CONTAINER...]',
    short,
    aliases: [`docker container ${verb}`, `docker ${verb}`],
    args: atLeast(1),
    flags: {
      signal: string('s', 'Signal to send'),
      timeout: int('t', 'Seconds to wait before the container is killed'),
      time: int('', 'Seconds to wait before the container is killed', 0, { hidden: true }),
    },
    async run({ cli, args, flags, given }) {
      if (given('time') && given('timeout'))
        throw new ExitError(1, 'conflicting options: cannot specify both --timeout and --time')
      const seconds = given('timeout') ? flags.timeout : given('time') ? flags.time : undefined
      const query = { signal: flags.signal || undefined, t: seconds }
      await forEach(cli, args, (name, api) => api.call('POST', `${containerPath(name)}/${verb}`, { query }), {
        parallel: true,
      })
    },
  })
}
