/** `context show`. */
import { defineCommand, noArguments } from '../command.ts'

export default defineCommand({
  usage: '',
  short: 'Print the name of the context in use',
  args: noArguments,
  flags: {},
  async run({ cli }) {
    cli.out(`${cli.contextName()}\n`)
  },
})
