/** `top`: shows a container's processes. */
import { atLeast, defineCommand } from '../command.ts'
import { alignTabs } from '../format/tabs.ts'
import { containerPath } from './shared.ts'

const PROCESS_TABLE = { minWidth: 20, padding: 3 }

export default defineCommand({
  usage: 'CONTAINER [ps OPTIONS]',
  short: "Show a container's processes",
  aliases: ['docker container top', 'docker top'],
  args: atLeast(1),
  interspersed: false,
  flags: {},
  async run({ cli, args }) {
    const [name = '', ...psArgs] = args
    const api = await cli.api()
    const query = { ps_args: psArgs.length > 0 ? psArgs.join(' ') : undefined }
    const { Titles, Processes } = await api.json<{ Titles: string[]; Processes: string[][] | null }>(
      'GET',
      `${containerPath(name)}/top`,
      { query },
    )
    const lines = [Titles, ...(Processes ?? [])].map((cells) => `${cells.join('\t')}\n`)
    cli.out(alignTabs(lines.join(''), PROCESS_TABLE))
  },
})
