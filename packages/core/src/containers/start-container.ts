/**
 * Starts a container's process. The recipe: record the intent; mount the root filesystem, set up the network and prepare
 * the monitor side by side; build the spec; connect who has attached; run; record the result. A failure takes everything
 * back in reverse.
 */
import { conflict, EngineError, notFound } from '../errors/engine-error.ts'
import { healthAtStart } from '../health/health-state.ts'
import { watchHealth } from '../health/watch-health.ts'
import { logPlan } from '../logs/log-config.ts'
import { logOrigin } from '../logs/log-forwarder.ts'
import type { MonitorHandle } from '../ports/monitor.ts'
import type { ResolvedRuntime } from '../ports/runtime.ts'
import { commandOf, type OciSpec } from '../spec/index.ts'
import { allSettled } from '../support/all-settled.ts'
import { type CrashPoint, crashPoint } from '../support/crash-point.ts'
import { SIGKILL } from '../support/signals.ts'
import { UndoStack } from '../support/undo-stack.ts'
import { type Container, newRun } from './container.ts'
import { type ContainerContext, transition } from './container-context.ts'
import { mountImages } from './container-images.ts'
import { publishNetworkEvents, setUpNetwork } from './container-network.ts'
import type { ContainerStatus } from './container-record.ts'
import { buildContainerSpec } from './container-spec.ts'
import { isRunning } from './container-state.ts'
import { mountVolumes, publishVolumeEvents, unmountVolumes } from './container-volumes.ts'
import { mountIdsOf } from './id-map.ts'
import { watchExit } from './record-exit.ts'
import { removeLocked } from './remove-container.ts'
import { startFailure } from './start-failure.ts'

/** The client's start. Throws notModified when it runs already; the EngineError of what went wrong otherwise. */
export async function startContainer(context: ContainerContext, reference: string): Promise<void> {
  const { id } = context.registry.find(reference)
  await context.locks.run(id, async () => {
    const container = context.registry.get(id)
    if (container === undefined || container.beingRemoved) throw notFound(`No such container: ${reference}`)
    checkStartable(container)
    container.restartDelayMs = 0
    await startLocked(context, container, { restartCount: 0, manuallyStopped: false })
  })
}

/** By the restart policy, with the lock held: keeps the count, and the failure is only recorded, as in Docker. */
export async function startByPolicy(context: ContainerContext, container: Container): Promise<void> {
  try {
    await startLocked(context, container, {
      restartCount: container.record.state.restartCount,
      manuallyStopped: false,
    })
  } catch {
    // startLocked has recorded and logged it.
  }
}

function checkStartable(container: Container): void {
  const { status } = container.record
  if (status === 'paused') throw conflict('cannot start a paused container, try unpause instead')
  // One that waits for its policy's restart counts as running: that restart comes in its own time.
  if (isRunning(status)) throw new EngineError('notModified', '')
  if (status === 'removing' || status === 'dead') {
    throw conflict('container is marked for removal and cannot be started')
  }
}

/** Starts while the container's lock is held. AutoRemove follows a failure too. */
export async function startLocked(
  context: ContainerContext,
  container: Container,
  change: { restartCount: number; manuallyStopped: boolean },
): Promise<void> {
  // The last run's network and mounts are let go first; its names derive from the same id.
  await container.released
  const {
    status: before,
    state: { exitCode },
  } = container.record
  transition(context, container, 'starting', {
    state: { ...change, error: '', exitCode: 0, oomKilled: false, outOfMemoryCount: 0 },
  })
  crashPoint('start:recorded')
  const undo = new UndoStack()
  try {
    const { monitor, spec, runtime } = await runProcess(context, container, undo)
    undo.keep()
    container.run = newRun(monitor)
    container.run.process = spec.process
    crashPoint('start:running-recorded')
    context.logForwarder.follow(container)
    watchExit(context, container, container.run)
    watchHealth(context, container)
    void keepSeccomp(context, container, { spec, runtime })
  } catch (error) {
    await undoStart(context, container, { error, before, exitCode, undo })
  }
}

interface Started {
  monitor: MonitorHandle
  spec: OciSpec
  runtime: ResolvedRuntime
}

async function runProcess(context: ContainerContext, container: Container, undo: UndoStack): Promise<Started> {
  const { record } = container
  const { files, hostDescription } = context
  const runtime = await context.runtimes.resolve(record.hostConfig.Runtime)
  await context.logForwarder.open(container)
  undo.push('run directory', () => files.removeRun(record.id))
  const directory = files.prepareRun(record.id)
  // These are idempotent, so their undo is there before them: a step that fails half way is taken back too.
  undo.push('root filesystem', () => context.rootFilesystems.unmount(record.id))
  undo.push('network', () => context.networks.tearDown(record.id))
  undo.push('volumes', () => unmountVolumes(context, record))
  if (record.hostConfig.IpcMode === 'shareable') {
    undo.push('shared memory', () => files.unmountSharedMemory(record.id))
  }
  const [monitor, root, network, volumePaths, imagePaths] = await allSettled([
    prepareMonitor(context, container, { undo, directory, runtime }),
    reached(
      'start:root-filesystem-mounted',
      context.rootFilesystems.mount(record.id, mountIdsOf(context, record.hostConfig)),
    ),
    reached('start:network-connected', setUpNetwork(context, record)),
    mountVolumes(context, record),
    mountImages(context, record),
  ])
  crashPoint('start:prepared')
  const mountedPaths = new Map([...volumePaths, ...imagePaths])
  const spec = await buildContainerSpec(context, record, { root, network, mountedPaths, runtime })
  files.writeSpec(record.id, spec)
  crashPoint('start:spec-written')
  await Promise.all([...container.pendingAttachments].map((attachment) => attachment.connect(monitor)))
  container.pendingAttachments.clear()
  undo.push('events', async () => {
    publishNetworkEvents(context, record, 'connect')
    publishVolumeEvents(context, record, 'mount')
    publishNetworkEvents(context, record, 'disconnect')
    publishVolumeEvents(context, record, 'unmount')
  })
  const process = await monitor.go()
  crashPoint('start:process-started')
  // Kept as started: from here on the exit, not the undo, cleans up.
  publishNetworkEvents(context, record, 'connect')
  publishVolumeEvents(context, record, 'mount')
  const firstStart = record.nameFiles === undefined
  record.nameFiles = network.nameFiles
  context.records.transaction(() => {
    if (firstStart) context.records.updateContainer(record)
    transition(context, container, 'running', {
      state: {
        pid: process.pid,
        startTimeTicks: process.startTimeTicks,
        bootId: hostDescription.bootId,
        startedAtNs: process.startedAtNs,
        ...healthAtStart(record),
      },
      events: [{ action: 'start' }],
    })
  })
  return { monitor, spec, runtime }
}

/** Off the path of the start. A process that is not confined as it should be must not go on. */
async function keepSeccomp(
  context: ContainerContext,
  container: Container,
  { spec, runtime }: Pick<Started, 'spec' | 'runtime'>,
): Promise<void> {
  const { id, record, run } = container
  try {
    await runtime.keepSeccomp(spec.linux.seccomp, { containerId: id, pid: record.state.pid })
  } catch (error) {
    if (container.run !== run || run === undefined) return
    context.logger.error({ containerId: id, err: error }, 'the container is killed: its seccomp filter is not in force')
    await run.monitor.signal(SIGKILL)
  }
}

async function prepareMonitor(
  context: ContainerContext,
  container: Container,
  { undo, directory, runtime }: { undo: UndoStack; directory: string; runtime: ResolvedRuntime },
): Promise<MonitorHandle> {
  const plan = monitorPlan(context, container, { directory, runtime })
  const monitor = await reached('start:monitor-prepared', context.monitors.prepare(plan))
  undo.push('monitor', () => monitor.close())
  return monitor
}

async function reached<T>(point: CrashPoint, work: Promise<T>): Promise<T> {
  const result = await work
  crashPoint(point)
  return result
}

function monitorPlan(
  context: ContainerContext,
  container: Container,
  { directory, runtime }: { directory: string; runtime: ResolvedRuntime },
) {
  const { record } = container
  const { config, hostConfig } = record
  const parent = hostConfig.CgroupParent || undefined
  const origin = logOrigin(container, context.hostDescription.hostname)
  const log = logPlan(context.files.logPath(record.id), hostConfig.LogConfig, origin)
  const [height = 0, width = 0] = hostConfig.ConsoleSize ?? []
  return {
    directory,
    runtime: runtime.command,
    process: { kind: 'container' as const, containerId: record.id, bundle: directory },
    terminal: config.Tty ?? false,
    ...(config.Tty && height > 0 && width > 0 && { consoleSize: { height, width } }),
    openStdin: config.OpenStdin ?? false,
    stdinOnce: (config.StdinOnce ?? false) && !config.Tty,
    ...(log !== undefined && { log }),
    cgroupDirectories: context.cgroups.directories(record.id, parent),
    runtimeStateDirectory: runtime.stateDirectory(record.id),
  }
}

interface FailedStart {
  error: unknown
  before: ContainerStatus
  /** Of the last run. */
  exitCode: number
  undo: UndoStack
}

async function undoStart(context: ContainerContext, container: Container, failed: FailedStart): Promise<never> {
  const { record } = container
  const failure = startFailure(failed.error, commandOf(record.config)[0] ?? '')
  for (const problem of await failed.undo.unwind()) {
    context.logger.error({ containerId: record.id, err: problem }, 'a failed start could not be undone completely')
  }
  container.cancelPendingAttachments()
  // A restart by the policy that fails leaves the end of the run before it; the error tells of the start.
  const exitCode = failed.before === 'restarting' ? failed.exitCode : failure.exitCode
  const state = { exitCode, error: failure.error.message, pid: 0 }
  transition(context, container, failed.before === 'created' ? 'created' : 'exited', { state })
  context.logger.warn({ containerId: record.id, err: failed.error }, 'container could not be started')
  // Who waits for the next exit would wait for ever: the restart policy does not try again after a failed start.
  if (failed.before === 'restarting') container.tell('exit')
  if (record.hostConfig.AutoRemove) await removeFailed(context, container)
  throw failure.error
}

async function removeFailed(context: ContainerContext, container: Container): Promise<void> {
  try {
    await removeLocked(context, container, true)
  } catch (error) {
    context.logger.error({ containerId: container.id, err: error }, 'could not remove the container that did not start')
  }
}
