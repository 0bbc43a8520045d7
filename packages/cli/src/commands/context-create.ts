/** `context create`. */
import { type ContextMeta, ContextStore } from '../client/contexts.ts'
import { defineCommand, exactly } from '../command.ts'
import { string } from '../options/flags.ts'
import { applyEndpoint, checkContextName, defaultEndpoint, endpointFlag } from './context-shared.ts'

export default defineCommand({
  usage: '[OPTIONS] CONTEXT',
  short: 'Create a context',
  args: exactly(1),
  flags: {
    description: string('', 'Description of the context'),
    docker: endpointFlag(),
    from: string('', 'Context to take the settings from'),
  },
  async run({ cli, args, flags }) {
    const name = args[0] ?? ''
    checkContextName(name)
    const store = new ContextStore(cli.configDir)
    if (store.exists(name)) throw new Error(`context ${JSON.stringify(name)} already exists`)
    const meta: ContextMeta = {
      Name: name,
      Metadata: flags.description ? { Description: flags.description } : {},
      Endpoints: {},
    }
    let files: Record<string, Buffer> | undefined
    if (Object.keys(flags.docker).length > 0) files = applyEndpoint(cli, meta, flags.docker)
    else {
      const current = flags.from || cli.contextName()
      meta.Endpoints.docker =
        current === 'default' ? defaultEndpoint() : (store.read(current).Endpoints.docker ?? { SkipTLSVerify: false })
    }
    store.write(meta)
    if (files) store.writeTls(name, files)
    cli.out(`${name}\n`)
    cli.err(`Successfully created context ${JSON.stringify(name)}\n`)
  },
})
