/** The log of a container as a stream of lines, framed by stream when there is no terminal. */
import type { Duplex } from 'node:stream'
import type { LogOptions } from '../engine.ts'
import { conflict, invalidArgument } from '../errors/engine-error.ts'
import { followEnd } from '../logs/follow-end.ts'
import { checkReadable } from '../logs/log-config.ts'
import type { Container } from './container.ts'
import type { ContainerContext } from './container-context.ts'
import { isRunning } from './container-state.ts'

export interface LogStream {
  multiplexed: boolean
  chunks: AsyncIterable<Buffer>
}

/** Throws before the first byte: notFound, invalidArgument, conflict (being removed), notImplemented (driver `none`). */
export function containerLogs(context: ContainerContext, reference: string, options: LogOptions): LogStream {
  if (!options.stdout && !options.stderr) throw invalidArgument('Bad parameters: you must choose at least one stream')
  if (options.removed) return removedLogs(context, reference, options)
  const container = context.registry.find(reference)
  const { status, config, hostConfig } = container.record
  if (status === 'removing' || status === 'dead') {
    throw conflict('can not get logs from container which is dead or marked for removal')
  }
  checkReadable(hostConfig.LogConfig)
  const multiplexed = !config.Tty
  return { multiplexed, chunks: chunks(context, container, options) }
}

/** What was kept; nothing more can come. */
function removedLogs(context: ContainerContext, reference: string, options: LogOptions): LogStream {
  const { id, record } = context.removed.find(reference)
  checkReadable(record.hostConfig.LogConfig)
  const { timestamps, details } = options
  const multiplexed = !record.config.Tty
  const query = { ...logQuery(options), path: context.files.keptLogPath(id), follow: false }
  return { multiplexed, chunks: context.logs.chunks(query, { multiplexed, timestamps, details }) }
}

const logQuery = ({ stdout, stderr, sinceNs, untilNs, tail, signal }: LogOptions) => ({
  ...{ stdout, stderr, signal },
  ...(sinceNs !== undefined && { sinceNs }),
  ...(untilNs !== undefined && { untilNs }),
  ...(tail !== undefined && { tail }),
})

function chunks(context: ContainerContext, container: Container, options: LogOptions): AsyncIterable<Buffer> {
  const follow = options.follow && isRunning(container.record.status)
  return context.logs.chunks(
    {
      ...logQuery(options),
      path: context.files.logPath(container.id),
      // A container that does not run has nothing to follow; one that restarts is followed over its restarts.
      follow,
      ...(follow && { ended: followEnd(container, options.signal) }),
    },
    {
      multiplexed: !container.record.config.Tty,
      timestamps: options.timestamps,
      details: options.details,
    },
  )
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
