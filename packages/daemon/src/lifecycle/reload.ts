/**
 * SIGHUP: reads the configuration again and applies what can change while the daemon runs. All of it is checked before
 * any of it is applied; a configuration with an error changes nothing.
 */
import { type DaemonConfig, mergeConfig, readConfigFile } from '../config/load-config.ts'
import { type DaemonOptions, options } from '../config/options.ts'
import type { Logger } from './logger.ts'

export interface ReloadSource {
  flags: DaemonOptions
  configFile: string
  configFileNamed: boolean
}

export interface ReloadTarget {
  /** In force now; changed in place. */
  config: DaemonConfig
  logger: Logger
  /** Checks what only the running daemon can (runtimes exist); answers what puts it into force, which cannot fail. */
  prepare(next: DaemonConfig): Promise<() => void>
  /** Tells clients. */
  published(config: DaemonConfig): void
}

type Key = keyof DaemonOptions

const reloadable = options.filter((option) => option.reloadable).map(({ key }) => key)

/** dockerd sets these back to their defaults when the file does not name them; of the others it keeps what was. */
const resetWhenAbsent: readonly Key[] = [
  'max-concurrent-downloads',
  'max-concurrent-uploads',
  'max-download-attempts',
  'features',
]

/** Throws ConfigError (or what `prepare` throws) with nothing changed. */
export async function reloadConfiguration(source: ReloadSource, target: ReloadTarget): Promise<void> {
  const { config, logger } = target
  const file = readConfigFile(source.configFile, source.configFileNamed)
  const merged = mergeConfig(source.flags, file.options)
  const next = nextConfig(config, merged, file.options)
  const apply = await target.prepare(next)
  for (const warning of file.warnings) logger.warn({}, warning)
  for (const key of needRestart(config, merged, file.options)) {
    logger.warn({ directive: key }, 'a change of this directive needs a restart of the daemon')
  }
  apply()
  replace(config, next)
  logger.level = next['log-level']
  target.published(config)
  logger.info({ file: source.configFile }, 'Reloaded configuration')
}

function nextConfig(current: DaemonConfig, merged: DaemonConfig, file: DaemonOptions): DaemonConfig {
  const next: Record<string, unknown> = { ...current }
  for (const key of reloadable) {
    if (key in file || resetWhenAbsent.includes(key)) next[key] = merged[key]
  }
  // `debug` stands above the level: switched off, it gives back the level that is named, or the default one.
  if ('debug' in file || 'log-level' in file) next['log-level'] = merged['log-level']
  return next as DaemonConfig
}

function needRestart(current: DaemonConfig, merged: DaemonConfig, file: DaemonOptions): string[] {
  const changed = (key: Key) => JSON.stringify(merged[key]) !== JSON.stringify(current[key])
  return (Object.keys(file) as Key[]).filter((key) => !reloadable.includes(key) && changed(key))
}

/** Others hold the object. */
function replace(config: DaemonConfig, next: DaemonConfig): void {
  const values = config as unknown as Record<string, unknown>
  for (const [key, value] of Object.entries(next)) {
    if (value === undefined) delete values[key]
    else values[key] = value
  }
}

const json = (value: unknown): string => JSON.stringify(value)

/** Attributes of the event `daemon reload`, in dockerd's names and Go's spelling. */
export function reloadAttributes(
  config: DaemonConfig,
  facts: { hostname: string; cgroupNamespaceMode: string; defaultRuntime: string },
): Record<string, string> {
  const features = Object.entries(config.features ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))
  const runtimes = Object.entries(config.runtimes ?? {}).map(([name, { path }]) => `${name}:${path}`)
  return {
    'allow-nondistributable-artifacts': '[]',
    debug: String(config['log-level'] === 'debug'),
    'default-cgroupns-mode': facts.cgroupNamespaceMode,
    'default-ipc-mode': config['default-ipc-mode'] ?? 'private',
    'default-runtime': facts.defaultRuntime,
    'default-shm-size': String(config['default-shm-size'] ?? 64 * 2 ** 20),
    features: `map[${features.map(([name, on]) => `${name}:${on}`).join(' ')}]`,
    'insecure-registries': json(config['insecure-registries'] ?? []),
    labels: json(config.labels ?? []),
    'live-restore': String(config['live-restore']),
    'max-concurrent-downloads': String(config['max-concurrent-downloads'] ?? 3),
    'max-concurrent-uploads': String(config['max-concurrent-uploads'] ?? 5),
    'max-download-attempts': String(config['max-download-attempts'] ?? 5),
    name: facts.hostname,
    'registry-mirrors': json(config['registry-mirrors'] ?? []),
    runtimes: runtimes.join(' '),
    'shutdown-timeout': String(config['shutdown-timeout']),
  }
}
