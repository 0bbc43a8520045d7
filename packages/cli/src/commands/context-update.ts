/** `context update`. */
import { ContextStore } from '../client/contexts.ts'
import { defineCommand, exactly } from '../command.ts'
import { string } from '../options/flags.ts'
import { applyEndpoint, checkContextName, endpointFlag } from './context-shared.ts'

export default defineCommand({
  usage: '[OPTIONS] CONTEXT',
  short: 'Change a context',
  args: exactly(1),
  flags: { description: string('', 'Description of the context'), docker: endpointFlag() },
  async run({ cli, args, flags }) {
    const name = args[0] ?? ''
    checkContextName(name)
    const store = new ContextStore(cli.configDir)
    const meta = store.read(name)
    if (flags.description) meta.Metadata.Description = flags.description
    const files = Object.keys(flags.docker).length > 0 ? applyEndpoint(cli, meta, flags.docker) : undefined
    store.write(meta)
    if (files) store.writeTls(name, files)
    cli.out(`${name}\n`)
    cli.err(`Successfully updated context ${JSON.stringify(name)}\n`)
  },
})
