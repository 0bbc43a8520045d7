/**
 * What a new daemon finds: the records say what was decided, the kernel and the files say what is. Every container is
 * brought back to a status that is true, before the socket accepts requests; what belongs to no record is removed.
 */
import { type Container, newRun } from '../containers/container.ts'
import { type ContainerContext, saveState, transition } from '../containers/container-context.ts'
import { hasProcess } from '../containers/container-state.ts'
import { deleteFromRuntime } from '../containers/delete-from-runtime.ts'
import { recordExit, releaseRun, unknownExit, watchExit } from '../containers/record-exit.ts'
import { removeLocked } from '../containers/remove-container.ts'
import { restartsAtBoot } from '../containers/restart-policy.ts'
import { finishUpdate } from '../containers/update-container.ts'
import { healthAtStart } from '../health/health-state.ts'
import { watchHealth } from '../health/watch-health.ts'
import { resolveIfThere } from '../networks/network-service.ts'
import { reconcileExecs } from './reconcile-execs.ts'
import { removeLeftovers } from './remove-leftovers.ts'

/** Containers side by side; a slow disk must not make the daemon wait for each in turn. */
const concurrency = 16

export interface Recovery {
  adopted: number
  ended: number
  removed: number
  /** To be started by their policy once the socket is open. */
  toStart: Container[]
}

export async function reconcile(context: ContainerContext): Promise<Recovery> {
  const recovery: Recovery = { adopted: 0, ended: 0, removed: 0, toStart: [] }
  const containers = context.registry.all()
  const each = (work: (container: Container) => Promise<void>) =>
    inParallel(containers, concurrency, async (container) => {
      try {
        await work(container)
      } catch (error) {
        context.logger.error({ containerId: container.id, err: error }, 'could not bring the container back')
      }
    })
  await each(async (container) => {
    if (await adopt(context, container)) recovery.adopted += 1
  })
  // Before anything of the others is let go: the networks must know first what is there.
  await restoreNetworks(context)
  await each((container) => dropUnwished(context, container))
  await each((container) => settle(context, container, recovery))
  await reconcileExecs(context)
  await removeLeftovers(context)
  for (const container of context.registry.all()) {
    context.logForwarder.follow(container)
    // Not before the leftovers are gone: the files of a probe that has just begun would be taken for some.
    if (container.record.status === 'running') watchHealth(context, container, { adopted: true })
    if (wantsStart(context, container)) recovery.toStart.push(container)
  }
  return recovery
}

async function inParallel<T>(items: readonly T[], limit: number, work: (item: T) => Promise<void>): Promise<void> {
  const iterator = items[Symbol.iterator]()
  const worker = async () => {
    for (let next = iterator.next(); !next.done; next = iterator.next()) await work(next.value)
  }
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker))
}

/** What was not adopted. */
async function settle(context: ContainerContext, container: Container, recovery: Recovery): Promise<void> {
  const { record } = container
  if (container.run !== undefined) return
  switch (record.status) {
    case 'creating':
    case 'removing':
      if (record.status === 'creating') transition(context, container, 'removing', { state: { removeVolumes: true } })
      await finishRemoval(context, container)
      recovery.removed += 1
      return
    case 'starting':
      await undoStart(context, container)
      recovery.ended += 1
      return
    case 'running':
    case 'paused':
    case 'stopping':
      await recordMissedExit(context, container)
      recovery.ended += 1
      return
    case 'restarting':
      // Its timer died with the daemon; the policy decides again below.
      transition(context, container, 'exited')
      return
    case 'created':
    case 'exited':
    case 'dead':
      if (record.hostConfig.AutoRemove && record.state.startedAtNs !== '') {
        await removeLocked(context, container, true)
        recovery.removed += 1
      }
  }
}

async function finishRemoval(context: ContainerContext, container: Container): Promise<void> {
  const { record } = container
  record.status = 'dead'
  await removeLocked(context, container, record.state.removeVolumes ?? false)
}

/** A living monitor whose process is the one that was recorded (or, of a start, whose process runs at all). */
async function adopt(context: ContainerContext, container: Container): Promise<boolean> {
  const { record } = container
  if (record.status !== 'starting' && !hasProcess(record.status)) return false
  // After a reboot nothing of the old life can be alive, whatever the pids say.
  if (record.status !== 'starting' && record.state.bootId !== context.hostDescription.bootId) return false
  const monitor = await context.monitors.adopt(context.files.runDirectory(record.id))
  const process = monitor?.process
  if (monitor === undefined || process === undefined) {
    monitor?.close()
    return false
  }
  const state = {
    pid: process.pid,
    startTimeTicks: process.startTimeTicks,
    bootId: context.hostDescription.bootId,
    startedAtNs: process.startedAtNs,
  }
  container.run = newRun(monitor)
  if (record.status === 'starting') {
    record.nameFiles ??= nameFilesOf(context, record.id)
    context.records.updateContainer(record)
    transition(context, container, 'running', {
      state: { ...state, ...healthAtStart(record) },
      events: [{ action: 'start' }],
    })
  } else if (record.status === 'stopping') {
    transition(context, container, 'running', { state })
  } else saveState(context, container, { state })
  // The commit died with the daemon.
  if (record.status === 'paused' && record.state.pausedForCommit) {
    transition(context, container, 'running', { state: { pausedForCommit: false }, events: [{ action: 'unpause' }] })
  }
  watchExit(context, container, container.run)
  await restoreFreezer(context, container)
  await finishUpdate(context, container)
  return true
}

/** A pause or unpause that was cut off between kernel and record: what was recorded holds. */
async function restoreFreezer(context: ContainerContext, { record }: Container): Promise<void> {
  const parent = record.hostConfig.CgroupParent || undefined
  if (record.status === 'paused') await context.cgroups.freeze(record.id, parent)
  else if (record.status === 'running') await context.cgroups.thaw(record.id, parent)
}

function nameFilesOf(context: ContainerContext, id: string) {
  const directory = context.files.dataDirectory(id)
  return {
    hostnamePath: `${directory}/hostname`,
    hostsPath: `${directory}/hosts`,
    resolvConfPath: `${directory}/resolv.conf`,
  }
}

/** A start that was cut off: its process may even have ended already, then that is its exit. */
async function undoStart(context: ContainerContext, container: Container): Promise<void> {
  const { record } = container
  const exit = await context.monitors.readExit(context.files.runDirectory(record.id))
  if (exit?.pid !== undefined && exit.startError === undefined) {
    transition(context, container, 'running', { state: { startedAtNs: exit.startedAtNs ?? exit.finishedAtNs } })
    recordExit(context, container, exit)
    await container.released
    return
  }
  await deleteFromRuntime(context, container)
  await releaseRun(context, container)
  const error = exit?.startError ?? 'the daemon ended while it was starting the container'
  transition(context, container, record.state.startedAtNs === '' ? 'created' : 'exited', {
    state: { error, exitCode: 128, pid: 0, startTimeTicks: 0 },
  })
  if (record.hostConfig.AutoRemove) await removeLocked(context, container, true)
}

/** It ended while no daemon was looking. */
async function recordMissedExit(context: ContainerContext, container: Container): Promise<void> {
  const { record } = container
  const sameBoot = record.state.bootId === context.hostDescription.bootId
  const found = sameBoot ? await context.monitors.readExit(context.files.runDirectory(record.id)) : undefined
  await deleteFromRuntime(context, container)
  const reason = sameBoot ? 'neither its monitor nor its exit file is there' : 'the machine was started again'
  recordExit(context, container, found ?? unknownExit(context, reason))
  await container.released
}

/** Bridges, tables and ports of what runs; everything of ours that no running container names goes. */
async function restoreNetworks(context: ContainerContext): Promise<void> {
  const live = context.registry.all().filter((container) => hasProcess(container.record.status))
  const { errors } = await context.networks.reconcile(new Set(live.map((container) => container.id)))
  for (const error of errors) context.logger.error({ err: error }, 'a network could not be restored completely')
}

/** A connect or disconnect that was cut off: what is up and in no container's record goes down. */
async function dropUnwished(context: ContainerContext, { id, record, run }: Container): Promise<void> {
  if (run === undefined) return
  const wished = new Set(Object.keys(record.endpoints).map((name) => resolveIfThere(context.networks, name)?.id))
  for (const { networkId } of context.networks.endpointsOf(id)) {
    if (!wished.has(networkId)) await context.networks.disconnect(id, networkId)
  }
}

function wantsStart(context: ContainerContext, container: Container): boolean {
  const { record } = container
  if (record.status === 'restarting') container.cancelRestart?.()
  else if (record.status !== 'exited' && record.status !== 'created') return false
  if (record.status === 'restarting') transition(context, container, 'exited')
  const { state, hostConfig } = record
  return restartsAtBoot({
    policy: hostConfig.RestartPolicy,
    hasRun: state.startedAtNs !== '',
    manuallyStopped: state.manuallyStopped,
    exitCode: state.exitCode,
    restartCount: state.restartCount,
  })
}
