/** The command line of dockerd-ts: dockerd's flag names, read with commander from the option table. */
import { Command, Option } from 'commander'
import { checkFlags, DEFAULT_CONFIG_FILE } from './load-config.ts'
import { type DaemonOptions, type OptionDefinition, options } from './options.ts'

export interface CommandLine {
  flags: DaemonOptions
  configFile: string
  configFileNamed: boolean
  validate: boolean
  release: boolean
}

const collect = (value: string, previous: string[] = []) => [...previous, value]

function toOption(definition: OptionDefinition): Option {
  const { flag, short, kind, description } = definition
  const names = `${short ? `-${short}, ` : ''}--${flag}`
  // Go's flag package takes `--icc=false`: an optional value serves both spellings.
  const option = new Option(
    kind === 'boolean' ? `${names} [bool]` : `${names} <${kind === 'list' ? 'list' : 'value'}>`,
    description,
  )
  // commander reads every --no-… as the negation of another option; --no-new-privileges is none.
  option.negate = false
  if (['list', 'pairs', 'runtimes', 'ulimits'].includes(kind)) option.argParser(collect)
  return option
}

function booleanValue(flag: string, value: unknown): boolean {
  if (value === true || /^(1|t|true)$/i.test(String(value))) return true
  if (/^(0|f|false)$/i.test(String(value))) return false
  throw new Error(
    `invalid argument "${value}" for "--${flag}" flag: strconv.ParseBool: parsing "${value}": invalid syntax`,
  )
}

function pair(flag: string, item: string): [string, string] {
  const at = item.indexOf('=')
  if (at < 1) throw new Error(`invalid argument "${item}" for "--${flag}" flag: want name=value`)
  return [item.slice(0, at), item.slice(at + 1)]
}

function ulimitValue(flag: string, item: string) {
  const [Name, limits] = pair(flag, item)
  const [soft, hard = soft] = limits.split(':')
  return [Name, { Name, Soft: Number(soft), Hard: Number(hard) }] as const
}

function convert({ flag, kind }: OptionDefinition, value: unknown): unknown {
  switch (kind) {
    case 'boolean':
      return booleanValue(flag, value)
    case 'count':
      return Number(value)
    case 'pairs':
      return Object.fromEntries((value as string[]).map((item) => pair(flag, item)))
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
  command.parse([...argv], { from: 'user' })
  const values: Record<string, unknown> = {}
  for (const definition of options) {
    const name = toOption(definition).attributeName()
    const value = command.opts()[name]
    if (value !== undefined) values[definition.key] = convert(definition, value)
  }
  return {
    flags: checkFlags(values),
    configFile: command.opts().configFile,
    configFileNamed: command.getOptionValueSource('configFile') === 'cli',
    validate: command.opts().validate === true,
    release: command.opts().release === true,
  }
}
