/** `context rm`. */
import { ContextStore } from '../client/contexts.ts'
import { atLeast, defineCommand } from '../command.ts'
import { saveConfig } from '../config-file.ts'
import { ExitError } from '../exit-error.ts'
import { bool } from '../options/flags.ts'

export default defineCommand({
  usage: 'CONTEXT [CONTEXT...]',
  short: 'Remove contexts',
  aliases: ['docker context rm', 'docker context remove'],
  args: atLeast(1),
  flags: { force: bool('f', 'Remove even the context in use') },
  async run({ cli, args, flags }) {
    const store = new ContextStore(cli.configDir)
    const current = cli.contextName()
    const errors: string[] = []
    for (const name of args) {
      if (name === 'default') errors.push('context "default" cannot be removed')
      else if (!store.exists(name) && !flags.force) errors.push(`context ${JSON.stringify(name)} does not exist`)
      else if (name === current && !flags.force)
        errors.push(`context ${JSON.stringify(name)} is in use, set -f flag to force remove`)
      else {
        if (cli.config.currentContext === name) {
          const { currentContext: _, ...rest } = cli.config
          saveConfig(cli.configDir, rest)
        }
        store.remove(name)
        cli.out(`${name}\n`)
      }
    }
    if (errors.length > 0) throw new ExitError(1, errors.join('\n'))
  },
})
