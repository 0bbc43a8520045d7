/** Restarts a container whose health check says that it is unhealthy, where that was asked for. Beyond Docker. */
import { errorMessage } from '../support/undo-stack.ts'
import type { Container, Run } from './container.ts'
import { type ContainerContext, publishContainerEvent } from './container-context.ts'
import type { ContainerRecord } from './container-record.ts'
import { startLocked } from './start-container.ts'
import { stopLocked } from './stop-container.ts'

export const restartUnhealthyLabel = 'dockerd-ts.restart-unhealthy'

/** The container's label decides; without one the daemon's option. `on-failure:n` keeps its limit. */
export function restartsUnhealthy({ config, hostConfig, state }: ContainerRecord, byDefault: boolean): boolean {
  const label = config.Labels?.[restartUnhealthyLabel]
  if (!(label === undefined ? byDefault : label === 'true')) return false
  const { Name, MaximumRetryCount: maximum = 0 } = hostConfig.RestartPolicy ?? {}
  return Name !== 'on-failure' || maximum === 0 || state.restartCount < maximum
}

/** Events are those of a client's restart. `run` is the one that was found unhealthy: another is left alone. */
export async function restartUnhealthy(context: ContainerContext, container: Container, run: Run): Promise<void> {
  await context.locks.run(container.id, async () => {
    const { record } = container
    if (container.run !== run || record.status !== 'running' || context.stopping) return
    context.logger.warn({ containerId: record.id }, 'the container is unhealthy and is restarted')
    container.restarting = true
    container.endsUnhealthy = true
    try {
      await stopLocked(context, container, {})
      const restartCount = record.state.restartCount + 1
      await startLocked(context, container, { restartCount, manuallyStopped: false })
      publishContainerEvent(context, container, { action: 'restart' })
    } catch (error) {
      const text = `an unhealthy container could not be restarted: ${errorMessage(error)}`
      context.logger.error({ containerId: record.id, err: error }, text)
    } finally {
      container.restarting = false
      container.endsUnhealthy = false
    }
  })
}
