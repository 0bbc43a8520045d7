/** `info`: shows facts about the whole system. */
import type { Cli } from '../cli.ts'
import { defineCommand, noArguments } from '../command.ts'
import { ExitError, messageOf } from '../exit-error.ts'
import { type Json, parseExact, typed } from '../format/go-types.ts'
import { type DaemonInfo, describeDaemon, describeWarnings } from '../format/info-text.ts'
import { infoTypes } from '../format/info-types.ts'
import { formatFlag } from '../options/format-flag.ts'
import { programVersion } from '../version.ts'

const TEMPLATE_ERROR_CODE = 64

export default defineCommand({
  usage: '[OPTIONS]',
  short: 'Show facts about the whole system',
  aliases: ['docker system info', 'docker info'],
  args: noArguments,
  flags: { format: formatFlag('f', false) },
  async run({ cli, flags }) {
    const api = await cli.api()
    let raw: string | undefined
    let failure: unknown
    try {
      raw = await api.text('GET', '/info')
    } catch (error) {
      failure = error
    }
    const client = { Debug: cli.globals.debug, Version: programVersion, Context: cli.contextName(), Plugins: [] }
    if (flags.format !== '') {
      const server = raw === undefined ? {} : (parseExact(raw) as { [key: string]: Json })
      const errors = failure === undefined ? {} : { ServerErrors: [messageOf(failure)] }
      const shown = renderFormat(flags.format, { ...server, ...errors, ClientInfo: client })
      cli.out(`${await shown.catch((error: unknown) => finishLine(cli, error))}\n`)
      if (failure !== undefined && raw === undefined && !flags.format.includes('json')) throw new ExitError(1, '')
      return
    }
    cli.out(
      `Client:\n${client.Version ? ` Version:    ${client.Version}\n` : ''} Context:    ${client.Context}\n Debug Mode: ${client.Debug}\n\nServer:\n`,
    )
    if (raw === undefined) {
      cli.err(`${messageOf(failure)}\n`)
      throw new ExitError(1, 'errors pretty printing info')
    }
    const info = JSON.parse(raw) as DaemonInfo
    cli.out(describeDaemon(info))
    cli.err(describeWarnings(info))
  },
})

/** A template that fails half-way has printed its line end all the same. */
function finishLine(cli: Cli, error: unknown): never {
  if (!(error instanceof ExitError)) cli.out('\n')
  throw error
}

async function renderFormat(format: string, json: { [key: string]: Json }): Promise<string> {
  const { compileTemplate } = await import('@dockerd-ts/go-template/execute')
  let template: ReturnType<typeof compileTemplate>
  try {
    template = compileTemplate(format === 'json' ? '{{json .}}' : format)
  } catch (error) {
    throw new ExitError(TEMPLATE_ERROR_CODE, `template parsing error: ${messageOf(error)}`)
  }
  return template.render(typed(json, 'Info', infoTypes))
}
