/** What the HTTP layer calls about execs. */
import type * as wire from '@dockerd-ts/api'
import { type ContainerContext, publishContainerEvent } from '../containers/container-context.ts'
import type { ExecService } from '../engine.ts'
import { internal, notFound } from '../errors/engine-error.ts'
import { createExec } from './create-exec.ts'
import type { Exec } from './exec-registry.ts'
import { startExec } from './start-exec.ts'

/** Docker's. */
const startTimeoutMs = 10_000

export function createExecService(context: ContainerContext): ExecService {
  return {
    create: async (container, config) => createExec(context, container, config),
    start: (execId, config) => startExec(context, execId, config),
    resize: (execId, size) => resizeExec(context, execId, size),
    inspect: async (execId) => inspectExec(context, execId),
  }
}

function inspectExec(context: ContainerContext, execId: string): wire.ExecInspectResponse {
  const { record } = context.execs.find(execId)
  const { command, terminal, privileged, user, attachStdin, attachStdout, attachStderr, detachKeys } = record.config
  const [entrypoint = '', ...rest] = command
  return {
    ID: record.id,
    Running: record.status === 'running' || record.status === 'starting',
    ExitCode: record.exitCode ?? null,
    ProcessConfig: {
      tty: terminal,
      entrypoint,
      arguments: rest,
      privileged,
      ...(user !== '' && { user }),
    },
    OpenStdin: attachStdin,
    OpenStderr: attachStderr,
    OpenStdout: attachStdout,
    CanRemove: false,
    ContainerID: record.containerId,
    DetachKeys: detachKeys,
    Pid: record.pid,
  }
}

/** Clients set the size as soon as they have the stream, when the process may not run yet. */
async function ready(context: ContainerContext, { started }: Exec): Promise<void> {
  const late = Promise.withResolvers<never>()
  const cancel = context.clock.after(startTimeoutMs, () =>
    late.reject(internal('timeout waiting for exec session ready')),
  )
  await Promise.race([started.promise, late.promise]).finally(cancel)
}

async function resizeExec(
  context: ContainerContext,
  execId: string,
  size: { height: number; width: number },
): Promise<void> {
  const exec = context.execs.find(execId)
  const { record } = exec
  await ready(context, exec)
  const { monitor } = exec
  if (monitor === undefined) throw notFound(`process does not exist ${record.id}: not found`)
  if (record.config.terminal) await monitor.resize(size)
  const container = context.registry.find(record.containerId)
  publishContainerEvent(context, container, {
    action: 'resize',
    attributes: { height: String(size.height), width: String(size.width) },
  })
}
