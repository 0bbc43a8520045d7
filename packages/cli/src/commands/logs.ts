/** `logs`: shows what a container has written. */
import { copyRaw, demultiplex, sourceOf } from '../client/streams.ts'
import type { ContainerInspect } from '../client/wire.ts'
import { defineCommand, exactly } from '../command.ts'
import { bool, string } from '../options/flags.ts'
import { parseTimestamp } from '../options/timestamps.ts'
import { containerPath } from './shared.ts'

export default defineCommand({
  usage: '[OPTIONS] CONTAINER',
  short: 'Show what a container has written',
  aliases: ['docker container logs', 'docker logs'],
  args: exactly(1),
  flags: {
    details: bool('', 'Show the attributes that the log driver recorded'),
    follow: bool('f', 'Go on showing what is written'),
    removed: bool('', 'Show what is kept of a container that was removed'),
    since: string('', 'Show what was written since a time ("2013-01-02T13:23:37Z") or for so long ("42m")'),
    tail: string('n', 'Show this many lines from the end', 'all'),
    timestamps: bool('t', 'Show when each line was written'),
    until: string('', 'Show what was written before a time ("2013-01-02T13:23:37Z") or until so long ago ("42m")'),
  },
  async run({ cli, args, flags }) {
    const path = containerPath(args[0] ?? '')
    const api = await cli.api()
    // Of one that was removed nothing can be inspected; the reply tells whether it had a terminal.
    const container = flags.removed ? undefined : await api.json<ContainerInspect>('GET', `${path}/json`)
    const time = (name: 'since' | 'until') => {
      try {
        return parseTimestamp(flags[name], new Date()) || undefined
      } catch {
        throw new Error(
          `invalid value for ${JSON.stringify(name)}: failed to parse value as time or duration: ${JSON.stringify(flags[name])}`,
        )
      }
    }
    const on = (wanted: boolean) => (wanted ? 1 : undefined)
    const query = {
      stdout: 1,
      stderr: 1,
      since: time('since'),
      until: time('until'),
      timestamps: on(flags.timestamps),
      details: on(flags.details),
      follow: on(flags.follow),
      tail: flags.tail,
      removed: on(flags.removed),
    }
    const reply = await api.request(
      'GET',
      container === undefined ? `${path}/logs` : `/containers/${container.Id}/logs`,
      { query },
    )
    const source = sourceOf(reply.body)
    const out = (bytes: Uint8Array) => cli.out(bytes)
    const tty = container?.Config.Tty ?? /raw-stream/.test(String(reply.headers['content-type']))
    if (tty) return copyRaw(source, out)
    await demultiplex(source, { out, err: (bytes) => cli.err(bytes) })
  },
})
