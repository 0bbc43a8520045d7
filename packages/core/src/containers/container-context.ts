/** What every use case of containers works with, and the one way in which a status changes. */
import type { EngineDependencies } from '../engine-dependencies.ts'
import type { ExecRegistry } from '../exec/exec-registry.ts'
import type { LogForwarder } from '../logs/log-forwarder.ts'
import type { RemovedContainers } from '../removed/removed-containers.ts'
import type { KeyedMutex } from '../support/keyed-mutex.ts'
import type { Limiter } from '../support/limiter.ts'
import type { Container } from './container.ts'
import type { ContainerStatus, RuntimeState } from './container-record.ts'
import type { ContainerRegistry } from './container-registry.ts'
import { checkTransition } from './container-state.ts'
import type { ImageDirectories } from './image-directories.ts'

export interface ContainerContext extends EngineDependencies {
  registry: ContainerRegistry
  locks: KeyedMutex
  execs: ExecRegistry
  logForwarder: LogForwarder
  removed: RemovedContainers
  imageDirectories: ImageDirectories
  /** Health probes of all containers that are just being started. */
  probeStarts: Limiter
  /** The start of a restart policy, with the container's lock held; never throws: a failure is recorded and logged. */
  startAgain: (container: Container) => Promise<void>
  /** For a run that was just found unhealthy; does nothing unless that is wanted. Never throws. */
  foundUnhealthy: (container: Container) => void
  /** The daemon is ending: what stops now is not started again by its policy. */
  stopping: boolean
}

export interface ContainerEventSpec {
  action: string
  attributes?: Readonly<Record<string, string>>
}

/** Publishes one event of a container: its labels, image and name, and what the action adds. */
export function publishContainerEvent(
  context: ContainerContext,
  container: Container,
  event: ContainerEventSpec,
): void {
  const { record } = container
  context.events.publish({
    type: 'container',
    action: event.action,
    actorId: record.id,
    attributes: {
      ...record.config.Labels,
      image: record.config.Image ?? '',
      name: record.name,
      ...event.attributes,
    },
  })
}

/** Changes the status and state and tells of it, in one commit. */
export function transition(
  context: ContainerContext,
  container: Container,
  to: ContainerStatus,
  change: { state?: Partial<RuntimeState>; events?: readonly ContainerEventSpec[] } = {},
): void {
  const { record } = container
  checkTransition(record.status, to)
  context.logger.debug({ containerId: record.id, from: record.status, to }, 'container status')
  record.status = to
  saveState(context, container, change)
  container.tellChange()
}

/** The same without a change of status. */
export function saveState(
  context: ContainerContext,
  container: Container,
  change: { state?: Partial<RuntimeState>; events?: readonly ContainerEventSpec[] },
): void {
  Object.assign(container.record.state, change.state)
  for (const event of change.events ?? []) publishContainerEvent(context, container, event)
  context.records.transaction(() => {
    context.records.updateContainerState(container.record)
    context.events.flush()
  })
}
