/** An exec without a client: what it writes is kept, up to a bound. Health probes run like this. */
import type { Duplex } from 'node:stream'
import type { Container } from '../containers/container.ts'
import type { ContainerContext } from '../containers/container-context.ts'
import { execFailure } from '../containers/start-failure.ts'
import { internal } from '../errors/engine-error.ts'
import { Unframer } from '../support/frames.ts'
import type { Exec } from './exec-registry.ts'
import { beginExec, failExec, prepareExec, runProcess } from './start-exec.ts'

export interface CapturedExec {
  /** What was written so far; bytes that are no UTF-8 become U+FFFD. */
  output(): { text: string; truncated: boolean }
  /** Resolves when the output has ended and the exit is recorded. */
  ended: Promise<void>
}

/** Answers when the process runs. Throws internal with the runtime's words when it cannot be run. */
export async function startCapturedExec(
  context: ContainerContext,
  container: Container,
  { exec, limitBytes }: { exec: Exec; limitBytes: number },
): Promise<CapturedExec> {
  beginExec(context, container, exec)
  try {
    const monitor = await prepareExec(context, container, exec)
    const stream = await monitor.attach({ stdin: false, stdout: true, stderr: true })
    const capture = captureOutput(stream, limitBytes)
    const { ended } = await runProcess(context, container, { exec, monitor })
    return { output: capture.output, ended: Promise.all([ended, capture.ended]).then(() => {}) }
  } catch (error) {
    const { exitCode, text } = execFailure(error, exec.record.config.command[0] ?? '')
    await failExec(context, { exec, exitCode })
    throw internal(text, error)
  }
}

function captureOutput(stream: Duplex, limitBytes: number) {
  const unframer = new Unframer()
  const kept: Buffer[] = []
  let size = 0
  let truncated = false
  stream.on('data', (piece: Buffer) => {
    const payload = unframer.payload(piece)
    const part = payload.subarray(0, limitBytes - size)
    if (part.length < payload.length) truncated = true
    if (part.length === 0) return
    kept.push(Buffer.from(part))
    size += part.length
  })
  const ended = new Promise<void>((resolve) => {
    for (const event of ['end', 'close', 'error']) stream.once(event, () => resolve())
  })
  // Nobody writes to it: our side is closed at once, so that it closes whole when the output has ended.
  stream.end()
  return { ended, output: () => ({ text: Buffer.concat(kept).toString(), truncated }) }
}
