/** The log of a container as a stream of lines, framed by stream when there is no terminal. */
import type { Duplex } from 'node:stream'
import type { LogOptions } from '../engine.ts'
import { conflict, invalidArgument } from '../errors/engine-error.ts'
import type { Container } from './container.ts'
import type { ContainerContext } from './container-context.ts'
import { isRunning } from './container-state.ts'
import { checkReadable } from './log-config.ts'

export interface LogStream {
  multiplexed: boolean
  chunks: AsyncIterable<Buffer>
}

/** Throws before the first byte: notFound, invalidArgument, conflict (being removed), notImplemented (driver `none`). */
export function containerLogs(context: ContainerContext, reference: string, options: LogOptions): LogStream {
  if (!options.stdout && !options.stderr) throw invalidArgument('Bad parameters: you must choose at least one stream')
  const container = context.registry.find(reference)
  const { status, config, hostConfig } = container.record
  if (status === 'removing' || status === 'dead') {
    throw conflict('can not get logs from container which is dead or marked for removal')
  }
  checkReadable(hostConfig.LogConfig)
  const multiplexed = !config.Tty
  return { multiplexed, chunks: chunks(context, container, options) }
}

function chunks(context: ContainerContext, container: Container, options: LogOptions): AsyncIterable<Buffer> {
  const follow = options.follow && isRunning(container.record.status)
  return context.logs.chunks(
    {
      path: context.files.logPath(container.id),
      stdout: options.stdout,
      stderr: options.stderr,
      ...(options.sinceNs !== undefined && { sinceNs: options.sinceNs }),
      ...(options.untilNs !== undefined && { untilNs: options.untilNs }),
      ...(options.tail !== undefined && { tail: options.tail }),
      // A container that does not run has nothing to follow; one that restarts is followed over its restarts.
      follow,
      ...(follow && { ended: followEnd(container, options.signal) }),
      signal: options.signal,
    },
    {
      multiplexed: !container.record.config.Tty,
      timestamps: options.timestamps,
      details: options.details,
    },
  )
}

/** Aborted when the run that is being followed has ended and no restart follows. */
function followEnd(container: Container, signal: AbortSignal): AbortSignal {
  const end = new AbortController()
  const watch = async () => {
    while (!signal.aborted) {
      const { run } = container
      if (run === undefined && container.record.status !== 'restarting') break
      if (run !== undefined) await Promise.race([run.ended, aborted(signal)])
      else await nextChange(container, signal)
    }
    end.abort()
  }
  void watch()
  return end.signal
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })

/** While the policy waits to restart: until it runs again or has given up. */
async function nextChange(container: Container, signal: AbortSignal): Promise<void> {
  await Promise.race([container.changed(), aborted(signal)])
}

/** `attach?logs=1`: what is in the log so far, before the stream. */
export async function replayLog(
  context: ContainerContext,
  container: Container,
  { client, signal, streams }: { client: Duplex; signal: AbortSignal; streams: { stdout: boolean; stderr: boolean } },
): Promise<void> {
  checkReadable(container.record.hostConfig.LogConfig)
  const options = { ...streams, follow: false, timestamps: false, details: false, signal }
  for await (const chunk of chunks(context, container, options)) {
    if (signal.aborted) return
    if (!client.write(chunk)) await drained(client, signal)
  }
}

function drained(client: Duplex, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    client.once('drain', resolve)
    client.once('close', resolve)
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
