/** The pid file: refuses a second daemon, ignores what a dead one left. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { ConfigError } from '../config/load-config.ts'

function runningDaemon(path: string): number | undefined {
  try {
    const pid = Number(readFileSync(path, 'utf8').trim())
    if (!Number.isInteger(pid) || pid < 1 || pid === process.pid) return undefined
    // A pid alone may have been given to another program since.
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('dockerd') ? pid : undefined
  } catch {
    return undefined
  }
}

/** Writes our pid; answers the function that removes the file again. Throws in dockerd's words when another runs. */
export function writePidFile(path: string): () => void {
  const pid = runningDaemon(path)
  if (pid !== undefined) {
    throw new ConfigError(
      `failed to start daemon, ensure docker is not running or delete ${path}: process with PID ${pid} is still running`,
    )
  }
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, `${process.pid}`, { mode: 0o644 })
  return () => rmSync(path, { force: true })
}
