/** `HostConfig.LogConfig`: which drivers and options there are, and what the monitor is told to write. Pure. */
import type * as wire from '@dockerd-ts/api'
import { invalidArgument, notImplemented } from '../errors/engine-error.ts'
import type { LogOrigin, LogTargets } from '../ports/log-targets.ts'
import type { LogPlan } from '../ports/monitor.ts'

const modeOptions = ['mode', 'max-buffer-size']
/** Of the local copy that `docker logs` reads where a driver sends the log elsewhere. */
const cacheOptions = ['cache-disabled', 'cache-max-size', 'cache-max-file', 'cache-compress']
const fileOptions = ['max-size', 'max-file', 'compress', 'labels', 'labels-regex', 'env', 'env-regex', 'tag']
const fileDrivers: Readonly<Record<string, readonly string[]>> = {
  'json-file': fileOptions,
  local: ['max-size', 'max-file', 'compress'],
}

/** Of the engine itself, in Docker's order with those that send. */
export const logDrivers = (targets: Pick<LogTargets, 'drivers'>): string[] =>
  [...Object.keys(fileDrivers), ...targets.drivers].sort()

type Options = Readonly<Record<string, string>>

/** Throws invalidArgument in Docker's words. */
export function checkLogConfig(type: string, options: Options, targets: LogTargets): void {
  const isRemote = targets.drivers.includes(type)
  if (type !== 'none' && !Object.hasOwn(fileDrivers, type) && !isRemote) {
    throw invalidArgument(`error looking up logging plugin ${type}: plugin "${type}" not found`)
  }
  const mode = options.mode ?? ''
  if (mode !== '' && mode !== 'blocking' && mode !== 'non-blocking') {
    throw invalidArgument(`logger: logging mode not supported: ${mode}`)
  }
  const buffer = options['max-buffer-size']
  if (buffer !== undefined) {
    if (mode !== 'non-blocking') {
      throw invalidArgument("logger: max-buffer-size option is only supported with 'mode=non-blocking'")
    }
    bufferSize(buffer)
  }
  if (type === 'none') return
  checkOptionNames(type, options, targets)
  checkPatterns(options)
  const disabled = options['cache-disabled'] ?? 'false'
  if (!isFlag(disabled) && !isNoFlag(disabled)) {
    throw invalidArgument(`invalid value for option cache-disabled: ${disabled}`)
  }
  limitsOf(type, options)
}

/** As large as the local copy is in any case, which is the buffer. */
function bufferSize(text: string): void {
  try {
    parseSizeBytes(text)
  } catch (error) {
    throw invalidArgument(`error parsing option max-buffer-size: ${(error as Error).message}`, error)
  }
}

function checkOptionNames(type: string, options: Options, targets: LogTargets): void {
  const known = fileDrivers[type]
  const own: Record<string, string> = {}
  for (const [key, value] of Object.entries(options)) {
    if (modeOptions.includes(key)) continue
    if (known === undefined && cacheOptions.includes(key)) continue
    if (known !== undefined && !known.includes(key)) {
      throw invalidArgument(`unknown log opt '${key}' for ${type} log driver`)
    }
    own[key] = value
  }
  if (known !== undefined) return
  try {
    targets.check(type, own)
  } catch (error) {
    throw invalidArgument((error as Error).message, error)
  }
}

function checkPatterns(options: Options): void {
  for (const key of ['labels-regex', 'env-regex']) {
    try {
      new RegExp(options[key] ?? '')
    } catch (error) {
      throw invalidArgument(`error parsing ${key}: ${(error as Error).message}`, error)
    }
  }
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
  compress: boolean
}

const isFlag = (text: string): boolean => /^(1|t|true|T|TRUE|True)$/.test(text)
const isNoFlag = (text: string): boolean => /^(0|f|false|F|FALSE|False)$/.test(text)

/** json-file keeps one file and does not compress unless told; `local` and the copies of other drivers do. */
function limitsOf(type: string, options: Options): LogLimits {
  const prefix = Object.hasOwn(fileDrivers, type) ? '' : 'cache-'
  const maxSize = options[`${prefix}max-size`]
  const maxFile = options[`${prefix}max-file`]
  const maxSizeBytes = maxSize === undefined ? defaultMaxSizeBytes : parseSizeBytes(maxSize)
  const singleFile = type === 'json-file' && maxSize !== undefined
  const maxFiles = maxFile === undefined ? (singleFile ? 1 : defaultMaxFiles) : Number(maxFile)
  if (!Number.isInteger(maxFiles) || maxFiles < 1) throw invalidArgument('max-file cannot be less than 1')
  return { maxSizeBytes, maxFiles, compress: compressOf(type, options[`${prefix}compress`], maxFiles) }
}

function compressOf(type: string, text: string | undefined, maxFiles: number): boolean {
  if (text === undefined) return type !== 'json-file' && maxFiles > 1
  if (!isFlag(text) && !isNoFlag(text)) {
    throw invalidArgument(`strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`)
  }
  if (isFlag(text) && maxFiles === 1 && type === 'json-file') {
    throw invalidArgument('compress cannot be true when max-file is less than 2 or max-size is not set')
  }
  return isFlag(text) && maxFiles > 1
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
export function logPlan(path: string, log: wire.LogConfig | undefined, origin: LogOrigin): LogPlan | undefined {
  const type = log?.Type ?? 'json-file'
  if (type === 'none') return undefined
  const options = log?.Config ?? {}
  const attributes = { ...origin.attributes, ...(options.tag !== undefined && { tag: origin.tag }) }
  const { maxSizeBytes, maxFiles, compress } = limitsOf(type, options)
  return {
    path,
    maxSizeBytes,
    maxFiles,
    ...(compress && { compress }),
    ...(Object.keys(attributes).length > 0 && { attributesJson: JSON.stringify(attributes) }),
  }
}

/** Throws notImplemented when the driver keeps nothing that clients may read. */
export function checkReadable(log: wire.LogConfig | undefined): void {
  if (log?.Type === 'none' || isFlag(log?.Config?.['cache-disabled'] ?? '')) {
    throw notImplemented('configured logging driver does not support reading')
  }
}
