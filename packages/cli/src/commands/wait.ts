/** `wait`: prints containers' exit codes when they stop. */
import { atLeast, defineCommand } from '../command.ts'
import { containerPath, forEach } from './shared.ts'

export default defineCommand({
  usage: 'CONTAINER [CONTAINER...]',
  short: 'Wait until containers stop and print their exit codes',
  aliases: ['docker container wait', 'docker wait'],
  args: atLeast(1),
  flags: {},
  async run({ cli, args }) {
    const codes = new Map<string, number>()
    const wait = async (name: string) => {
      const api = await cli.api()
      const answer = await api.json<{ StatusCode: number; Error?: { Message: string } | null }>(
        'POST',
        `${containerPath(name)}/wait`,
      )
      if (answer.Error?.Message) throw new Error(answer.Error.Message)
      codes.set(name, answer.StatusCode)
    }
    await forEach(cli, args, wait, { success: (name) => String(codes.get(name)) })
  },
})
