/** Runs an exec: prepares its monitor, joins the client to it, runs the runtime, records how it ended. */
import type { Duplex } from 'node:stream'
import type * as wire from '@dockerd-ts/api'
import type { Container } from '../containers/container.ts'
import type { ContainerContext } from '../containers/container-context.ts'
import { userOf } from '../containers/container-spec.ts'
import { defaultDetachKeys, parseDetachKeys } from '../containers/detach-keys.ts'
import { unknownExitCode } from '../containers/exit-code.ts'
import { mountIdsOf } from '../containers/id-map.ts'
import { framed, unframed } from '../containers/reframe.ts'
import { execFailure } from '../containers/start-failure.ts'
import { type RelayEnd, relay } from '../containers/stream-relay.ts'
import type { StreamSession } from '../engine.ts'
import { conflict, internal } from '../errors/engine-error.ts'
import type { MonitorHandle, ProcessExit } from '../ports/monitor.ts'
import { buildExecProcess, type OciProcess } from '../spec/index.ts'
import { crashPoint } from '../support/crash-point.ts'
import { frame } from '../support/frames.ts'
import { checkCanExec, commandText, publishExecEvent } from './create-exec.ts'
import type { ExecRecord } from './exec-record.ts'
import type { Exec } from './exec-registry.ts'

/** An ended exec can be inspected this long. */
const keepEndedMs = 5 * 60_000

/**
 * Throws notFound, or conflict when the container does not run. One that was started before is a conflict for a
 * detached start and told in the stream of an attached one. Detached: runs already.
 */
export async function startExec(
  context: ContainerContext,
  execId: string,
  config: wire.ExecStartConfig,
): Promise<StreamSession | undefined> {
  const exec = context.execs.find(execId)
  const { record } = exec
  // What the client reads is decided here, as in dockerd, whatever the process was created with.
  const raw = config.Tty ?? false
  if (record.status !== 'created') {
    const state = record.status === 'exited' ? 'has already run' : 'is already running'
    const refused = conflict(`Error: Exec command ${record.id} ${state}`)
    if (config.Detach) throw refused
    return { multiplexed: !raw, run: async (client) => tell(client, raw, refused.message) }
  }
  const container = context.registry.find(record.containerId)
  checkCanExec(container, record.containerId)
  const [height = 0, width = 0] = config.ConsoleSize ?? []
  if (raw && height > 0 && width > 0) record.config.consoleSize = { height, width }
  beginExec(context, container, exec)
  const prepared = prepareExec(context, container, exec)
  if (config.Detach) {
    await startDetached(context, container, { exec, prepared })
    return undefined
  }
  // The failure of the preparation is told in the stream; until `run` awaits it nobody does.
  prepared.catch(() => {})
  return {
    multiplexed: !raw,
    run: (client, signal) => runAttached(context, container, { exec, prepared, client, signal, raw }),
  }
}

export function beginExec(context: ContainerContext, container: Container, { record }: Exec): void {
  record.status = 'starting'
  publishExecEvent(context, container, record, { action: `exec_start: ${commandText(record)}` })
  context.records.transaction(() => {
    context.records.putExec(record)
    context.events.flush()
  })
  crashPoint('exec:recorded')
}

export async function prepareExec(
  context: ContainerContext,
  container: Container,
  { record }: Exec,
): Promise<MonitorHandle> {
  const { hostConfig, id } = container.record
  const [runtime, process] = await Promise.all([
    context.runtimes.resolve(hostConfig.Runtime),
    execProcess(context, container, record),
  ])
  const processFile = context.files.prepareExec(record.id, process)
  const { terminal, consoleSize, attachStdin } = record.config
  return context.monitors.prepare({
    directory: context.files.execDirectory(record.id),
    runtime: runtime.command,
    process: { kind: 'exec', containerId: id, execId: record.id, processFile },
    terminal,
    ...(terminal && consoleSize !== undefined && { consoleSize }),
    openStdin: attachStdin,
    stdinOnce: true,
    ...(hostConfig.OomScoreAdj && { oomScoreAdj: hostConfig.OomScoreAdj }),
  })
}

const mountedRoot = (context: ContainerContext, { id, record }: Container): Promise<string> =>
  context.rootFilesystems.mount(id, mountIdsOf(context, record.hostConfig))

async function execProcess(context: ContainerContext, container: Container, record: ExecRecord): Promise<OciProcess> {
  const { config } = record
  const containerProcess = await processOf(context, container)
  const root = config.user === '' ? '' : await mountedRoot(context, container)
  return buildExecProcess({
    containerProcess,
    config: container.record.config,
    hostname: container.record.config.Hostname ?? '',
    command: config.command,
    ...(config.user !== '' && {
      user: await userOf(context, root, { user: config.user, groups: container.record.hostConfig.GroupAdd ?? [] }),
    }),
    environment: config.environment,
    workingDirectory: config.workingDirectory,
    terminal: config.terminal,
    ...(config.consoleSize !== undefined && { consoleSize: config.consoleSize }),
    privileged: config.privileged,
    availableCapabilities: context.hostDescription.capabilities,
  })
}

/** The process of the container as it was started; read from its bundle after a restart of the daemon. */
async function processOf(context: ContainerContext, { id, run }: Container): Promise<OciProcess> {
  if (run === undefined) throw conflict(`container ${id} is not running`)
  run.process ??= (await context.files.readSpec(id))?.process
  if (run.process === undefined) throw internal(`the bundle of container ${id} has no readable config.json`)
  return run.process
}

interface Prepared {
  exec: Exec
  prepared: Promise<MonitorHandle>
}

async function startDetached(
  context: ContainerContext,
  container: Container,
  { exec, prepared }: Prepared,
): Promise<void> {
  try {
    await runProcess(context, container, { exec, monitor: await prepared })
  } catch (error) {
    const { exitCode, text } = execFailure(error, exec.record.config.command[0] ?? '')
    await failExec(context, { exec, exitCode })
    throw internal(text, error)
  }
}

interface Attached extends Prepared {
  client: Duplex
  signal: AbortSignal
  /** Without frames. */
  raw: boolean
}

function tell(client: Duplex, raw: boolean, text: string): void {
  const message = Buffer.from(`${text}\r\n`)
  if (client.writable) client.write(raw ? message : frame('stdout', message))
}

/** The stream ends after the exit is recorded, so that who asks then is answered with the exit code. */
async function runAttached(
  context: ContainerContext,
  container: Container,
  { exec, prepared, client, signal, raw }: Attached,
): Promise<void> {
  const { record } = exec
  const { terminal, attachStdin, attachStdout, attachStderr, detachKeys } = record.config
  let relayed: Promise<RelayEnd> | undefined
  let ended: Promise<void>
  try {
    const monitor = await prepared
    const process = await monitor.attach({ stdin: attachStdin, stdout: attachStdout, stderr: attachStderr })
    relayed = relay({
      client,
      process,
      signal,
      stdin: attachStdin,
      halfClose: true,
      ...(raw !== terminal && { output: raw ? unframed() : framed() }),
      detachKeys: terminal ? (parseDetachKeys(detachKeys) ?? defaultDetachKeys) : [],
    })
    ended = (await runProcess(context, container, { exec, monitor })).ended
  } catch (error) {
    const { exitCode, text } = execFailure(error, record.config.command[0] ?? '')
    await failExec(context, { exec, exitCode })
    tell(client, raw, text)
    return
  }
  const how = await relayed
  if (how === 'detached') publishExecEvent(context, container, record, { action: 'exec_detach' })
  if (how === 'output-ended') await ended
}

/** Answers when it runs; `ended` resolves when its end has been recorded. Throws what the runtime said. */
export async function runProcess(
  context: ContainerContext,
  container: Container,
  { exec, monitor }: { exec: Exec; monitor: MonitorHandle },
): Promise<{ ended: Promise<void> }> {
  const process = await monitor.go()
  crashPoint('exec:process-started')
  Object.assign(exec.record, {
    status: 'running',
    pid: process.pid,
    startTimeTicks: process.startTimeTicks,
    bootId: context.hostDescription.bootId,
  })
  context.records.putExec(exec.record)
  return { ended: watchExec(context, container, { exec, monitor }) }
}

/** Also for an exec that a new daemon has adopted. */
export function watchExec(
  context: ContainerContext,
  container: Container,
  { exec, monitor }: { exec: Exec; monitor: MonitorHandle },
): Promise<void> {
  exec.monitor = monitor
  exec.started.resolve()
  const record = ({ exitCode }: Pick<ProcessExit, 'exitCode'>) => endExec(context, container, { exec, exitCode })
  return monitor.exited.then(record, (error: unknown) => {
    context.logger.error({ execId: exec.record.id, err: error }, 'lost the monitor of an exec')
    return record({ exitCode: unknownExitCode })
  })
}

export async function endExec(
  context: ContainerContext,
  container: Container,
  { exec, exitCode }: { exec: Exec; exitCode: number },
): Promise<void> {
  const { record } = exec
  if (record.status === 'exited') return
  crashPoint('exec:exited')
  publishExecEvent(context, container, record, { action: 'exec_die', attributes: { exitCode: String(exitCode) } })
  await failExec(context, { exec, exitCode })
}

/** The end of an exec whose process never ran: as in Docker no event tells of it. */
export async function failExec(
  context: ContainerContext,
  { exec, exitCode }: { exec: Exec; exitCode: number },
): Promise<void> {
  const { record } = exec
  if (record.status === 'exited') return
  exec.monitor = undefined
  exec.started.resolve()
  record.status = 'exited'
  record.exitCode = exitCode
  record.finishedAtNs = String(context.clock.nowNs())
  context.records.transaction(() => {
    context.records.putExec(record)
    context.events.flush()
  })
  forgetLater(context, exec)
  await context.files.removeExec(record.id).catch((error: unknown) => {
    context.logger.warn({ execId: record.id, err: error }, 'could not remove the directory of an exec')
  })
}

/** The result of a probe is in its container's health; its exec is not kept beside it. */
export function forgetLater(context: ContainerContext, exec: Exec): void {
  if (exec.record.probe) forgetExec(context, exec)
  else context.clock.after(keepEndedMs, () => forgetExec(context, exec))
}

export function forgetExec(context: ContainerContext, exec: Exec): void {
  context.execs.delete(exec)
  context.records.deleteExec(exec.record.id)
}
