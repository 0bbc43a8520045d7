/** `run`: create, attach, wait, start, in that order, so that no output and no exit code can be missed. */

import type { Cli } from '../cli.ts'
import type { ApiClient } from '../client/api-client.ts'
import type { Connection } from '../client/http.ts'
import { atLeast, defineCommand } from '../command.ts'
import { ExitError, messageOf, withHelp } from '../exit-error.ts'
import { containerFlags } from '../options/container-flags.ts'
import { type CreateBody, createBody } from '../options/create-body.ts'
import { bool, string } from '../options/flags.ts'
import { proxyEnvironment } from '../options/proxy-env.ts'
import { type JoinEnd, joinStreams } from '../terminal/hijacked-stream.ts'
import { requireTerminal } from '../terminal/require-terminal.ts'
import { followTerminalSize, terminalSize } from '../terminal/resize.ts'
import { forwardSignals } from '../terminal/signals.ts'
import { awaitExit } from './await-exit.ts'
import { checkPullPolicy, createContainer } from './create-container.ts'

const USAGE_CODE = 125

export default defineCommand({
  usage: '[OPTIONS] IMAGE [COMMAND] [ARG...]',
  short: 'Create a container from an image and start it',
  aliases: ['docker container run', 'docker run'],
  args: atLeast(1),
  interspersed: false,
  flags: {
    ...containerFlags,
    detach: bool('d', 'Run in the background and print the container id'),
    'detach-keys': string('', 'Keys that leave the container'),
    'sig-proxy': bool('', 'Pass signals on to the process', true),
  },
  async run({ cli, args, flags, given }) {
    const [image = '', ...command] = args
    let body: CreateBody
    try {
      checkPullPolicy(flags.pull)
      body = createBody({
        flags,
        given,
        image,
        command,
        presetEnv: proxyEnvironment(cli.config, (await cli.address()).host),
        consoleSize: terminalSize(),
      })
    } catch (error) {
      throw error instanceof ExitError ? error : withHelp(messageOf(error), 'run', USAGE_CODE)
    }
    if (flags.detach) {
      if (flags.attach.length > 0)
        throw new ExitError(1, 'conflicting options: cannot specify both --attach and --detach')
      Object.assign(body, { AttachStdin: false, AttachStdout: false, AttachStderr: false, StdinOnce: false })
    } else requireTerminal(body.AttachStdin, body.Tty)
    const request = {
      body,
      name: flags.name,
      platform: flags.platform,
      pull: flags.pull,
      quiet: flags.quiet,
      cidfile: flags.cidfile,
    }
    let id: string
    try {
      id = await createContainer(cli, request)
    } catch (error) {
      throw statusError(error)
    }
    await runCreated(cli, id, {
      body,
      detachKeys: flags['detach-keys'] || (cli.config.detachKeys ?? ''),
      signals: flags['sig-proxy'] && !flags.detach,
    })
  },
})

interface RunOptions {
  body: CreateBody
  detachKeys: string
  signals: boolean
}

async function runCreated(cli: Cli, id: string, { body, detachKeys, signals }: RunOptions): Promise<void> {
  const api = await cli.api()
  const attached = body.AttachStdin || body.AttachStdout || body.AttachStderr
  const stopForwarding = signals ? forwardSignals(api, id) : () => {}
  const joined = attached
    ? joinStreams(cli, await attach(api, id, body, detachKeys), joinOptions(body, detachKeys))
    : undefined
  // Failures show up below; until then they must not end the program.
  joined?.catch(() => {})
  const exit = await awaitExit(api, id, body.HostConfig.AutoRemove)
  try {
    await api.call('POST', `/containers/${id}/start`)
  } catch (error) {
    if (body.HostConfig.AutoRemove) await exit.code.catch(() => {})
    throw statusError(error)
  }
  if (!body.AttachStdout && !body.AttachStderr) cli.out(`${id}\n`)
  if (!joined) return
  if (body.Tty && terminalSize()[0] > 0) followTerminalSize(api, `/containers/${id}`)
  const end: JoinEnd = await joined
  stopForwarding()
  if (end === 'detached') return
  const code = await exit.code
  if (code !== 0) throw new ExitError(code)
}

function attach(api: ApiClient, id: string, body: CreateBody, detachKeys: string): Promise<Connection> {
  const on = (wanted: boolean) => (wanted ? 1 : undefined)
  const query = {
    stream: 1,
    stdin: on(body.AttachStdin),
    stdout: on(body.AttachStdout),
    stderr: on(body.AttachStderr),
    detachKeys: detachKeys || undefined,
  }
  return api.hijack(`/containers/${id}/attach`, { query })
}

function joinOptions(body: CreateBody, detachKeys: string) {
  return { tty: body.Tty, stdin: body.AttachStdin, stdout: body.AttachStdout, stderr: body.AttachStderr, detachKeys }
}

const NOT_FOUND_TEXTS = [
  'executable file not found',
  'no such file or directory',
  'system cannot find the file specified',
]
const NOT_RUNNABLE_TEXTS = ['permission denied', 'is a directory']

/** The exit code a shell would give: 127 for a missing program, 126 for one that cannot be run, else 125. */
function statusError(error: unknown): ExitError {
  const message = messageOf(error)
  const has = (texts: string[]) => texts.some((text) => message.includes(text))
  return withHelp(message, 'run', has(NOT_FOUND_TEXTS) ? 127 : has(NOT_RUNNABLE_TEXTS) ? 126 : 125)
}
