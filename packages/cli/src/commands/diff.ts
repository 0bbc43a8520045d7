/** `diff`: shows what changed in a container's filesystem. */
import { defineCommand, exactly } from '../command.ts'
import { ExitError } from '../exit-error.ts'
import { containerPath } from './shared.ts'

const KINDS = ['C', 'A', 'D']

export default defineCommand({
  usage: 'CONTAINER',
  short: "Show what changed in a container's filesystem",
  aliases: ['docker container diff', 'docker diff'],
  args: exactly(1),
  flags: {},
  async run({ cli, args }) {
    if (args[0] === '') throw new ExitError(1, 'Container name cannot be empty')
    const changes = await (await cli.api()).json<{ Path: string; Kind: number }[] | null>(
      'GET',
      `${containerPath(args[0] ?? '')}/changes`,
    )
    cli.out((changes ?? []).map(({ Kind, Path }) => `${KINDS[Kind] ?? ''} ${Path}\n`).join(''))
  },
})
