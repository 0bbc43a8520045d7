/** Puts the engine together from its parts: the services that the HTTP layer calls, recovery, and the end. */
import { Container } from './containers/container.ts'
import type { ContainerContext } from './containers/container-context.ts'
import { ContainerRegistry } from './containers/container-registry.ts'
import { createContainerService } from './containers/container-service.ts'
import { hasProcess } from './containers/container-state.ts'
import { createContainerUsers, imageUsage } from './containers/container-users.ts'
import { ImageDirectories } from './containers/image-directories.ts'
import { restartsUnhealthy, restartUnhealthy } from './containers/restart-unhealthy.ts'
import { startByPolicy } from './containers/start-container.ts'
import { stopContainer } from './containers/stop-container.ts'
import type { Engine } from './engine.ts'
import type { EngineDependencies } from './engine-dependencies.ts'
import { ExecRegistry, newExec } from './exec/exec-registry.ts'
import { createExecService } from './exec/exec-service.ts'
import { stopHealth } from './health/watch-health.ts'
import { createLogForwarder } from './logs/log-forwarder.ts'
import { type Recovery, reconcile } from './recovery/reconcile.ts'
import { startAtBoot } from './recovery/start-at-boot.ts'
import { RemovedContainers } from './removed/removed-containers.ts'
import { KeyedMutex } from './support/keyed-mutex.ts'
import { Limiter } from './support/limiter.ts'
import { engineId } from './system/system-info.ts'
import { createSystemService } from './system/system-service.ts'

/** Health probes that start at the same time; one takes some milliseconds of a core. */
const probeStartLimit = 4

export interface RunnableEngine extends Engine {
  /**
   * Brings records and host into agreement; call it once, before the socket accepts requests. What is to be started by
   * its policy starts afterwards, in the background: `startsEnded` resolves when that is done.
   */
  recover(): Promise<Omit<Recovery, 'toStart'> & { startsEnded: Promise<void> }>
  /** Stops every container, each with its own signal and at most this long, before the machine or the daemon ends. */
  stopAll(timeoutSeconds: number): Promise<void>
  /** The opposite of `recover`: ends every container, starts none, and takes off the host what the engine made. Rows and data stay. */
  release(): Promise<void>
  /** The daemon's configuration was read again: tells clients by an event. */
  reloaded(attributes: Record<string, string>): void
  /** Lets go of the monitors; containers run on. */
  close(): Promise<void>
}

export function createEngine(dependencies: EngineDependencies): RunnableEngine {
  const removed = new RemovedContainers(dependencies)
  const context: ContainerContext = {
    ...dependencies,
    startAgain: (container) => startByPolicy(context, container),
    foundUnhealthy: (container) => {
      const { run, record } = container
      if (run === undefined || !restartsUnhealthy(record, context.settings.restartUnhealthy)) return
      void restartUnhealthy(context, container, run)
    },
    registry: new ContainerRegistry(),
    execs: new ExecRegistry(),
    logForwarder: createLogForwarder(dependencies),
    removed,
    locks: new KeyedMutex(),
    imageDirectories: new ImageDirectories(),
    probeStarts: new Limiter(probeStartLimit),
    stopping: false,
  }
  for (const record of context.records.listContainers()) context.registry.add(new Container(record))
  for (const record of context.records.listExecs()) context.execs.add(newExec(record))
  context.images.setUsage(imageUsage(context))
  const users = createContainerUsers(context)
  const volumes = dependencies.volumeService(users)
  const disk = { ...dependencies.disk, owners: [...dependencies.disk.owners, removed] }
  return {
    containers: createContainerService(context),
    exec: createExecService(context),
    images: dependencies.imageService,
    networks: dependencies.networkService(users),
    volumes,
    system: createSystemService({ context, images: dependencies.imageService, volumes, disk }),
    recover: () => recover(context),
    stopAll: (timeoutSeconds) => stopAll(context, timeoutSeconds),
    release: () => release(context),
    reloaded: (attributes) => {
      context.events.publish({ type: 'daemon', action: 'reload', actorId: engineId(context), attributes })
      // How long and how much is kept of removed containers may be another now.
      void removed.sweep()
    },
    close: () => close(context),
  }
}

async function recover(context: ContainerContext) {
  const { toStart, ...recovery } = await reconcile(context)
  return { ...recovery, startsEnded: startAtBoot(context, toStart) }
}

/** None is taken for stopped by its user: the next daemon starts them again by their policies. */
async function stopAll(context: ContainerContext, timeoutSeconds: number): Promise<void> {
  context.stopping = true
  for (const container of context.registry.all()) container.cancelRestart?.()
  const running = context.registry.all().filter(({ record }) => hasProcess(record.status))
  await Promise.allSettled(running.map(({ id }) => stopContainer(context, id, { timeoutSeconds })))
  await Promise.all(context.registry.all().map(({ released }) => released))
}

async function release(context: ContainerContext): Promise<void> {
  context.stopping = true
  await reconcile(context)
  await stopAll(context, context.settings.defaultStopTimeoutSeconds)
  await context.networks.release()
}

async function close(context: ContainerContext): Promise<void> {
  context.stopping = true
  context.removed.close()
  await context.logForwarder.close()
  for (const container of context.registry.all()) {
    container.cancelRestart?.()
    container.cancelPendingAttachments()
    stopHealth(container)
    // Exits that are being recorded right now are let finish; the others are found by the next daemon.
    await container.released
    container.run?.monitor.close()
  }
  for (const exec of context.execs.all()) exec.monitor?.close()
  context.events.flush()
}
