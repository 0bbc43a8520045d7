/** `context inspect`. */
import { existsSync, readdirSync } from 'node:fs'
import type { Cli } from '../cli.ts'
import { ContextStore } from '../client/contexts.ts'
import { anyArguments, defineCommand } from '../command.ts'
import { describe, type TypeTable } from '../format/go-types.ts'
import { type Inspected, inspectObjects } from '../format/inspect.ts'
import { formatFlag } from '../options/format-flag.ts'
import { defaultEndpoint } from './context-shared.ts'

const types: TypeTable = {
  Context: describe(
    'context.contextWithTLSListing',
    'Name string Name,omitempty',
    'Metadata any',
    'Endpoints map[]any Endpoints,omitempty',
    'TLSMaterial map[][]string',
    'Storage Storage',
  ),
  Storage: describe('store.StorageInfo', 'MetadataPath string', 'TLSPath string'),
}

export default defineCommand({
  usage: '[OPTIONS] [CONTEXT] [CONTEXT...]',
  short: 'Show all details of contexts',
  args: anyArguments,
  flags: { format: formatFlag('f', false) },
  async run({ cli, args, flags }) {
    const references = args.length > 0 ? args : [cli.contextName()]
    await inspectObjects(cli, { references, format: flags.format, fetch: async (name) => read(cli, name) })
  },
})

function read(cli: Cli, name: string): Inspected {
  const object = name === 'default' ? defaultContext() : storedContext(cli, name)
  // Go's encoder writes these characters so that they are safe in HTML, and the text is shown as it comes.
  const raw = JSON.stringify(object).replace(/[<>&]/g, (letter) => `\\u00${letter.charCodeAt(0).toString(16)}`)
  return { raw, type: 'Context', table: async () => types }
}

function defaultContext() {
  return {
    Name: 'default',
    Metadata: {},
    Endpoints: { docker: defaultEndpoint() },
    TLSMaterial: {},
    Storage: { MetadataPath: '<IN MEMORY>', TLSPath: '<IN MEMORY>' },
  }
}

function storedContext(cli: Cli, name: string) {
  const store = new ContextStore(cli.configDir)
  const meta = store.read(name)
  const tls = store.tlsDir(name)
  const material = existsSync(tls)
    ? Object.fromEntries(readdirSync(tls).map((endpoint) => [endpoint, readdirSync(`${tls}/${endpoint}`)]))
    : {}
  return { ...meta, TLSMaterial: material, Storage: { MetadataPath: store.metadataDir(name), TLSPath: tls } }
}
