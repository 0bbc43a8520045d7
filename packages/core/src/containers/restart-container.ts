/** Stops a container if it runs, and starts it. */
import { conflict } from '../errors/engine-error.ts'
import { type ContainerContext, publishContainerEvent } from './container-context.ts'
import { isRunning } from './container-state.ts'
import { startLocked } from './start-container.ts'
import { checkStopSignal, present, type StopOptions, stopLocked } from './stop-container.ts'

/** Events: kill, die, stop, start, restart. */
export async function restartContainer(
  context: ContainerContext,
  reference: string,
  options: StopOptions,
): Promise<void> {
  const { id } = context.registry.find(reference)
  await context.locks.run(id, async () => {
    const container = present(context, id, reference)
    if (container.beingRemoved || container.record.status === 'dead') {
      throw conflict('container is marked for removal and cannot be started')
    }
    if (isRunning(container.record.status)) checkStopSignal(options, `Cannot restart container ${reference}`)
    container.restarting = true
    try {
      if (isRunning(container.record.status)) await stopLocked(context, container, options)
      container.restartDelayMs = 0
      await startLocked(context, container, { restartCount: 0, manuallyStopped: false })
    } finally {
      container.restarting = false
    }
    publishContainerEvent(context, container, { action: 'restart' })
  })
}
