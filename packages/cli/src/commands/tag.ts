/** `tag`: gives an image another name. */
import { defineCommand, exactly } from '../command.ts'
import { fullName, parseReference } from '../options/reference.ts'
import { part } from './shared.ts'

export default defineCommand({
  usage: 'SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]',
  short: 'Give an image another name',
  aliases: ['docker image tag', 'docker tag'],
  args: exactly(2),
  flags: {},
  async run({ cli, args }) {
    const [source = '', target = ''] = args
    const reference = reason(target, `Error parsing reference: ${JSON.stringify(target)} is not a valid repository/tag`)
    if (reference.digest !== '') throw new Error('refusing to create a tag with a digest reference')
    const query = { repo: fullName(reference), tag: reference.tag || 'latest' }
    await (await cli.api()).call('POST', `/images/${part(source)}/tag`, { query })
  },
})

function reason(text: string, prefix: string) {
  try {
    return parseReference(text)
  } catch (error) {
    throw new Error(`${prefix}: ${(error as Error).message}`)
  }
}
