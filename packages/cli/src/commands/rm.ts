/** `rm`: removes containers. */
import { isNotFound } from '../client/errors.ts'
import { atLeast, defineCommand } from '../command.ts'
import { ExitError } from '../exit-error.ts'
import { bool } from '../options/flags.ts'
import { containerPath, forEach } from './shared.ts'

export default defineCommand({
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  short: 'Remove containers',
  aliases: ['docker container rm', 'docker container remove', 'docker rm'],
  args: atLeast(1),
  flags: {
    force: bool('f', 'Kill a running container first'),
    link: bool('l', 'Remove the link of this name'),
    removed: bool('', 'Delete what is kept of a container that was removed'),
    volumes: bool('v', "Remove the container's anonymous volumes too"),
  },
  async run({ cli, args, flags }) {
    const on = (wanted: boolean) => (wanted ? 1 : undefined)
    const query = { force: on(flags.force), link: on(flags.link), v: on(flags.volumes), removed: on(flags.removed) }
    let missing = 0
    let failed = 0
    const remove = async (name: string) => {
      const api = await cli.api()
      try {
        await api.call('DELETE', containerPath(name.replace(/^\//, '')), { query })
      } catch (error) {
        failed++
        if (isNotFound(error)) missing++
        throw error
      }
    }
    try {
      await forEach(cli, args, remove, { parallel: true })
    } catch (error) {
      // With --force the wish is that the container be gone, and a missing one is.
      if (flags.force && failed === missing && error instanceof ExitError) throw new ExitError(0, error.message)
      throw error
    }
  },
})
