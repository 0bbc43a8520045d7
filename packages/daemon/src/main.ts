/** dockerd-ts: reads its configuration, brings the engine up, serves until it is told to end. */
import { existsSync, rmSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import type { Logger } from '@dockerd-ts/core'
import { type CommandLine, parseCommandLine } from './config/command-line.ts'
import { ConfigError, type DaemonConfig, mergeConfig, readConfigFile } from './config/load-config.ts'
import { createHttpServer } from './http/server.ts'
import { collectGarbage, idleMemory } from './lifecycle/idle-memory.ts'
import { createLogger } from './lifecycle/logger.ts'
import { openListeners } from './lifecycle/open-listeners.ts'
import { setUpProcess } from './lifecycle/own-process.ts'
import { writePidFile } from './lifecycle/pid-file.ts'
import { type ReloadTarget, reloadConfiguration } from './lifecycle/reload.ts'
import { ServiceManager, systemdState, takeServiceEnvironment } from './lifecycle/service-manager.ts'
import { ENGINE_VERSION } from './version.ts'
import { type Daemon, wire } from './wiring.ts'

/** Streams and attached clients are cut when the daemon ends; ordinary requests get this long. */
const CLOSE_GRACE_MS = 1_000
/** What does not close by then is left to the next daemon, as after a crash: systemd would kill this one. */
const CLOSE_LIMIT_MS = 15_000
/** Longer than the pauses of a client that works: a collection of everything takes tens of milliseconds. */
const IDLE_MS = 30_000

/** One reload after the other, each from the state that the last one left. */
function reloader(line: CommandLine, target: ReloadTarget): () => Promise<void> {
  let last = Promise.resolve()
  return () => {
    target.logger.info({ file: line.configFile }, 'Got signal to reload configuration')
    last = last
      .then(() => reloadConfiguration(line, target))
      .catch((error: Error) => target.logger.error({}, error.message))
    return last
  }
}

/** With the daemon containers live on, unless it is told otherwise or the machine goes down with them. */
async function stopContainers(daemon: Daemon, config: DaemonConfig, manager: ServiceManager): Promise<void> {
  if (config['live-restore'] && !(await manager.systemIsStopping())) return
  await daemon.engine.stopAll(config['shutdown-timeout'])
}

/** `--release`: what the daemon has on the host goes, its data stays. */
async function release(config: DaemonConfig): Promise<void> {
  const { softNofile } = takeServiceEnvironment(process.env, process.pid)
  const logger = createLogger({ level: config['log-level'], format: config['log-format'] ?? 'text' })
  const removePidFile = writePidFile(config.pidfile)
  try {
    const daemon = await wire(config, logger, { softNofile })
    await daemon.engine.release()
    await daemon.close()
    rmSync(config['exec-root'], { recursive: true, force: true })
  } finally {
    removePidFile()
  }
}

/** Resolves at the latest after the limit; what did not end then is a fault of ours, and logged as one. */
async function endWithin(limitMs: number, what: string, logger: Logger, work: Promise<void>): Promise<void> {
  const ended = new AbortController()
  const late = setTimeout(limitMs, 'late' as const, { signal: ended.signal }).catch(() => {})
  if ((await Promise.race([work, late])) === 'late') logger.error({ limitMs }, `${what} did not close in time`)
  ended.abort()
}

async function serve(config: DaemonConfig, line: CommandLine, warnings: readonly string[]): Promise<void> {
  const environment = takeServiceEnvironment(process.env, process.pid)
  const logger = createLogger({ level: config['log-level'], format: config['log-format'] ?? 'text' })
  for (const warning of warnings) logger.warn({}, warning)
  setUpProcess(config, logger)
  const removePidFile = writePidFile(config.pidfile)
  try {
    const daemon = await wire(config, logger, { softNofile: environment.softNofile })
    const manager = new ServiceManager({
      environment,
      send: (socket, bytes) => daemon.helper.sendDatagram(socket, bytes),
      checkHealth: () => daemon.helper.ping(),
      systemState: systemdState,
      onError: (err) => logger.warn({ err }, 'the service manager was not told'),
    })
    await daemon.recover()
    const memory = idleMemory({ idleMs: IDLE_MS, collect: collectGarbage })
    const server = createHttpServer({
      engine: daemon.engine,
      log: logger,
      serverVersion: ENGINE_VERSION,
      onRequest: () => memory.began(),
    })
    await openListeners(server, config, { logger, listenDescriptors: environment.listenDescriptors })
    const reload = reloader(line, { config, logger, ...daemon.reload })
    process.on('SIGHUP', () => void manager.reload(reload))
    await manager.ready()
    const signal = await new Promise<string>((resolve) => {
      for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => resolve(name))
    })
    logger.info({ signal }, 'stopping')
    memory.stop()
    await manager.stopping()
    await stopContainers(daemon, config, manager)
    await endWithin(CLOSE_LIMIT_MS, 'the API', logger, server.close(CLOSE_GRACE_MS))
    await endWithin(CLOSE_LIMIT_MS, 'the engine', logger, daemon.close())
  } finally {
    removePidFile()
  }
}

try {
  const line = parseCommandLine(process.argv.slice(2), ENGINE_VERSION)
  const file = readConfigFile(line.configFile, line.configFileNamed)
  const config = mergeConfig(line.flags, file.options)
  if (line.validate) console.log('configuration OK')
  else if (line.release) await release(config)
  else await serve(config, line, [...line.warnings, ...file.warnings])
  process.exitCode = 0
} catch (error) {
  // What the user can mend is said in one line; anything else with its stack.
  console.error(error instanceof ConfigError || (error as { kind?: string }).kind ? (error as Error).message : error)
  process.exit(1)
}
// Node joins its worker threads at the end and can wait there for ever (a wake-up that is lost): everything of ours is
// closed by now, so the process becomes a program that ends.
process.removeAllListeners('warning')
process.on('warning', () => {})
if (existsSync('/bin/sh')) process.execve?.('/bin/sh', ['sh', '-c', 'exit 0'], {})
process.exit()
