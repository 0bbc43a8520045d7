/** `start`: starts stopped containers, and joins one of them with `-a` or `-i`. */

import type { Cli } from '../cli.ts'
import type { ContainerInspect } from '../client/wire.ts'
import { atLeast, defineCommand } from '../command.ts'
import { ExitError, messageOf } from '../exit-error.ts'
import { bool, string } from '../options/flags.ts'
import { joinStreams } from '../terminal/hijacked-stream.ts'
import { requireTerminal } from '../terminal/require-terminal.ts'
import { followTerminalSize, terminalSize } from '../terminal/resize.ts'
import { forwardSignals } from '../terminal/signals.ts'
import { awaitExit } from './await-exit.ts'
import { containerPath } from './shared.ts'

export default defineCommand({
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  short: 'Start stopped containers',
  aliases: ['docker container start', 'docker start'],
  args: atLeast(1),
  flags: {
    attach: bool('a', 'Show the output and pass signals on'),
    'detach-keys': string('', 'Keys that leave the container'),
    interactive: bool('i', "Connect this input to the container's"),
  },
  async run({ cli, args, flags }) {
    if (!flags.attach && !flags.interactive) return startAll(cli, args)
    if (args.length > 1) throw new ExitError(1, 'you cannot start and attach multiple containers at once')
    await startAttached(cli, args[0] ?? '', {
      interactive: flags.interactive,
      detachKeys: flags['detach-keys'] || (cli.config.detachKeys ?? ''),
    })
  },
})

async function startAll(cli: Cli, names: readonly string[]): Promise<void> {
  const api = await cli.api()
  const failed: string[] = []
  for (const name of names) {
    try {
      await api.call('POST', `${containerPath(name)}/start`)
      cli.out(`${name}\n`)
    } catch (error) {
      cli.err(`${messageOf(error)}\n`)
      failed.push(name)
    }
  }
  if (failed.length > 0) throw new ExitError(1, `Error: failed to start containers: ${failed.join(', ')}`)
}

async function startAttached(
  cli: Cli,
  name: string,
  options: { interactive: boolean; detachKeys: string },
): Promise<void> {
  const api = await cli.api()
  const container = await api.json<ContainerInspect>('GET', `${containerPath(name)}/json`)
  const { Tty: tty, OpenStdin } = container.Config
  const path = `/containers/${container.Id}`
  const stdin = options.interactive && OpenStdin
  requireTerminal(stdin, tty)
  const stopForwarding = tty ? () => {} : forwardSignals(api, container.Id)
  const query = {
    stream: 1,
    stdin: stdin ? 1 : undefined,
    stdout: 1,
    stderr: 1,
    detachKeys: options.detachKeys || undefined,
  }
  const connection = await api.hijack(`${path}/attach`, { query })
  const joined = joinStreams(cli, connection, {
    tty,
    stdin,
    stdout: true,
    stderr: true,
    detachKeys: options.detachKeys,
  })
  joined.catch(() => {})
  const exit = await awaitExit(api, container.Id, container.HostConfig.AutoRemove)
  try {
    await api.call('POST', `${path}/start`)
  } catch (error) {
    if (container.HostConfig.AutoRemove) await exit.code.catch(() => {})
    throw error
  }
  if (tty && terminalSize()[0] > 0) followTerminalSize(api, path)
  const end = await joined
  stopForwarding()
  if (end === 'detached') return
  const code = await exit.code
  if (code !== 0) throw new ExitError(code)
}
