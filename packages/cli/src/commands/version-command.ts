/** `version`: shows the versions of client and daemon. */
import { ConnectionError } from '../client/errors.ts'
import { defineCommand, noArguments } from '../command.ts'
import { ExitError, messageOf } from '../exit-error.ts'
import { describe, type Json, parseExact, type TypeTable, typed } from '../format/go-types.ts'
import { formatFlag } from '../options/format-flag.ts'
import { clientApiVersion, programVersion } from '../version.ts'

interface ServerVersion {
  Platform?: { Name: string }
  Components?: { Name: string; Version: string; Details?: Record<string, string> | null }[] | null
}

const types: TypeTable = {
  Version: describe('system.versionInfo', 'Client Client', 'Server *Server'),
  Client: describe(
    'system.clientVersion',
    'Platform *Platform Platform,omitempty',
    'Version string Version,omitempty',
    'APIVersion string ApiVersion,omitempty',
    'DefaultAPIVersion string DefaultAPIVersion,omitempty',
    'GitCommit string GitCommit,omitempty',
    'GoVersion string GoVersion,omitempty',
    'Os string Os,omitempty',
    'Arch string Arch,omitempty',
    'BuildTime string BuildTime,omitempty',
    'Context string',
  ),
  Server: describe(
    'types.Version',
    'Platform Platform Platform,omitempty',
    'Components []Component Components,omitempty',
    'Version string',
    'APIVersion string ApiVersion',
    'MinAPIVersion string MinAPIVersion,omitempty',
    'GitCommit string',
    'GoVersion string',
    'Os string',
    'Arch string',
    'KernelVersion string KernelVersion,omitempty',
    'Experimental bool Experimental,omitempty',
    'BuildTime string BuildTime,omitempty',
  ),
  Platform: describe('struct { Name string }', 'Name string'),
  Component: describe(
    'types.ComponentVersion',
    'Name string',
    'Version string',
    'Details map[]string Details,omitempty',
  ),
}

const TEMPLATE_ERROR_CODE = 64
const ARCHITECTURES: Record<string, string> = { x64: 'amd64', ia32: '386' }

export default defineCommand({
  usage: '[OPTIONS]',
  short: 'Show the versions of client and daemon',
  args: noArguments,
  flags: { format: formatFlag('f', false) },
  async run({ cli, flags }) {
    const api = await cli.api()
    let server: string | undefined
    let failure: unknown
    try {
      server = readableDates(await api.text('GET', '/version'))
    } catch (error) {
      failure = error
    }
    const client = {
      Version: programVersion,
      ApiVersion: failure instanceof ConnectionError ? clientApiVersion : await api.version(),
      DefaultAPIVersion: clientApiVersion,
      GitCommit: 'dockerd-ts',
      GoVersion: `node${process.versions.node}`,
      Os: process.platform,
      Arch: ARCHITECTURES[process.arch] ?? process.arch,
      Context: cli.contextName(),
    }
    if (flags.format !== '') {
      const json: Json = { Client: client, Server: server === undefined ? null : parseExact(server) }
      const shown = renderFormat(flags.format, json)
      // Why there is no server matters more than what the template makes of that.
      if (failure !== undefined)
        await shown.then(
          (text) => cli.out(`${text}\n`),
          () => cli.out('\n'),
        )
      else cli.out(`${await shown}\n`)
    } else {
      cli.out(describeClient(client))
      if (server !== undefined) cli.out(describeServer(JSON.parse(server) as ServerVersion))
    }
    if (failure !== undefined) throw failure
  },
})

/** Build times of the components, as Docker prints them: Thu Aug 13 05:35:48 2026. */
function readableDates(json: string): string {
  return json.replace(/("Details":\{[^}]*"BuildTime":")(\d{4}-[^"]*)"/g, (whole, before: string, time: string) => {
    const date = new Date(time)
    if (Number.isNaN(date.getTime())) return whole
    const [weekday = '', day = '', month = '', year = '', clock = ''] = date.toUTCString().split(/,? /)
    return `${before}${weekday} ${month} ${String(Number(day)).padStart(2)} ${clock} ${year}"`
  })
}

async function renderFormat(format: string, json: Json): Promise<string> {
  const { compileTemplate } = await import('@dockerd-ts/go-template/execute')
  try {
    return compileTemplate(format === 'json' ? '{{json .}}' : format).render(typed(json, 'Version', types))
  } catch (error) {
    const message = messageOf(error)
    if (message.includes('executing')) throw new ExitError(1, message)
    throw new ExitError(TEMPLATE_ERROR_CODE, `template parsing error: ${message}`)
  }
}

const row = (indent: number, name: string, value: string): string =>
  `${' '.repeat(indent)}${`${name}:`.padEnd(20 - indent)}${value}\n`

function describeClient(client: Record<string, string>): string {
  const { ApiVersion = '', DefaultAPIVersion = '' } = client
  const api = ApiVersion === DefaultAPIVersion ? ApiVersion : `${ApiVersion} (downgraded from ${DefaultAPIVersion})`
  const rows: [string, string][] = [
    ['Version', client.Version ?? ''],
    ['API version', api],
    ['Go version', client.GoVersion ?? ''],
    ['Git commit', client.GitCommit ?? ''],
    ['Built', ''],
    ['OS/Arch', `${client.Os}/${client.Arch}`],
    ['Context', client.Context ?? ''],
  ]
  return `Client:\n${rows
    .filter(([, value]) => value !== '')
    .map(([name, value]) => row(1, name, value))
    .join('')}`
}

function describeServer(server: ServerVersion): string {
  const platform = server.Platform?.Name ? ` ${server.Platform.Name}` : ''
  return `\nServer:${platform}\n${(server.Components ?? []).map(describeComponent).join('')}`
}

function describeComponent({
  Name,
  Version,
  Details,
}: {
  Name: string
  Version: string
  Details?: Record<string, string> | null
}): string {
  const details = Details ?? {}
  const head = ` ${Name}:\n${row(2, 'Version', Version)}`
  if (Name !== 'Engine') {
    return (
      head +
      Object.keys(details)
        .sort()
        .map((key) => row(2, key, details[key] ?? ''))
        .join('')
    )
  }
  const rows: [string, string | undefined][] = [
    ['API version', `${details.ApiVersion} (minimum version ${details.MinAPIVersion})`],
    ['Go version', details.GoVersion],
    ['Git commit', details.GitCommit],
    ['Built', details.BuildTime],
    ['OS/Arch', `${details.Os}/${details.Arch}`],
    ['Experimental', details.Experimental],
  ]
  return head + rows.map(([name, value]) => row(2, name, value ?? '')).join('')
}
