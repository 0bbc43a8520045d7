/** `commit`: makes an image of a container's changes. */
import { between, defineCommand } from '../command.ts'
import { bool, list, string } from '../options/flags.ts'
import { fullName, parseReference, withDefaultTag } from '../options/reference.ts'

export default defineCommand({
  usage: '[OPTIONS] CONTAINER [REPOSITORY[:TAG]]',
  short: "Make an image of a container's changes",
  aliases: ['docker container commit', 'docker commit'],
  args: between(1, 2),
  flags: {
    author: string('a', 'Author of the image'),
    change: list('c', 'Dockerfile instruction to apply'),
    message: string('m', 'Message to keep with the image'),
    pause: bool('p', 'Freeze the container meanwhile', true),
  },
  async run({ cli, args, flags }) {
    const [container = '', target = ''] = args
    const reference = target === '' ? undefined : withDefaultTag(parseReference(target))
    if (reference?.digest) throw new Error('refusing to create a tag with a digest reference')
    const query = {
      container,
      repo: reference && fullName(reference),
      tag: reference?.tag,
      comment: flags.message || undefined,
      author: flags.author || undefined,
      changes: flags.change.length > 0 ? flags.change : undefined,
      pause: flags.pause ? undefined : 0,
    }
    const { Id } = await (await cli.api()).json<{ Id: string }>('POST', '/commit', { query })
    cli.out(`${Id}\n`)
  },
})
