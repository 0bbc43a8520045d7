/** Changes limits and the restart policy of a container; a running one is changed live. */
import type * as wire from '@dockerd-ts/api'
import { conflict, EngineError, notFound } from '../errors/engine-error.ts'
import { checkResources, checkRestartPolicy } from '../spec/index.ts'
import { crashPoint } from '../support/crash-point.ts'
import { errorMessage } from '../support/undo-stack.ts'
import type { Container } from './container.ts'
import { type ContainerContext, publishContainerEvent, saveState } from './container-context.ts'
import { hasProcess } from './container-state.ts'

export async function updateContainer(
  context: ContainerContext,
  reference: string,
  { RestartPolicy: policy, ...asked }: wire.ContainerUpdateRequest,
): Promise<wire.ContainerUpdateResponse> {
  const { resources, warnings } = checkResources(asked, context.hostDescription, true)
  // Without a name it says nothing, whatever its count.
  if (policy?.Name) checkRestartPolicy(policy)
  const { id } = context.registry.find(reference)
  await context.locks.run(id, async () => {
    const container = context.registry.get(id)
    if (container === undefined) throw notFound(`No such container: ${reference}`)
    await update(context, container, { resources, policy })
  })
  return { Warnings: warnings.length > 0 ? warnings : null }
}

interface Change {
  resources: wire.Resources
  policy: wire.RestartPolicy | undefined
}

async function update(context: ContainerContext, container: Container, { resources, policy }: Change): Promise<void> {
  const { record } = container
  const { hostConfig } = record
  if (container.beingRemoved || record.status === 'dead' || record.status === 'removing') {
    throw cannotUpdate(record.id, conflict('container is marked for removal and cannot be "update"'))
  }
  const changed = changedFields(resources)
  checkAgainst(record.id, hostConfig, changed)
  if (policy?.Name && hostConfig.AutoRemove && policy.Name !== 'no') {
    throw cannotUpdate(
      record.id,
      conflict('Restart policy cannot be updated because AutoRemove is enabled for the container'),
    )
  }
  if (hasProcess(record.status) && Object.keys(changed).length > 0) await applyJournalled(context, container, changed)
  if (policy?.Name) hostConfig.RestartPolicy = { MaximumRetryCount: 0, ...policy }
  recordUpdate(context, container, changed)
}

async function applyJournalled(
  context: ContainerContext,
  container: Container,
  changed: wire.Resources,
): Promise<void> {
  saveState(context, container, { state: { pendingUpdate: changed } })
  try {
    await applyLive(context, container, changed)
  } catch (error) {
    saveState(context, container, { state: { pendingUpdate: undefined } })
    throw error
  }
  crashPoint('update:applied')
}

function recordUpdate(context: ContainerContext, container: Container, changed: wire.Resources): void {
  const { record } = container
  Object.assign(record.hostConfig, changed)
  record.state.pendingUpdate = undefined
  context.records.transaction(() => {
    context.records.updateContainer(record)
    context.records.updateContainerState(record)
    publishContainerEvent(context, container, { action: 'update' })
    context.events.flush()
  })
}

/** An update that was cut off, of a container that still runs: what was asked becomes true. */
export async function finishUpdate(context: ContainerContext, container: Container): Promise<void> {
  const changed = container.record.state.pendingUpdate
  if (changed === undefined) return
  await applyLive(context, container, changed)
  recordUpdate(context, container, changed)
}

const cannotUpdate = (id: string, cause: EngineError): EngineError =>
  new EngineError(cause.kind, `Cannot update container ${id}: ${cause.message}`, { cause })

/** What Docker changes; the rest of a request it does not look at. */
const updatable = [
  ...(['BlkioWeight', 'CpuShares', 'NanoCpus', 'CpuPeriod', 'CpuQuota', 'CpusetCpus', 'CpusetMems'] as const),
  ...(['Memory', 'MemorySwap', 'MemoryReservation'] as const),
]

/** Zero, null and empty mean: leave it. Of the limit of processes only null does: no number above zero is no limit, kept as 0. */
function changedFields(resources: wire.Resources): wire.Resources {
  const { PidsLimit: pids } = resources
  const changed = updatable.map((field) => [field, resources[field]] as const).filter(([, value]) => Boolean(value))
  return { ...Object.fromEntries(changed), ...(typeof pids === 'number' && { PidsLimit: Math.max(pids, 0) }) }
}

const cpuLimits = [
  ['CpuPeriod', 'CPU Period'],
  ['CpuQuota', 'CPU Quota'],
] as const

function checkAgainst(id: string, current: wire.HostConfig, changed: wire.Resources): void {
  const contradiction = (text: string) => cannotUpdate(id, conflict(text))
  for (const [field, words] of cpuLimits) {
    if (isSet(changed.NanoCpus) && isSet(current[field])) {
      throw contradiction(`Conflicting options: Nano CPUs cannot be updated as ${words} has already been set`)
    }
    if (isSet(changed[field]) && isSet(current.NanoCpus)) {
      throw contradiction(`Conflicting options: ${words} cannot be updated as NanoCPUs has already been set`)
    }
  }
  const memory = changed.Memory ?? 0
  // Without a limit of swap (-1) too: Docker wants it to be said again.
  if (memory > 0 && changed.MemorySwap === undefined && memory > (current.MemorySwap ?? 0)) {
    throw contradiction(
      'Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time',
    )
  }
}

/** A quota of -1 is none. */
const isSet = (value: number | undefined): boolean => (value ?? 0) > 0

async function applyLive(context: ContainerContext, { record }: Container, changed: wire.Resources): Promise<void> {
  const limits = Object.fromEntries(
    Object.entries(changed).filter((entry): entry is [string, number | string] =>
      ['number', 'string'].includes(typeof entry[1]),
    ),
  )
  try {
    await context.cgroups.update(record.id, limits, record.hostConfig.CgroupParent || undefined)
  } catch (error) {
    throw cannotUpdate(
      record.id,
      error instanceof EngineError ? error : new EngineError('internal', errorMessage(error), { cause: error }),
    )
  }
}
