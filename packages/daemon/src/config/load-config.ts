/** Makes the daemon's configuration from flags, daemon.json and defaults, refusing in dockerd's words what is wrong. */
import { existsSync, readFileSync } from 'node:fs'
import type * as z from 'zod'
import { checkConfig } from './check-config.ts'
import { ConfigError } from './config-error.ts'
import { isDeclined, judgeDeclined } from './declined-options.ts'
import { configFileSchema, type DaemonOptions, options, schemas } from './options.ts'

export { ConfigError } from './config-error.ts'

export const DEFAULT_CONFIG_FILE = '/etc/docker/daemon.json'
export const DEFAULT_HOST = 'unix:///var/run/docker.sock'

type Settled = 'hosts' | 'data-root' | 'exec-root' | 'pidfile' | 'log-level' | 'live-restore' | 'shutdown-timeout'

/** The options, with those settled that have a default. */
export type DaemonConfig = Omit<DaemonOptions, Settled> & { [K in Settled]: NonNullable<DaemonOptions[K]> }

const defaults = {
  hosts: [DEFAULT_HOST],
  'data-root': '/var/lib/dockerd-ts',
  'exec-root': '/run/dockerd-ts',
  pidfile: '/run/dockerd-ts.pid',
  'log-level': 'info',
  // Containers have monitors of their own: stopping the daemon need not stop them, so it does not unless it is told to.
  'live-restore': true,
  'shutdown-timeout': 15,
} as const satisfies DaemonOptions

function describe(issues: readonly z.core.$ZodIssue[]): string {
  return issues.map((issue) => `${issue.path.join('.') || 'configuration'}: ${issue.message}`).join('; ')
}

export interface ConfigFile {
  options: DaemonOptions
  /** Directives of dockerd's that were taken without effect. */
  warnings: string[]
}

/** Reads and checks daemon.json. A missing file is an error only when the user named it. */
export function readConfigFile(path: string, named: boolean): ConfigFile {
  if (!named && !existsSync(path)) return { options: {}, warnings: [] }
  const failed = (message: string, cause?: unknown) =>
    new ConfigError(`unable to configure the Docker daemon with file ${path}: ${message}`, { cause })
  let document: unknown
  try {
    const content = readFileSync(path, 'utf8').trim()
    document = content === '' ? {} : JSON.parse(content)
  } catch (error) {
    throw failed((error as Error).message, error)
  }
  if (!isRecord(document)) throw failed('it is no JSON object')
  const { proxies, 'host-gateway-ip': hostGateway, ...others } = document
  const directives: Record<string, unknown> = {
    ...others,
    ...proxyDirectives(proxies),
    // Older than the list of them.
    ...(hostGateway !== undefined && { 'host-gateway-ips': [hostGateway] }),
  }
  const unknown = Object.keys(directives).filter((key) => !(key in schemas || isDeclined(key)))
  if (unknown.length > 0) {
    throw failed(`the following directives don't match any configuration option: ${unknown.join(', ')}`)
  }
  const { refusals, warnings } = judgeDeclined(directives, 'file')
  if (refusals.length > 0) throw failed(refusals.join('; '))
  const served = Object.fromEntries(Object.entries(directives).filter(([key]) => key in schemas))
  const parsed = configFileSchema.safeParse(served)
  if (!parsed.success) throw failed(describe(parsed.error.issues))
  return { options: parsed.data, warnings }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** dockerd has the proxies in an object of their own in the file, and as flags without one. */
function proxyDirectives(proxies: unknown): Record<string, unknown> {
  return proxies === undefined || proxies === null ? {} : isRecord(proxies) ? proxies : { proxies }
}

/** Checks values that came from flags with the same schema as the file. */
export function checkFlags(values: Record<string, unknown>): DaemonOptions {
  const parsed = configFileSchema.safeParse(values)
  if (parsed.success) return parsed.data
  const flags = new Map(options.map((option) => [option.key as string, option.flag]))
  const texts = parsed.error.issues.map(
    (issue) => `--${flags.get(String(issue.path[0])) ?? String(issue.path[0])}: ${issue.message}`,
  )
  throw new ConfigError(`invalid argument for ${texts.join('; ')}`)
}

/** A directive may stand in the file or on the command line, not in both (lists that can be merged excepted). */
export function mergeConfig(flags: DaemonOptions, file: DaemonOptions): DaemonConfig {
  const both = Object.keys(file).filter((key) => key in flags && key !== 'runtimes')
  if (both.length > 0) {
    const texts = both.map((key) => {
      const k = key as keyof DaemonOptions
      return `${key}: (from flag: ${JSON.stringify(flags[k])}, from file: ${JSON.stringify(file[k])})`
    })
    throw new ConfigError(
      `unable to configure the Docker daemon: the following directives are specified both as a flag and in the configuration file: ${texts.join(', ')}`,
    )
  }
  const merged = { ...defaults, ...file, ...flags } as DaemonConfig
  if (file.runtimes || flags.runtimes) merged.runtimes = { ...file.runtimes, ...flags.runtimes }
  checkConfig(merged)
  return { ...merged, ...(merged.debug ? { 'log-level': 'debug' as const } : {}) }
}
