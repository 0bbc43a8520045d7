/** Notes a further process to run in a container; nothing is started yet. */
import type * as wire from '@dockerd-ts/api'
import type { Container } from '../containers/container.ts'
import { type ContainerContext, publishContainerEvent } from '../containers/container-context.ts'
import { hasProcess } from '../containers/container-state.ts'
import { parseDetachKeys } from '../containers/detach-keys.ts'
import { conflict, internal, invalidArgument } from '../errors/engine-error.ts'
import { newId } from '../support/ids.ts'
import type { ExecRecord } from './exec-record.ts'
import { type Exec, newExec } from './exec-registry.ts'

export const createExec = (context: ContainerContext, reference: string, config: wire.ExecConfig): { Id: string } => ({
  Id: registerExec(context, reference, config).record.id,
})

/** Throws conflict when the container does not run, invalidArgument without a command. */
export function registerExec(context: ContainerContext, reference: string, config: wire.ExecConfig): Exec {
  if (!config.Cmd?.length) throw invalidArgument('No exec command specified')
  const container = context.registry.find(reference)
  checkCanExec(container, reference)
  // Docker answers 500 here and 400 at attach.
  if (config.DetachKeys && parseDetachKeys(config.DetachKeys) === undefined) {
    throw internal(`Invalid escape keys (${config.DetachKeys}) provided`)
  }
  const record = execRecord(container.id, String(context.clock.nowNs()), config)
  const exec = newExec(record)
  context.execs.add(exec)
  publishExecEvent(context, container, record, { action: `exec_create: ${commandText(record)}` })
  return exec
}

export function checkCanExec(container: Container, reference: string): void {
  const { record } = container
  if (record.status === 'restarting') {
    throw conflict(`Container ${record.id} is restarting, wait until the container is running`)
  }
  if (!hasProcess(record.status)) throw conflict(`container ${record.id} is not running`)
  if (record.status === 'paused') throw conflict(`Container ${reference} is paused, unpause the container before exec`)
}

function execRecord(containerId: string, createdAtNs: string, config: wire.ExecConfig): ExecRecord {
  const [height = 0, width = 0] = config.ConsoleSize ?? []
  return {
    id: newId(),
    containerId,
    createdAtNs,
    config: {
      command: [...(config.Cmd ?? [])],
      environment: [...(config.Env ?? [])],
      user: config.User ?? '',
      workingDirectory: config.WorkingDir ?? '',
      privileged: config.Privileged ?? false,
      terminal: config.Tty ?? false,
      attachStdin: config.AttachStdin ?? false,
      attachStdout: config.AttachStdout ?? false,
      attachStderr: config.AttachStderr ?? false,
      detachKeys: config.DetachKeys ?? '',
      ...(height > 0 && width > 0 && { consoleSize: { height, width } }),
    },
    status: 'created',
    pid: 0,
    startTimeTicks: 0,
    bootId: '',
  }
}

/** As events name it: the program, a blank even when nothing follows, the arguments. */
export function commandText({ config: { command } }: ExecRecord): string {
  const [program = '', ...args] = command
  return `${program} ${args.join(' ')}`
}

export function publishExecEvent(
  context: ContainerContext,
  container: Container,
  record: ExecRecord,
  { action, attributes }: { action: string; attributes?: Readonly<Record<string, string>> },
): void {
  publishContainerEvent(context, container, { action, attributes: { execID: record.id, ...attributes } })
}
