/** The execs of a container that is removed go with it. */
import type { ContainerContext } from '../containers/container-context.ts'

/** What was noted for a run that has ended is not started in the next one. */
export function forgetUnstartedExecs(context: ContainerContext, containerId: string): void {
  for (const exec of context.execs.of(containerId)) if (exec.record.status === 'created') context.execs.delete(exec)
}

export async function forgetExecs(context: ContainerContext, containerId: string): Promise<void> {
  const execs = context.execs.of(containerId)
  if (execs.length === 0) return
  for (const exec of execs) {
    exec.monitor?.close()
    context.execs.delete(exec)
    await context.files.removeExec(exec.record.id)
  }
  context.records.deleteExecsOf(containerId)
}
