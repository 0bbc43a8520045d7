/**
 * What follows the end of a container's process: the exit is recorded and told, waiters are answered, and only then the
 * network, the mounts and the files of the run are let go; a restart or AutoRemove comes last.
 */
import { forgetUnstartedExecs } from '../exec/forget-execs.ts'
import { healthWithoutProbes } from '../health/health-state.ts'
import { stopHealth } from '../health/watch-health.ts'
import type { ProcessExit } from '../ports/monitor.ts'
import { keepLastWords } from '../runs/last-words.ts'
import { withEndedRun } from '../runs/run-record.ts'
import { crashPoint } from '../support/crash-point.ts'
import { errorMessage } from '../support/undo-stack.ts'
import type { Container, Run } from './container.ts'
import { type ContainerContext, type ContainerEventSpec, saveState, transition } from './container-context.ts'
import { publishNetworkEvents } from './container-network.ts'
import { hasProcess } from './container-state.ts'
import { publishVolumeEvents, unmountVolumes } from './container-volumes.ts'
import { deleteFromRuntime } from './delete-from-runtime.ts'
import { unknownExitCode } from './exit-code.ts'
import { removeAfterRun } from './remove-container.ts'
import { restartDelayMs } from './restart-policy.ts'

export function watchExit(context: ContainerContext, container: Container, run: Run): void {
  run.monitor.onOutOfMemory(() => recordOutOfMemory(context, container, run))
  // In the moments of the start, or while no daemon was looking.
  recordOutOfMemory(context, container, run)
  void run.monitor.exited.then(
    (exit) => recordExit(context, container, exit),
    async (error) => {
      context.logger.error({ containerId: container.id, err: error }, 'lost the container’s monitor')
      const exit = await context.monitors.readExit(context.files.runDirectory(container.id))
      // Without its monitor the process would go on unseen.
      await deleteFromRuntime(context, container)
      recordExit(context, container, exit ?? unknownExit(context, error))
    },
  )
}

/** The container may go on: the kernel kills one process of it, which need not be the first. */
function recordOutOfMemory(context: ContainerContext, container: Container, run: Run): void {
  const { outOfMemoryCount } = run.monitor
  const { status, state } = container.record
  if (container.run !== run || !hasProcess(status) || outOfMemoryCount <= (state.outOfMemoryCount ?? 0)) return
  saveState(context, container, { state: { oomKilled: true, outOfMemoryCount }, events: [{ action: 'oom' }] })
}

export const unknownExit = (context: ContainerContext, cause: unknown): ProcessExit => ({
  exitCode: unknownExitCode,
  oomKilled: false,
  finishedAtNs: String(context.clock.nowNs()),
  startError: `the end of the container was not seen: ${errorMessage(cause)}`,
})

/** Synchronous up to the answer of the waiters; the clean-up that follows is `container.released`. */
export function recordExit(context: ContainerContext, container: Container, exit: ProcessExit): void {
  const { record, run } = container
  if (!hasProcess(record.status)) return
  crashPoint('exit:seen')
  stopHealth(container)
  const durationNs = BigInt(exit.finishedAtNs) - BigInt(record.state.startedAtNs || exit.finishedAtNs)
  const delayMs = context.stopping
    ? undefined
    : restartDelayMs({
        policy: record.hostConfig.RestartPolicy,
        exitCode: exit.exitCode,
        manuallyStopped: record.state.manuallyStopped,
        runDurationNs: durationNs,
        restartCount: record.state.restartCount,
        previousDelayMs: container.restartDelayMs,
      })
  const wasPaused = record.status === 'paused'
  // Told before `die`, as in Docker, though nobody waits for it: who would be in its way then waits for `released`.
  publishNetworkEvents(context, record, 'disconnect')
  publishVolumeEvents(context, record, 'unmount')
  transition(context, container, delayMs === undefined ? 'exited' : 'restarting', {
    state: {
      pid: 0,
      startTimeTicks: 0,
      exitCode: exit.exitCode,
      oomKilled: exit.oomKilled || record.state.oomKilled,
      finishedAtNs: exit.finishedAtNs,
      error: exit.startError ?? '',
      runs: withEndedRun(record.state, exit, container.endsUnhealthy),
      ...healthWithoutProbes(record),
      ...(delayMs !== undefined && { restartCount: record.state.restartCount + 1 }),
    },
    events: exitEvents(exit, { durationNs, oomTold: record.state.oomKilled }),
  })
  crashPoint('exit:recorded')
  context.logger.info({ containerId: record.id, exitCode: exit.exitCode, wasPaused }, 'container exited')
  container.run = undefined
  run?.end()
  forgetUnstartedExecs(context, record.id)
  container.tell('exit')
  container.released = releaseRun(context, container)
  if (delayMs !== undefined) scheduleRestart(context, container, delayMs)
  else if (record.hostConfig.AutoRemove && !container.restarting) void removeAfterRun(context, container)
}

function exitEvents(
  exit: ProcessExit,
  { durationNs, oomTold }: { durationNs: bigint; oomTold: boolean },
): ContainerEventSpec[] {
  const execDuration = String(durationNs / 1_000_000_000n)
  const die = { action: 'die', attributes: { execDuration, exitCode: String(exit.exitCode) } }
  return exit.oomKilled && !oomTold ? [{ action: 'oom' }, die] : [die]
}

/** Lets go of everything that a run holds on the host, which has been told; each step is idempotent, a failure is logged and left to reconcile. */
export async function releaseRun(context: ContainerContext, container: Container): Promise<void> {
  const { record } = container
  const attempt = async (what: string, work: () => Promise<void>) => {
    try {
      await work()
    } catch (error) {
      context.logger.error({ containerId: record.id, err: error }, `could not ${what}`)
    }
  }
  await Promise.all([
    attempt('release the network', async () => {
      await context.networks.tearDown(record.id)
      crashPoint('exit:network-released')
      await unmountVolumes(context, record)
    }),
    attempt('unmount the root filesystem', async () => {
      await context.rootFilesystems.unmount(record.id)
      crashPoint('exit:unmounted')
    }),
    attempt('unmount /dev/shm', async () => {
      if (record.hostConfig.IpcMode === 'shareable') await context.files.unmountSharedMemory(record.id)
    }),
    attempt('keep the last words', () => keepLastWords(context, container)),
    attempt('remove the run directory', () => context.files.removeRun(record.id)),
  ])
}

/** The policy's restart: waits its time, then starts unless somebody stopped, removed or started it meanwhile. */
function scheduleRestart(context: ContainerContext, container: Container, delayMs: number): void {
  container.restartDelayMs = delayMs
  const cancelTimer = context.clock.after(delayMs, () => {
    void context.locks.run(container.id, async () => {
      if (cancelled || container.record.status !== 'restarting') return
      container.cancelRestart = undefined
      await context.startAgain(container)
    })
  })
  let cancelled = false
  container.cancelRestart = () => {
    cancelled = true
    cancelTimer()
    container.cancelRestart = undefined
  }
  crashPoint('restart:scheduled')
}
