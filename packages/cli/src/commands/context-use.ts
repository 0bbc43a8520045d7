/** `context use`. */
import { ContextStore } from '../client/contexts.ts'
import { anyArguments, defineCommand } from '../command.ts'
import { saveConfig } from '../config-file.ts'
import { checkContextName, warnHostOverride } from './context-shared.ts'

export default defineCommand({
  usage: 'CONTEXT',
  short: 'Choose the context to use from now on',
  args: anyArguments,
  flags: {},
  async run({ cli, args }) {
    if (args.length !== 1) throw new Error(`accepts 1 arg(s), received ${args.length}`)
    const name = args[0] ?? ''
    if (name !== 'default') {
      checkContextName(name)
      new ContextStore(cli.configDir).read(name)
    }
    const { currentContext, ...rest } = cli.config
    if ((currentContext ?? '') !== (name === 'default' ? '' : name))
      saveConfig(cli.configDir, name === 'default' ? rest : { ...rest, currentContext: name })
    cli.out(`${name}\n`)
    cli.err(`Current context is now ${JSON.stringify(name)}\n`)
    if (name !== 'default') warnHostOverride(cli, name)
  },
})
