/** The execs of a container that is removed go with it. */
import type { ContainerContext } from '../containers/container-context.ts'

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
