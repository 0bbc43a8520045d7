/** `export`: writes a container's filesystem as a tar archive. */
import { defineCommand, exactly } from '../command.ts'
import { string } from '../options/flags.ts'
import { checkOutput, writeOutput } from './output-file.ts'
import { containerPath } from './shared.ts'

export default defineCommand({
  usage: '[OPTIONS] CONTAINER',
  short: "Write a container's filesystem as a tar archive",
  aliases: ['docker container export', 'docker export'],
  args: exactly(1),
  flags: { output: string('o', 'Write to this file in place of standard output') },
  async run({ cli, args, flags }) {
    checkOutput(flags.output, 'export container')
    const reply = await (await cli.api()).request('GET', `${containerPath(args[0] ?? '')}/export`)
    await writeOutput(cli, flags.output, reply.body)
  },
})
