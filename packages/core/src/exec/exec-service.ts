/** What the HTTP layer calls about execs. */
import type * as wire from '@dockerd-ts/api'
import { type ContainerContext, publishContainerEvent } from '../containers/container-context.ts'
import type { ExecService } from '../engine.ts'
import { conflict } from '../errors/engine-error.ts'
import { createExec } from './create-exec.ts'
import { startExec } from './start-exec.ts'

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

async function resizeExec(
  context: ContainerContext,
  execId: string,
  size: { height: number; width: number },
): Promise<void> {
  const { record, monitor } = context.execs.find(execId)
  if (record.status !== 'running' || monitor === undefined) throw conflict(`exec process ${record.id} is not running`)
  if (record.config.terminal) await monitor.resize(size)
  const container = context.registry.find(record.containerId)
  publishContainerEvent(context, container, {
    action: 'resize',
    attributes: { height: String(size.height), width: String(size.width) },
  })
}
