/**
 * Removes a container with everything that is its own. A container with volumes to remove is journalled as `removing`;
 * otherwise the row goes first and the files after, since reconcile removes files without a row.
 */
import { conflict, internal, isEngineError, notFound } from '../errors/engine-error.ts'
import { forgetExecs } from '../exec/forget-execs.ts'
import { crashPoint } from '../support/crash-point.ts'
import { SIGKILL } from '../support/signals.ts'
import { errorMessage } from '../support/undo-stack.ts'
import type { Container } from './container.ts'
import { type ContainerContext, publishContainerEvent, transition } from './container-context.ts'
import { imagesOf } from './container-images.ts'
import type { ContainerStatus } from './container-record.ts'
import { hasProcess, isRunning, wireStatus } from './container-state.ts'
import { removeAnonymousVolumes, volumeMounts } from './container-volumes.ts'
import { kill } from './kill-container.ts'

export interface RemoveOptions {
  volumes: boolean
  force: boolean
  link: boolean
}

/** Throws conflict when it runs and force was not asked, or when a removal is under way. */
export async function removeContainer(
  context: ContainerContext,
  reference: string,
  options: RemoveOptions,
): Promise<void> {
  if (options.link) return removeLink(context, reference)
  const container = context.registry.find(reference)
  if (container.beingRemoved) throw conflict(`removal of container ${reference} is already in progress`)
  // The end of a stop that is waiting patiently under the lock is what force is for.
  if (options.force) await killForRemoval(context, container)
  await context.locks.run(container.id, async () => {
    if (context.registry.get(container.id) !== container) throw notFound(`No such container: ${reference}`)
    if (isRunning(container.record.status)) {
      if (!options.force) throw runningConflict(container)
      await killForRemoval(context, container)
    }
    await removeLocked(context, container, options.volumes)
  })
}

function runningConflict(container: Container) {
  const status = wireStatus(container.record)
  const advice =
    status === 'paused' ? ' and must be unpaused first' : ': stop the container before removing or force remove'
  return conflict(`cannot remove container "/${container.record.name}": container is ${status}${advice}`)
}

async function killForRemoval(context: ContainerContext, container: Container): Promise<void> {
  if (!isRunning(container.record.status)) return
  try {
    await kill(context, container, SIGKILL)
  } catch (error) {
    if (isEngineError(error, 'conflict')) return
    throw internal(`cannot remove container "/${container.record.name}": could not kill: ${errorMessage(error)}`, error)
  }
}

/** With the lock held, and nothing running. */
export async function removeLocked(context: ContainerContext, container: Container, volumes: boolean): Promise<void> {
  const { record } = container
  const { records, registry } = context
  container.beingRemoved = true
  container.cancelRestart?.()
  const before = record.status
  try {
    await container.released
    await context.logForwarder.finish(container)
    const hasVolumes = volumes && volumeMounts(record.mounts).some((mount) => mount.anonymous)
    beginRemoval(context, container, hasVolumes)
    crashPoint('remove:recorded')
    await context.rootFilesystems.remove(record.id)
    crashPoint('remove:root-filesystem-removed')
    if (hasVolumes) await removeAnonymousVolumes(context, record.id, record.mounts)
    await context.removed.keepLog(record.id)
    crashPoint('remove:log-kept')
    await Promise.all([context.files.removeData(record.id), context.files.removeRun(record.id)])
    crashPoint('remove:files-removed')
    await forgetExecs(context, record.id)
    registry.delete(container)
    publishContainerEvent(context, container, { action: 'destroy' })
    if (hasVolumes) {
      records.transaction(() => {
        records.deleteContainer(record.id)
        context.events.flush()
      })
    }
    crashPoint('remove:row-deleted')
    for (const imageId of imagesOf(record)) context.images.containerRemoved(imageId)
  } catch (error) {
    keepAsDead(context, container, { before, error })
  }
  container.cancelPendingAttachments()
  container.tell('removal')
  void context.removed.sweep()
}

function beginRemoval(context: ContainerContext, container: Container, journalled: boolean): void {
  const { record } = container
  context.records.transaction(() => {
    if (context.removed.wants(record)) context.removed.put(record)
    if (journalled) transition(context, container, 'removing', { state: { removeVolumes: true } })
    else context.records.deleteContainer(record.id)
  })
  record.status = 'removing'
}

/** What could not be removed stays visible, so that the removal can be asked for again. */
function keepAsDead(
  context: ContainerContext,
  container: Container,
  { before, error }: { before: ContainerStatus; error: unknown },
): never {
  const { record } = container
  container.beingRemoved = false
  if (record.status === before) throw error
  record.status = 'dead'
  record.state.error = errorMessage(error)
  context.records.transaction(() => {
    context.removed.takeBack(record.id)
    context.records.deleteContainer(record.id)
    context.records.insertContainer(record)
  })
  throw internal(`unable to remove filesystem for ${record.id}: ${errorMessage(error)}`, error)
}

/** AutoRemove: force and anonymous volumes, whoever the client was. Failures are logged: nobody waits for an answer. */
export async function removeAfterRun(context: ContainerContext, container: Container): Promise<void> {
  if (container.beingRemoved) return
  const remove = async () => {
    if (container.beingRemoved || hasProcess(container.record.status)) return
    await removeLocked(context, container, true)
  }
  try {
    await context.locks.run(container.id, remove)
  } catch (error) {
    context.logger.error({ containerId: container.id, err: error }, 'could not remove the container after its run')
  }
}

/** `rm --link /parent/alias`: the link goes, both containers stay. */
function removeLink(context: ContainerContext, reference: string): void {
  const [parentName = '', alias = ''] = reference.replace(/^\//, '').split('/')
  context.registry.find(reference)
  const parent = context.registry.byName(parentName)
  if (alias === '') throw internal('Conflict, cannot remove the default link name of the container')
  if (parent === undefined) throw internal(`Cannot get parent /${parentName} for link name /${parentName}/${alias}`)
  const links = parent.record.hostConfig.Links ?? []
  parent.record.hostConfig.Links = links.filter((link) => link.split(':')[1] !== alias)
  context.records.updateContainer(parent.record)
}
