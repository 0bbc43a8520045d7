/** Removes the containers that do not run. */
import type * as wire from '@dockerd-ts/api'
import type { Filters } from '../engine.ts'
import { EngineError } from '../errors/engine-error.ts'
import type { ContainerContext } from './container-context.ts'
import { pruneFilter } from './container-filters.ts'
import { isRunning } from './container-state.ts'
import { removeLocked } from './remove-container.ts'

export async function pruneContainers(
  context: ContainerContext,
  filters: Filters,
): Promise<wire.ContainerPruneResponse> {
  const matches = pruneFilter(context, filters)
  const deleted: string[] = []
  let reclaimedBytes = 0
  for (const container of context.registry.all().filter(matches)) {
    const prunable = () => !isRunning(container.record.status) && !container.beingRemoved
    if (!prunable()) continue
    await context.locks.run(container.id, async () => {
      if (!prunable() || container.record.status === 'starting') return
      try {
        const bytes = await context.rootFilesystems.writableSizeBytes(container.id)
        await removeLocked(context, container, false)
        deleted.push(container.id)
        reclaimedBytes += bytes
      } catch (error) {
        if (!(error instanceof EngineError)) throw error
        context.logger.warn({ containerId: container.id, err: error }, 'could not prune the container')
      }
    })
  }
  context.events.publish({
    type: 'container',
    action: 'prune',
    actorId: '',
    attributes: { reclaimed: String(reclaimedBytes) },
  })
  return { ContainersDeleted: deleted.length > 0 ? deleted : null, SpaceReclaimed: reclaimedBytes }
}
