/** One probe: an exec in the container, with bounds on its start, its time and its output. */
import type { Container } from '../containers/container.ts'
import type { ContainerContext } from '../containers/container-context.ts'
import type { ProbeResult } from '../containers/container-record.ts'
import { internal } from '../errors/engine-error.ts'
import { type CapturedExec, startCapturedExec } from '../exec/captured-exec.ts'
import { registerExec } from '../exec/create-exec.ts'
import type { Exec } from '../exec/exec-registry.ts'
import { forgetExec } from '../exec/start-exec.ts'
import { goDuration } from '../support/go-time.ts'
import { SIGKILL } from '../support/signals.ts'
import { errorMessage } from '../support/undo-stack.ts'
import type { HealthCheck } from './health-check.ts'

/** Docker's own bounds. */
const outputLimitBytes = 4096
const startPatienceMs = 30_000

export interface ProbeOptions {
  check: HealthCheck
  /** Aborted when nobody wants the result any more: the process is killed. */
  signal: AbortSignal
}

/** Never throws: what goes wrong is the result. undefined: it was cancelled. */
export async function runProbe(
  context: ContainerContext,
  container: Container,
  options: ProbeOptions,
): Promise<ProbeResult | undefined> {
  const startNs = String(context.clock.nowNs())
  let exec: Exec | undefined
  const kill = () => void exec?.monitor?.signal(SIGKILL).catch(() => {})
  options.signal.addEventListener('abort', kill)
  const result = (exitCode: number, output: string): ProbeResult | undefined =>
    options.signal.aborted ? undefined : { startNs, endNs: String(context.clock.nowNs()), exitCode, output }
  try {
    const begun = registerExec(context, container.id, {
      AttachStdout: true,
      AttachStderr: true,
      Cmd: options.check.command,
    })
    begun.record.probe = true
    exec = begun
    const probe = await startInTime(context, container, { exec: begun, kill })
    if (options.signal.aborted) kill()
    const inTime = await endsInTime(context, probe, options.check.timeoutMs)
    if (!inTime) {
      kill()
      // Probes that do not die must not pile up.
      await probe.ended
    }
    const text = outputText(probe)
    if (inTime) return result(begun.record.exitCode ?? -1, text)
    return result(-1, `Health check exceeded timeout (${timeText(options.check.timeoutMs)})${text && `: ${text}`}`)
  } catch (error) {
    return result(-1, errorMessage(error))
  } finally {
    options.signal.removeEventListener('abort', kill)
    // One that never began to start is told of by nobody else.
    if (exec?.record.status === 'created') forgetExec(context, exec)
  }
}

/** Starting is not the probe's own time. Few at a time, so that many checks that fall due together share the machine. */
function startInTime(
  context: ContainerContext,
  container: Container,
  { exec, kill }: { exec: Exec; kill: () => void },
): Promise<CapturedExec> {
  return context.probeStarts.run(async () => {
    const starting = startCapturedExec(context, container, { exec, limitBytes: outputLimitBytes })
    const started = await within(context, starting, startPatienceMs)
    if (started !== undefined) return started
    void starting.then(kill, () => {})
    throw internal(`timed out starting health check for container ${container.id}`)
  })
}

const endsInTime = async (context: ContainerContext, probe: CapturedExec, timeoutMs: number): Promise<boolean> =>
  (await within(
    context,
    probe.ended.then(() => true),
    timeoutMs,
  )) ?? false

/** undefined when it takes longer. */
async function within<T>(context: ContainerContext, work: Promise<T>, timeoutMs: number): Promise<T | undefined> {
  let cancel = () => {}
  const tooLate = new Promise<undefined>((resolve) => {
    cancel = context.clock.after(timeoutMs, () => resolve(undefined))
  })
  try {
    return await Promise.race([work, tooLate])
  } finally {
    cancel()
  }
}

function outputText(probe: CapturedExec): string {
  const { text, truncated } = probe.output()
  return truncated ? `${text}...` : text
}

const timeText = (durationMs: number): string => goDuration(BigInt(Math.round(durationMs * 1e6)))
