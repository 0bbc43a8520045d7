/** `why`: tells why a container's last runs ended. dockerd-ts's own: Docker has no such command. */
import { defineCommand, exactly } from '../command.ts'
import { containerPath } from './shared.ts'

interface Run {
  StartedAt: string
  FinishedAt: string
  ExitCode: number
  Explanation: string
  LastLines: string[]
}

export default defineCommand({
  usage: 'CONTAINER',
  short: 'Tell why the last runs of a container ended',
  aliases: ['docker container why', 'docker why'],
  args: exactly(1),
  flags: {},
  async run({ cli, args }) {
    const api = await cli.api()
    const why = await api.json<{ Name: string; Status: string; Error: string; RemovedAt?: string; Runs: Run[] }>(
      'GET',
      `${containerPath(args[0] ?? '')}/why`,
    )
    const removed = why.RemovedAt === undefined ? '' : `, removed ${why.RemovedAt}`
    const lines = [`${why.Name.slice(1)}: ${why.Status}${removed}${why.Error === '' ? '' : ` (${why.Error})`}`]
    if (why.Runs.length === 0) lines.push('It has not ended yet.')
    for (const run of why.Runs) {
      lines.push('', `${run.StartedAt} to ${run.FinishedAt}`, `  ${run.Explanation}`)
      if (run.LastLines.length > 0) lines.push('  Last output:', ...run.LastLines.map((line) => `    ${line}`))
    }
    cli.out(`${lines.join('\n')}\n`)
  },
})
