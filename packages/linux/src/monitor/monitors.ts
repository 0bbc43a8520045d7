/** Starts, finds and remembers monitors: the Monitors port. */
import { rmSync } from 'node:fs'
import path from 'node:path'
import type { HostHelper, MonitorHandle, MonitorPlan, Monitors, ProcessExit } from '@dockerd-ts/core'
import { operation, tag } from '../syscalls/protocol.ts'
import { connectMonitor, socketName } from './connect.ts'
import { readExitFile } from './exit-file.ts'
import { ConnectedMonitor } from './monitor-handle.ts'
import { planFields } from './plan-fields.ts'

export interface MonitorsOptions {
  helper: Pick<HostHelper, 'spawnMonitor'>
  /** Of monitors, and so of the OCI runtime; the container's process has its own. */
  environment?: Readonly<Record<string, string>>
}

const defaultEnvironment = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' }

export function createMonitors({ helper, environment = defaultEnvironment }: MonitorsOptions): Monitors {
  return {
    prepare: (plan) => prepare(plan, { helper, environment }),
    adopt,
    readExit: (directory: string): Promise<ProcessExit | undefined> => readExitFile(directory),
  }
}

async function prepare(plan: MonitorPlan, options: Required<MonitorsOptions>): Promise<MonitorHandle> {
  const { directory } = plan
  // What an earlier run left must not be taken for this one's end.
  rmSync(path.join(directory, 'exit.json'), { force: true })
  const { pid } = await options.helper.spawnMonitor({
    arguments: ['monitor', directory],
    environment: options.environment,
    socketPath: path.join(directory, socketName),
  })
  // The helper made the socket, so this does not wait until the program runs.
  const monitor = new ConnectedMonitor(directory, await connectMonitor(directory))
  monitor.monitorPid = pid
  monitor.plan(planFields(plan))
  return monitor
}

async function adopt(directory: string): Promise<MonitorHandle | undefined> {
  let monitor: ConnectedMonitor
  try {
    monitor = new ConnectedMonitor(directory, await connectMonitor(directory))
  } catch (error) {
    if (isNobodyThere(error)) return undefined
    throw error
  }
  try {
    const answer = await monitor.request(operation.HELLO)
    monitor.monitorPid = answer.number(tag.MONITOR_PID) ?? 0
    monitor.takeProcess(answer)
    monitor.takeExitOf(answer)
    return monitor
  } catch {
    // It left between our connecting and its answer.
    monitor.close()
    return undefined
  }
}

function isNobodyThere(error: unknown): boolean {
  return ['ENOENT', 'ECONNREFUSED', 'ENOTDIR', 'ECONNRESET'].includes((error as NodeJS.ErrnoException).code ?? '')
}
