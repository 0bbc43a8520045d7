/** `system dial-stdio`: connects standard input and output to the daemon, for `ssh://` hosts. */
import { dial } from '../client/dial.ts'
import { write } from '../client/http.ts'
import { defineCommand, noArguments } from '../command.ts'
import { stdinChunks } from './shared.ts'

export default defineCommand({
  usage: '',
  short: 'Connect standard input and output to the daemon',
  args: noArguments,
  flags: {},
  async run({ cli }) {
    const socket = await dial(await cli.address())
    const input = async () => {
      for await (const chunk of stdinChunks()) await write(socket, chunk)
      socket.end()
    }
    input().catch(() => socket.destroy())
    for await (const chunk of socket) cli.out(chunk as Buffer)
  },
})
