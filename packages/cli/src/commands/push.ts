/** `push`: sends an image to a registry. */
import type { Cli } from '../cli.ts'
import { jsonValues } from '../client/api-client.ts'
import { registryAuthHeader } from '../client/registry-auth.ts'
import { defineCommand, exactly } from '../command.ts'
import { bool, string } from '../options/flags.ts'
import { encodePlatform } from '../options/platform.ts'
import { familiarString, fullName, isNameOnly, parseReference, withDefaultTag } from '../options/reference.ts'
import { type ProgressMessage, showProgress } from '../terminal/progress.ts'
import { part } from './shared.ts'

const PLATFORM_NOTE = `
 Info -> Using --platform pushes only the specified platform manifest of a multi-platform image index.
         Other components, like attestations, will not be included.
         To push the complete multi-platform image, remove the --platform flag.
         
`

function platformToPush(cli: Cli, text: string): string {
  try {
    const platform = encodePlatform(text)
    cli.out(PLATFORM_NOTE)
    return platform
  } catch (error) {
    cli.err(`Invalid platform ${text}`)
    throw error
  }
}

export default defineCommand({
  usage: '[OPTIONS] NAME[:TAG]',
  short: 'Send an image to a registry',
  aliases: ['docker image push', 'docker push'],
  args: exactly(1),
  flags: {
    'all-tags': bool('a', 'Send all tags of the repository'),
    'disable-content-trust': bool('', 'Accepted for compatibility', true),
    platform: string('', 'Platform to send where an image has several (os[/arch[/variant]])'),
    quiet: bool('q', 'Print only the name of the image'),
  },
  async run({ cli, args, flags }) {
    const platform = flags.platform === '' ? undefined : platformToPush(cli, flags.platform)
    const asked = parseReference(args[0] ?? '')
    if (flags['all-tags'] && !isNameOnly(asked)) throw new Error("tag can't be used with --all-tags/-a")
    const reference = flags['all-tags'] ? asked : withDefaultTag(asked)
    if (!flags['all-tags'] && isNameOnly(asked) && !flags.quiet) cli.out(`Using default tag: ${reference.tag}\n`)
    if (reference.digest !== '') throw new Error('cannot push a digest reference')
    const api = await cli.api()
    const reply = await api.request('POST', `/images/${part(fullName(reference))}/push`, {
      query: { tag: reference.tag, platform: platform },
      headers: { 'X-Registry-Auth': await registryAuthHeader(cli, reference.domain) },
    })
    if (!flags.quiet) return showProgress(cli, reply.body)
    for await (const message of jsonValues<ProgressMessage>(reply.body)) {
      const failure = message.errorDetail?.message ?? message.error
      if (failure !== undefined) throw new Error(failure)
    }
    cli.out(`${familiarString(reference)}\n`)
  },
})
