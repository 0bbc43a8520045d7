/** What a dead monitor could not clean up: the runtime's state, processes without a parent, cgroups. */
import { errorMessage } from '../support/undo-stack.ts'
import type { Container } from './container.ts'
import type { ContainerContext } from './container-context.ts'

export async function deleteFromRuntime(context: ContainerContext, { record }: Container): Promise<void> {
  try {
    const runtime = await context.runtimes.resolve(record.hostConfig.Runtime)
    await runtime.deleteForce(record.id)
    await context.cgroups.remove(record.id, record.hostConfig.CgroupParent || undefined)
  } catch (error) {
    context.logger.warn({ containerId: record.id, err: error }, `could not clean up: ${errorMessage(error)}`)
  }
}
