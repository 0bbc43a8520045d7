/** What the configuration says about the daemon's own process. */
import { writeFileSync } from 'node:fs'
import { ConfigError, type DaemonConfig } from '../config/load-config.ts'
import type { Logger } from './logger.ts'

/** Before anything is started that inherits it. */
export function setUpProcess(config: DaemonConfig, logger: Logger): void {
  const score = config['oom-score-adjust']
  if (score !== undefined) {
    try {
      writeFileSync('/proc/self/oom_score_adj', String(score))
    } catch (error) {
      throw new ConfigError(`could not set oom-score-adjust: ${(error as Error).message}`, { cause: error })
    }
  }
  setProxies(config, logger)
}

/** As dockerd does: the configuration stands above the environment, for all that the daemon itself asks the network. */
function setProxies(config: DaemonConfig, logger: Logger): void {
  for (const [key, name] of [
    ['http-proxy', 'HTTP_PROXY'],
    ['https-proxy', 'HTTPS_PROXY'],
    ['no-proxy', 'NO_PROXY'],
  ] as const) {
    const value = config[key]
    if (!value) continue
    for (const variable of [name, name.toLowerCase()]) {
      const before = process.env[variable]
      if (before !== undefined && before !== value) {
        logger.warn({ name: variable }, 'overriding existing proxy variable with value from configuration')
      }
      process.env[variable] = value
    }
  }
}
