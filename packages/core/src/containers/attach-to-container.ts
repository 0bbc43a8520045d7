/**
 * Joins a client to a container's streams: what was logged (`logs`), then what comes (`stream`). A container that does
 * not run yet is attached to at its next start, before anything runs in it.
 */
import type { Duplex } from 'node:stream'
import type { AttachOptions, StreamSession } from '../engine.ts'
import { conflict, invalidArgument } from '../errors/engine-error.ts'
import type { MonitorHandle } from '../ports/monitor.ts'
import type { Container } from './container.ts'
import { type ContainerContext, publishContainerEvent } from './container-context.ts'
import { replayLog } from './container-logs.ts'
import { hasProcess, isRunning } from './container-state.ts'
import { defaultDetachKeys, parseDetachKeys } from './detach-keys.ts'
import { type RelayEnd, relay } from './stream-relay.ts'

/** Throws notFound, conflict (paused, restarting) or invalidArgument (detach keys). */
export async function attachToContainer(
  context: ContainerContext,
  reference: string,
  options: AttachOptions,
): Promise<StreamSession> {
  const keys = detachKeysOf(options.detachKeys)
  const container = context.registry.find(reference)
  const { config, status } = container.record
  if (status === 'paused') throw conflict(`container ${reference} is paused, unpause the container before attach`)
  if (status === 'restarting') {
    throw conflict(`container ${reference} is restarting, wait until the container is running`)
  }
  const terminal = config.Tty ?? false
  // Asked for now, joined in `run`: the headers go out first, and no start may come between.
  const attachment = options.stream ? openAttachment(container, options) : undefined
  return {
    multiplexed: !terminal,
    run: async (client, signal) => {
      if (options.logs) await replayLog(context, container, { client, signal, streams: options })
      if (attachment === undefined || signal.aborted) {
        attachment?.cancel()
        return
      }
      publishContainerEvent(context, container, { action: 'attach' })
      const how = await relayAttachment(attachment, { container, client, signal, options, keys })
      if (how === 'detached') publishContainerEvent(context, container, { action: 'detach' })
      await untilStopped(container, { how, signal, terminal })
    },
  }
}

function detachKeysOf(text: string | undefined): readonly number[] {
  if (text === undefined || text === '') return defaultDetachKeys
  const keys = parseDetachKeys(text)
  if (keys === undefined) throw invalidArgument(`Invalid detach keys (${text}) provided`)
  return keys
}

interface Attachment {
  /** undefined: the container was removed, or its start failed, before it ran. */
  process: Promise<Duplex | undefined>
  cancel(): void
}

function openAttachment(container: Container, options: AttachOptions): Attachment {
  const streams = {
    stdin: options.stdin && (container.record.config.OpenStdin ?? false),
    stdout: options.stdout,
    stderr: options.stderr,
  }
  const { run } = container
  if (run !== undefined) return attachNow(run.monitor, streams)
  return attachAtStart(container, streams)
}

type Streams = Parameters<MonitorHandle['attach']>[0]

function attachNow(monitor: MonitorHandle, streams: Streams): Attachment {
  // A process that has just ended leaves no monitor to attach to; the client then sees an empty stream.
  const connected = monitor.attach(streams).catch(() => undefined)
  return { process: connected, cancel: () => void connected.then((stream) => stream?.destroy()) }
}

function attachAtStart(container: Container, streams: Streams): Attachment {
  let settle: (stream: Duplex | undefined) => void = () => {}
  const process = new Promise<Duplex | undefined>((resolve) => {
    settle = resolve
  })
  const pending = {
    async connect(monitor: MonitorHandle) {
      settle(await monitor.attach(streams).catch(() => undefined))
    },
    cancel: () => settle(undefined),
  }
  container.pendingAttachments.add(pending)
  return {
    process,
    cancel: () => {
      container.pendingAttachments.delete(pending)
      settle(undefined)
      void process.then((stream) => stream?.destroy())
    },
  }
}

interface RelayContext {
  container: Container
  client: Duplex
  signal: AbortSignal
  options: AttachOptions
  keys: readonly number[]
}

async function relayAttachment(
  attachment: Attachment,
  { container, client, signal, options, keys }: RelayContext,
): Promise<RelayEnd> {
  const { config } = container.record
  const leave = () => attachment.cancel()
  signal.addEventListener('abort', leave, { once: true })
  try {
    const process = await attachment.process
    if (process === undefined) return 'output-ended'
    return await relay({
      client,
      process,
      signal,
      stdin: options.stdin && (config.OpenStdin ?? false),
      halfClose: (config.StdinOnce ?? false) && !config.Tty,
      detachKeys: config.Tty ? keys : [],
    })
  } finally {
    signal.removeEventListener('abort', leave)
  }
}

/** With StdinOnce and no terminal the connection stays until the container has stopped, as in Docker. */
async function untilStopped(
  container: Container,
  { how, signal, terminal }: { how: RelayEnd; signal: AbortSignal; terminal: boolean },
): Promise<void> {
  const { config, status } = container.record
  if (how !== 'output-ended' || terminal || !config.StdinOnce || signal.aborted) return
  if (!isRunning(status) || !hasProcess(status)) return
  const gone = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
  await Promise.race([container.run?.ended, gone])
}
