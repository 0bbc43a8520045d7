/** Execs after a restart of the daemon: those that run are adopted, the others have ended. */
import type { ContainerContext } from '../containers/container-context.ts'
import { hasProcess } from '../containers/container-state.ts'
import { unknownExitCode } from '../containers/exit-code.ts'
import type { Exec } from '../exec/exec-registry.ts'
import { endExec, forgetLater, watchExec } from '../exec/start-exec.ts'
import { SIGKILL } from '../support/signals.ts'

export async function reconcileExecs(context: ContainerContext): Promise<void> {
  for (const exec of context.execs.all()) {
    const container = context.registry.get(exec.record.containerId)
    if (container === undefined) {
      context.execs.delete(exec)
      context.records.deleteExec(exec.record.id)
      continue
    }
    if (exec.record.status === 'exited') {
      forgetLater(context, exec)
      continue
    }
    const monitor = hasProcess(container.record.status) ? await adoptExec(context, exec) : undefined
    if (monitor !== undefined) {
      void watchExec(context, container, { exec, monitor })
      // Nobody counts its time any more, and the container is probed again.
      if (exec.record.probe) await monitor.signal(SIGKILL)
      continue
    }
    const exit = await context.monitors.readExit(context.files.execDirectory(exec.record.id))
    await endExec(context, container, { exec, exitCode: exit?.exitCode ?? unknownExitCode })
  }
}

async function adoptExec(context: ContainerContext, exec: Exec) {
  const monitor = await context.monitors.adopt(context.files.execDirectory(exec.record.id))
  const process = monitor?.process
  if (monitor === undefined || process === undefined) {
    monitor?.close()
    return undefined
  }
  Object.assign(exec.record, {
    status: 'running',
    pid: process.pid,
    startTimeTicks: process.startTimeTicks,
    bootId: context.hostDescription.bootId,
  })
  context.records.putExec(exec.record)
  return monitor
}
