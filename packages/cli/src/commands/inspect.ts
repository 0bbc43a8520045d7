/** `inspect`: finds objects of any kind by name or id. */

import type { Cli } from '../cli.ts'
import { isNotFound } from '../client/errors.ts'
import { atLeast, defineCommand } from '../command.ts'
import { ExitError } from '../exit-error.ts'
import { type Inspected, inspectObjects } from '../format/inspect.ts'
import { fetchObject, type InspectOptions, type Kind } from '../format/inspect-sources.ts'
import { bool, string } from '../options/flags.ts'
import { formatFlag } from '../options/format-flag.ts'

const KINDS: Kind[] = ['container', 'image', 'network', 'volume']

export default defineCommand({
  usage: '[OPTIONS] NAME|ID [NAME|ID...]',
  short: 'Show all details of Docker objects',
  args: atLeast(1),
  flags: {
    format: formatFlag('f', false),
    removed: bool('', 'Show what is kept of a container that was removed'),
    size: bool('s', "Show the sizes of containers' file systems"),
    type: string('', 'Look only for objects of this type'),
  },
  async run({ cli, args, flags, given }) {
    if (given('type') && flags.type === '')
      throw new ExitError(
        1,
        'type is empty: must be one of "config", "container", "image", "network", "node", "plugin", "secret", "service", "task", "volume"',
      )
    if (flags.type !== '' && !KINDS.includes(flags.type as Kind)) {
      throw new ExitError(
        1,
        `unknown type: ${JSON.stringify(flags.type)}: must be one of "config", "container", "image", "network", "node", "plugin", "secret", "service", "task", "volume"`,
      )
    }
    if (flags.removed && flags.type !== '' && flags.type !== 'container')
      throw new ExitError(1, 'conflicting options: --removed is about containers')
    const kinds = flags.removed ? (['container'] as Kind[]) : flags.type === '' ? KINDS : [flags.type as Kind]
    await inspectObjects(cli, {
      references: args,
      format: flags.format,
      fetch: (name) => find(cli, name, kinds, { size: flags.size, removed: flags.removed }),
    })
  },
})

async function find(cli: Cli, name: string, kinds: Kind[], options: InspectOptions): Promise<Inspected> {
  const api = await cli.api()
  for (const kind of kinds) {
    try {
      return await fetchObject(api, kind, name, options)
    } catch (error) {
      if (!isNotFound(error) || kinds.length === 1) throw error
    }
  }
  throw new Error(`Error: No such object: ${name}`)
}
