/** `volume create`. */
import { atMost, defineCommand } from '../command.ts'
import { ExitError } from '../exit-error.ts'
import { checkLabel, toMap } from '../options/env.ts'
import { list, map, string } from '../options/flags.ts'

export default defineCommand({
  usage: '[OPTIONS] [VOLUME]',
  short: 'Create a volume',
  args: atMost(1),
  flags: {
    driver: string('d', 'Volume driver', 'local'),
    label: list('', 'Set a label', checkLabel),
    name: string('', 'Name of the volume', '', { hidden: true }),
    opt: map('o', 'Option of the driver'),
  },
  async run({ cli, args, flags }) {
    if (args.length > 0 && flags.name !== '')
      throw new ExitError(
        1,
        'conflicting options: cannot specify a volume-name through both --name and as a positional arg',
      )
    const name = args[0] ?? flags.name
    const body = {
      Driver: flags.driver,
      ...(Object.keys(flags.opt).length > 0 ? { DriverOpts: flags.opt } : {}),
      ...(flags.label.length > 0 ? { Labels: toMap(flags.label) } : {}),
      ...(name === '' ? {} : { Name: name }),
    }
    const { Name } = await (await cli.api()).json<{ Name: string }>('POST', '/volumes/create', { json: body })
    cli.out(`${Name}\n`)
  },
})
