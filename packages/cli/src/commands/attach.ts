/** `attach`: joins a running container. */
import type { ContainerInspect } from '../client/wire.ts'
import { defineCommand, exactly } from '../command.ts'
import { ExitError } from '../exit-error.ts'
import { bool, string } from '../options/flags.ts'
import { joinStreams } from '../terminal/hijacked-stream.ts'
import { requireTerminal } from '../terminal/require-terminal.ts'
import { followTerminalSize, terminalSize } from '../terminal/resize.ts'
import { forwardSignals } from '../terminal/signals.ts'
import { containerPath } from './shared.ts'

export default defineCommand({
  usage: '[OPTIONS] CONTAINER',
  short: 'Join a running container: its output here, this input there',
  aliases: ['docker container attach', 'docker attach'],
  args: exactly(1),
  flags: {
    'detach-keys': string('', 'Keys that leave the container'),
    'no-stdin': bool('', 'Do not send standard input'),
    'sig-proxy': bool('', 'Pass signals on to the process', true),
  },
  async run({ cli, args, flags }) {
    const path = containerPath(args[0] ?? '')
    const api = await cli.api()
    // Registered first: the container may end the moment it is joined.
    const waiting = api.request('POST', `${path}/wait`)
    waiting.catch(() => {})
    const container = await api.json<ContainerInspect>('GET', `${path}/json`)
    checkJoinable(container)
    const detachKeys = flags['detach-keys'] || (cli.config.detachKeys ?? '')
    const stdin = !flags['no-stdin'] && container.Config.OpenStdin
    const tty = container.Config.Tty
    requireTerminal(!flags['no-stdin'] && stdin, tty)
    const query = { stream: 1, stdin: stdin ? 1 : undefined, stdout: 1, stderr: 1, detachKeys: detachKeys || undefined }
    const stopForwarding = flags['sig-proxy'] && !tty ? forwardSignals(api, container.Id) : () => {}
    const connection = await api.hijack(`${path}/attach`, { query })
    if (tty && terminalSize()[0] > 0) followTerminalSize(api, path, true)
    const end = await joinStreams(cli, connection, { tty, stdin, stdout: true, stderr: true, detachKeys })
    stopForwarding()
    if (end === 'detached') throw new ExitError(1, 'read escape sequence')
    const { collect } = await import('../client/api-client.ts')
    const answer = JSON.parse((await collect((await waiting).body, 65_536)).toString()) as { StatusCode: number }
    if (answer.StatusCode !== 0) throw new ExitError(answer.StatusCode)
  },
})

function checkJoinable({ State }: ContainerInspect): void {
  if (!State.Running) throw new Error('You cannot attach to a stopped container, start it first')
  if (State.Paused) throw new Error('You cannot attach to a paused container, unpause it first')
  if (State.Restarting) throw new Error('You cannot attach to a restarting container, wait until it is running')
}
