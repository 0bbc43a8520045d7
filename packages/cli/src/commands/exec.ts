/** `exec`: runs a command in a running container. */
import type { Cli } from '../cli.ts'
import { atLeast, defineCommand } from '../command.ts'
import { ExitError } from '../exit-error.ts'
import { collectEnv, resolveEnv } from '../options/env.ts'
import { bool, list, string } from '../options/flags.ts'
import { joinStreams } from '../terminal/hijacked-stream.ts'
import { requireTerminal } from '../terminal/require-terminal.ts'
import { followTerminalSize, terminalSize } from '../terminal/resize.ts'
import { containerPath } from './shared.ts'

interface ExecBody {
  User: string
  Privileged: boolean
  Tty: boolean
  ConsoleSize?: [number, number]
  AttachStdin: boolean
  AttachStderr: boolean
  AttachStdout: boolean
  DetachKeys: string
  Env: string[] | null
  Detach?: true
  WorkingDir: string
  Cmd: string[]
}

export default defineCommand({
  usage: '[OPTIONS] CONTAINER COMMAND [ARG...]',
  short: 'Run a command in a running container',
  aliases: ['docker container exec', 'docker exec'],
  args: atLeast(2),
  interspersed: false,
  flags: {
    detach: bool('d', 'Run the command in the background'),
    'detach-keys': string('', 'Keys that leave the command'),
    env: list('e', 'Set an environment variable', resolveEnv),
    'env-file': list('', 'Read environment variables from a file'),
    interactive: bool('i', 'Keep standard input open even if not attached'),
    privileged: bool('', 'Give the command all rights'),
    tty: bool('t', 'Give the command a terminal'),
    user: string('u', 'User name or id (<name|uid>[:<group|gid>])'),
    workdir: string('w', 'Working directory in the container'),
  },
  async run({ cli, args, flags }) {
    const [name = '', ...command] = args
    const size = terminalSize()
    const env = collectEnv(flags['env-file'], flags.env)
    const body: ExecBody = {
      User: flags.user,
      Privileged: flags.privileged,
      Tty: flags.tty,
      ...(flags.tty ? { ConsoleSize: size } : {}),
      AttachStdin: !flags.detach && flags.interactive,
      AttachStderr: !flags.detach,
      AttachStdout: !flags.detach,
      DetachKeys: flags['detach-keys'] || (cli.config.detachKeys ?? ''),
      Env: env.length > 0 ? env : null,
      ...(flags.detach ? { Detach: true } : {}),
      WorkingDir: flags.workdir,
      Cmd: command,
    }
    const api = await cli.api()
    // A missing or stopped container is reported before anything about the terminal is.
    await api.json('GET', `${containerPath(name)}/json`)
    if (!flags.detach) requireTerminal(body.AttachStdin, body.Tty)
    const { Id } = await api.json<{ Id: string }>('POST', `${containerPath(name)}/exec`, { json: body })
    if (Id === '') throw new Error('exec ID empty')
    const start = {
      Detach: flags.detach,
      Tty: flags.tty,
      ...(body.ConsoleSize ? { ConsoleSize: body.ConsoleSize } : {}),
    }
    if (flags.detach) return api.call('POST', `/exec/${Id}/start`, { json: start })
    await runAttached(cli, Id, body, start)
  },
})

async function runAttached(cli: Cli, id: string, body: ExecBody, start: object): Promise<void> {
  const api = await cli.api()
  const connection = await api.hijack(`/exec/${id}/start`, { json: start })
  if (body.Tty && terminalSize()[0] > 0) followTerminalSize(api, `/exec/${id}`)
  const end = await joinStreams(cli, connection, {
    tty: body.Tty,
    stdin: body.AttachStdin,
    stdout: true,
    stderr: true,
    detachKeys: body.DetachKeys,
  })
  if (end === 'detached') throw new ExitError(1, 'read escape sequence')
  const { ExitCode } = await api.json<{ ExitCode: number | null }>('GET', `/exec/${id}/json`)
  if (ExitCode) throw new ExitError(ExitCode)
}
