/** `HostConfig.LogConfig`: which drivers and options there are, and what the monitor is told to write. Pure. */
import type * as wire from '@dockerd-ts/api'
import { invalidArgument, notImplemented } from '../errors/engine-error.ts'
import type { LogPlan } from '../ports/monitor.ts'

const commonOptions = [
  'mode',
  'max-buffer-size',
  'cache-disabled',
  'cache-max-size',
  'cache-max-file',
  'cache-compress',
]
const fileOptions = ['max-size', 'max-file', 'compress', 'labels', 'labels-regex', 'env', 'env-regex', 'tag']
const driverOptions: Readonly<Record<string, readonly string[]>> = {
  'json-file': fileOptions,
  local: ['max-size', 'max-file', 'compress'],
  none: [],
}

export const logDrivers: readonly string[] = Object.keys(driverOptions).filter((name) => name !== 'none')

type Options = Readonly<Record<string, string>>

/** Throws invalidArgument in Docker's words. */
export function checkLogConfig(type: string, options: Options): void {
  const known = driverOptions[type]
  if (known === undefined) throw invalidArgument(`logger: no log driver named '${type}' is registered`)
  const mode = options.mode ?? ''
  if (mode !== '' && mode !== 'blocking' && mode !== 'non-blocking') {
    throw invalidArgument(`logger: logging mode not supported: ${mode}`)
  }
  if (options['max-buffer-size'] !== undefined && mode !== 'non-blocking') {
    throw invalidArgument("logger: max-buffer-size option is only supported with 'mode=non-blocking'")
  }
  for (const key of Object.keys(options)) {
    if (type === 'none' || known.includes(key) || commonOptions.includes(key)) continue
    throw invalidArgument(`unknown log opt '${key}' for ${type} log driver`)
  }
  if (type !== 'none') limitsOf(options)
}

/** The daemon's default for containers that name no driver; its options also fill in where the same driver is named. */
export function effectiveLogConfig(
  asked: wire.LogConfig | undefined,
  daemonDefault: { type: string; options: Options },
): { Type: string; Config: Record<string, string> } {
  const type = asked?.Type || daemonDefault.type
  const inherited = type === daemonDefault.type ? daemonDefault.options : {}
  return { Type: type, Config: { ...inherited, ...asked?.Config } }
}

/** Without options logs are bounded all the same: 100 MB in five files. */
const defaultMaxSizeBytes = 20 * 1024 * 1024
const defaultMaxFiles = 5

interface LogLimits {
  maxSizeBytes: number
  maxFiles: number
}

function limitsOf(options: Options): LogLimits {
  const maxSize = options['max-size']
  const maxFile = options['max-file']
  const maxSizeBytes = maxSize === undefined ? defaultMaxSizeBytes : parseSizeBytes(maxSize)
  const maxFiles = maxFile === undefined ? (maxSize === undefined ? defaultMaxFiles : 1) : Number(maxFile)
  if (!Number.isInteger(maxFiles) || maxFiles < 1) throw invalidArgument('max-file cannot be less than 1')
  return { maxSizeBytes, maxFiles }
}

/** `10m`, `1.5g`, `-1` (no limit, answered as 0); 1024-based as go-units reads them. */
function parseSizeBytes(text: string): number {
  if (text.trim() === '-1') return 0
  const match = /^(\d+(?:\.\d+)?) ?([kmgtp]?)(?:i?b)?$/i.exec(text.trim())
  if (match === null) throw invalidArgument(`invalid size: '${text}'`)
  const bytes = Number(match[1]) * 1024 ** ' kmgtp'.indexOf(match[2]?.toLowerCase() || ' ')
  if (bytes < 1) throw invalidArgument('max-size must be a positive number')
  return Math.floor(bytes)
}

/** undefined: nothing is kept (driver `none`). */
export function logPlan(
  path: string,
  config: wire.ContainerConfig,
  log: wire.LogConfig | undefined,
): LogPlan | undefined {
  if (log?.Type === 'none') return undefined
  const options = log?.Config ?? {}
  const attributes = logAttributes(config, options)
  return {
    path,
    ...limitsOf(options),
    ...(Object.keys(attributes).length > 0 && { attributesJson: JSON.stringify(attributes) }),
  }
}

/** The labels and variables that the options `labels`, `labels-regex`, `env` and `env-regex` name; `tag` as it is. */
function logAttributes(config: wire.ContainerConfig, options: Options): Record<string, string> {
  const variables = Object.fromEntries(
    (config.Env ?? []).map((entry) => {
      const at = entry.indexOf('=')
      return at < 0 ? [entry, ''] : [entry.slice(0, at), entry.slice(at + 1)]
    }),
  )
  const attributes = {
    ...selected(config.Labels ?? {}, options.labels, options['labels-regex']),
    ...selected(variables, options.env, options['env-regex']),
  }
  return options.tag === undefined ? attributes : { ...attributes, tag: options.tag }
}

function selected(from: Options, names: string | undefined, pattern: string | undefined): Record<string, string> {
  const wanted = new Set((names ?? '').split(',').filter((name) => name !== ''))
  const matches = pattern ? new RegExp(pattern) : undefined
  return Object.fromEntries(Object.entries(from).filter(([key]) => wanted.has(key) || matches?.test(key)))
}

/** Throws notImplemented when the driver keeps nothing that could be read. */
export function checkReadable(log: wire.LogConfig | undefined): void {
  if (log?.Type === 'none') throw notImplemented('configured logging driver does not support reading')
}
