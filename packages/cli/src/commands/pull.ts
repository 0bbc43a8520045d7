/** `pull`: fetches an image from a registry. */
import { defineCommand, exactly } from '../command.ts'
import { bool, string } from '../options/flags.ts'
import { familiarName, fullString, isNameOnly, parseReference, withDefaultTag } from '../options/reference.ts'
import { pullImage } from './pull-image.ts'

export default defineCommand({
  usage: '[OPTIONS] NAME[:TAG|@DIGEST]',
  short: 'Fetch an image from a registry',
  aliases: ['docker image pull', 'docker pull'],
  args: exactly(1),
  flags: {
    'all-tags': bool('a', 'Fetch all tags of the repository'),
    'disable-content-trust': bool('', 'Accepted for compatibility', true),
    platform: string('', 'Platform to fetch where an image has several', process.env.DOCKER_DEFAULT_PLATFORM ?? ''),
    quiet: bool('q', 'Print only the name of the image'),
  },
  async run({ cli, args, flags }) {
    const asked = parseReference(args[0] ?? '')
    if (flags['all-tags'] && !isNameOnly(asked)) throw new Error("tag can't be used with --all-tags/-a")
    const reference = flags['all-tags'] ? asked : withDefaultTag(asked)
    if (isNameOnly(asked) && !flags['all-tags'] && !flags.quiet) cli.out(`Using default tag: ${reference.tag}\n`)
    try {
      await pullImage(cli, reference, { platform: flags.platform, quiet: flags.quiet, all: flags['all-tags'] })
    } catch (error) {
      if (/when fetching 'plugin'/.test((error as Error).message))
        throw new Error(
          `${(error as Error).message} - Use "docker plugin install" for plugins (${familiarName(asked)})`,
        )
      throw error
    }
    cli.out(`${fullString(reference)}\n`)
  },
})
