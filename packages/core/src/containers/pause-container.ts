/** Freezes and thaws the processes of a container. */
import { conflict, internal, notFound } from '../errors/engine-error.ts'
import { healthWithoutProbes } from '../health/health-state.ts'
import { stopHealth, watchHealth } from '../health/watch-health.ts'
import { crashPoint } from '../support/crash-point.ts'
import type { Container } from './container.ts'
import { type ContainerContext, transition } from './container-context.ts'
import { hasProcess } from './container-state.ts'

export function pauseContainer(context: ContainerContext, reference: string): Promise<void> {
  return locked(context, reference, async (container) => {
    const { record } = container
    if (record.status === 'restarting') {
      throw conflict(`Container ${record.id} is restarting, wait until the container is running`)
    }
    if (!hasProcess(record.status)) throw conflict(`container ${record.id} is not running`)
    if (record.status === 'paused') throw conflict(`Container ${record.id} is already paused`)
    await freeze(context, container, { pausedForCommit: false })
  })
}

export function unpauseContainer(context: ContainerContext, reference: string): Promise<void> {
  return locked(context, reference, async (container) => {
    const { record } = container
    // Docker answers 500 here, and 409 for a second pause.
    if (record.status !== 'paused') throw internal(`Container ${record.id} is not paused`)
    await thaw(context, container)
  })
}

/** Answers whether it was paused for this; one that is paused or does not run stays as it is. */
export async function pauseForCommit(context: ContainerContext, container: Container): Promise<boolean> {
  return context.locks.run(container.id, async () => {
    if (container.record.status !== 'running') return false
    await freeze(context, container, { pausedForCommit: true })
    return true
  })
}

/** Somebody may have let it go on meanwhile, or ended it. */
export async function unpauseAfterCommit(context: ContainerContext, container: Container): Promise<void> {
  await context.locks.run(container.id, async () => {
    if (container.record.status === 'paused' && container.record.state.pausedForCommit) await thaw(context, container)
  })
}

async function freeze(
  context: ContainerContext,
  container: Container,
  state: { pausedForCommit: boolean },
): Promise<void> {
  const { record } = container
  await context.cgroups.freeze(record.id, record.hostConfig.CgroupParent || undefined)
  crashPoint('pause:frozen')
  if (record.status !== 'running') return
  stopHealth(container)
  transition(context, container, 'paused', {
    state: { ...healthWithoutProbes(record), ...state },
    events: [{ action: 'pause' }],
  })
}

async function thaw(context: ContainerContext, container: Container): Promise<void> {
  const { record } = container
  await context.cgroups.thaw(record.id, record.hostConfig.CgroupParent || undefined)
  crashPoint('unpause:thawed')
  const state = { pausedForCommit: false }
  // A kill may have ended it while it thawed.
  if (record.status !== 'paused') return
  transition(context, container, 'running', { state, events: [{ action: 'unpause' }] })
  watchHealth(context, container)
}

async function locked(
  context: ContainerContext,
  reference: string,
  work: (container: Container) => Promise<void>,
): Promise<void> {
  const { id } = context.registry.find(reference)
  await context.locks.run(id, async () => {
    const container = context.registry.get(id)
    if (container === undefined) throw notFound(`No such container: ${reference}`)
    await work(container)
  })
}
