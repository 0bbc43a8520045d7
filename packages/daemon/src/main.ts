/** dockerd-ts: reads its configuration, brings the engine up, serves until it is told to end. */
import { parseCommandLine } from './config/command-line.ts'
import { ConfigError, type DaemonConfig, mergeConfig, readConfigFile } from './config/load-config.ts'
import { createHttpServer } from './http/server.ts'
import { createLogger, type Logger } from './lifecycle/logger.ts'
import { openListeners } from './lifecycle/open-listeners.ts'
import { writePidFile } from './lifecycle/pid-file.ts'
import { ENGINE_VERSION } from './version.ts'
import { type Daemon, wire } from './wiring.ts'

/** Streams and attached clients are cut when the daemon ends; ordinary requests get this long. */
const CLOSE_GRACE_MS = 1_000

function onReload(file: string, named: boolean, logger: Logger, daemon: Daemon): void {
  try {
    const options = readConfigFile(file, named)
    logger.level = options.debug ? 'debug' : (options['log-level'] ?? logger.level)
    daemon.events.publish({ type: 'daemon', action: 'reload', actorId: '' })
    logger.info({ file }, 'configuration read again')
  } catch (err) {
    logger.error({ err }, 'the configuration was not applied')
  }
}

async function stopContainers(daemon: Daemon, config: DaemonConfig): Promise<void> {
  const running = await daemon.engine.containers.list({ all: false, size: false, filters: {} })
  const timeoutSeconds = config['shutdown-timeout']
  await Promise.allSettled(running.map(({ Id }) => daemon.engine.containers.stop(Id ?? '', { timeoutSeconds })))
}

async function serve(config: DaemonConfig, reload: { file: string; named: boolean }): Promise<void> {
  const logger = createLogger({ level: config['log-level'], format: config['log-format'] ?? 'text' })
  const removePidFile = writePidFile(config.pidfile)
  try {
    const daemon = await wire(config, logger)
    await daemon.recover()
    const server = createHttpServer({ engine: daemon.engine, log: logger, serverVersion: ENGINE_VERSION })
    await openListeners(server, config, logger)
    process.on('SIGHUP', () => onReload(reload.file, reload.named, logger, daemon))
    const signal = await new Promise<string>((resolve) => {
      for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => resolve(name))
    })
    logger.info({ signal }, 'stopping')
    if (!config['live-restore']) await stopContainers(daemon, config)
    await server.close(CLOSE_GRACE_MS)
    await daemon.close()
  } finally {
    removePidFile()
  }
}

try {
  const line = parseCommandLine(process.argv.slice(2), ENGINE_VERSION)
  const config = mergeConfig(line.flags, readConfigFile(line.configFile, line.configFileNamed))
  if (line.validate) console.log('configuration OK')
  else await serve(config, { file: line.configFile, named: line.configFileNamed })
  process.exitCode = 0
} catch (error) {
  // What the user can mend is said in one line; anything else with its stack.
  console.error(error instanceof ConfigError || (error as { kind?: string }).kind ? (error as Error).message : error)
  process.exit(1)
}
process.exit()
