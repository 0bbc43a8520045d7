/** The command line of dockerd-ts: dockerd's flag names, read with commander from the option table. */
import { Command, Option } from 'commander'
import { declinedOptions, judgeDeclined } from './declined-options.ts'
import { ConfigError, checkFlags, DEFAULT_CONFIG_FILE } from './load-config.ts'
import { type DaemonOptions, type OptionDefinition, options } from './options.ts'

export interface CommandLine {
  flags: DaemonOptions
  configFile: string
  configFileNamed: boolean
  validate: boolean
  release: boolean
  /** Flags of dockerd's that were taken without effect. */
  warnings: string[]
}

type Shape = Pick<OptionDefinition, 'flag' | 'short' | 'kind' | 'description'>

const repeated: readonly OptionDefinition['kind'][] = [
  'list',
  'pairs',
  'switches',
  'nested-pairs',
  'runtimes',
  'ulimits',
  'pools',
]

const collect = (value: string, previous: string[] = []) => [...previous, value]

function toOption(definition: Shape): Option {
  const { flag, short, kind, description } = definition
  const names = `${short ? `-${short}, ` : ''}--${flag}`
  // Go's flag package takes `--icc=false`: an optional value serves both spellings.
  const option = new Option(
    kind === 'boolean' ? `${names} [bool]` : `${names} <${kind === 'list' ? 'list' : 'value'}>`,
    description,
  )
  // commander reads every --no-… as the negation of another option; --no-new-privileges is none.
  option.negate = false
  if (repeated.includes(kind)) option.argParser(collect)
  return option
}

function booleanValue(flag: string, value: unknown): boolean {
  if (value === true || /^(1|t|true)$/i.test(String(value))) return true
  if (/^(0|f|false)$/i.test(String(value))) return false
  throw new ConfigError(
    `invalid argument "${value}" for "--${flag}" flag: strconv.ParseBool: parsing "${value}": invalid syntax`,
  )
}

function pair(flag: string, item: string): [string, string] {
  const at = item.indexOf('=')
  if (at < 1) throw new ConfigError(`invalid argument "${item}" for "--${flag}" flag: want name=value`)
  return [item.slice(0, at), item.slice(at + 1)]
}

function ulimitValue(flag: string, item: string) {
  const [Name, limits] = pair(flag, item)
  const [soft, hard = soft] = limits.split(':')
  return [Name, { Name, Soft: Number(soft), Hard: Number(hard) }] as const
}

/** `base=10.0.0.0/8,size=24`. */
function poolValue(flag: string, item: string) {
  const fields = Object.fromEntries(item.split(',').map((field) => pair(flag, field.trim())))
  const { base, size, ...others } = fields
  if (base === undefined || !/^\d+$/.test(size ?? '') || Object.keys(others).length > 0) {
    throw new ConfigError(`invalid argument "${item}" for "--${flag}" flag: want base=CIDR,size=PREFIX`)
  }
  return { base, size: Number(size) }
}

/** `bridge=com.docker.network.driver.mtu=1400`. */
function nestedPairs(flag: string, items: readonly string[]): Record<string, Record<string, string>> {
  const values: Record<string, Record<string, string>> = {}
  for (const item of items) {
    const [name, rest] = pair(flag, item)
    const [option, value] = pair(flag, rest)
    values[name] = { ...values[name], [option]: value }
  }
  return values
}

function convert({ flag, kind }: Shape, value: unknown): unknown {
  switch (kind) {
    case 'boolean':
      return booleanValue(flag, value)
    case 'count':
      return Number(value)
    case 'pairs':
      return Object.fromEntries((value as string[]).map((item) => pair(flag, item)))
    case 'switches':
      return Object.fromEntries(
        (value as string[]).map((item) => pair(flag, item)).map(([name, on]) => [name, booleanValue(flag, on)]),
      )
    case 'nested-pairs':
      return nestedPairs(flag, value as string[])
    case 'pools':
      return (value as string[]).map((item) => poolValue(flag, item))
    case 'runtimes':
      return Object.fromEntries(
        (value as string[]).map((item) => pair(flag, item)).map(([name, path]) => [name, { path }]),
      )
    case 'ulimits':
      return Object.fromEntries((value as string[]).map((item) => ulimitValue(flag, item)))
    case 'text':
    case 'list':
    case 'size':
      return value
  }
}

/** Parses arguments (without program names). `--help` and `--version` print and leave, as do unknown flags. */
export function parseCommandLine(argv: readonly string[], version: string): CommandLine {
  const command = new Command('dockerd-ts')
    .usage('[OPTIONS]')
    .description('A self-sufficient runtime for containers.')
    .version(`dockerd-ts version ${version}`, '-v, --version', 'Print version information and quit')
    .helpOption('--help', 'Print usage')
    .option('--config-file <path>', 'Daemon configuration file', DEFAULT_CONFIG_FILE)
    .option('--validate', 'Validate daemon configuration and exit')
    .option('--release', 'Stop all containers, take networks off the host, and exit; no daemon may be running')
    .allowExcessArguments(false)
  for (const definition of options) command.addOption(toOption(definition))
  const declined = declinedOptions.flatMap(({ key, flag, kind, reason }) =>
    flag === undefined ? [] : [{ key, flag, kind, description: reason }],
  )
  // Known, so that they are refused with a reason; not in the help, since there is nothing to use.
  for (const definition of declined) command.addOption(toOption(definition).hideHelp())
  command.parse([...argv], { from: 'user' })
  const given = (definitions: readonly (Shape & { key: string })[]) => {
    const values: Record<string, unknown> = {}
    for (const definition of definitions) {
      const value = command.opts()[toOption(definition).attributeName()]
      if (value !== undefined) values[definition.key] = convert(definition, value)
    }
    return values
  }
  const { refusals, warnings } = judgeDeclined(given(declined), 'flags')
  if (refusals.length > 0) throw new ConfigError(refusals.join('; '))
  return {
    flags: checkFlags(given(options)),
    configFile: command.opts().configFile,
    configFileNamed: command.getOptionValueSource('configFile') === 'cli',
    validate: command.opts().validate === true,
    release: command.opts().release === true,
    warnings,
  }
}
