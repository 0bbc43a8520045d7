/** Containers whose namespaces others join (`container:x` modes), and Docker's words for those that cannot be joined. */
import { conflict, EngineError, internal, invalidArgument, isEngineError, notFound } from '../errors/engine-error.ts'
import type { Container } from './container.ts'
import type { ContainerContext } from './container-context.ts'
import type { ContainerRecord } from './container-record.ts'
import { hasProcess } from './container-state.ts'
import { idMapOf } from './id-map.ts'

function findByReference(context: ContainerContext, reference: string): Container {
  try {
    return context.registry.find(reference)
  } catch {
    throw notFound(`No such container: ${reference}`)
  }
}

/** `x` of `container:x`. */
const joinedBy = (mode: string | undefined) => /^container:(.*)$/.exec(mode ?? '')?.[1]

export function joinableNetwork(context: ContainerContext, record: ContainerRecord, otherId: string): Container {
  const other = context.registry.get(otherId) ?? findByReference(context, otherId)
  if (other.id === record.id) throw internal('cannot join own network')
  if (!hasProcess(other.record.status)) throw conflict(`cannot join network of a non running container: ${other.id}`)
  return other
}

function running(context: ContainerContext, otherId: string): Container {
  const other = context.registry.get(otherId) ?? findByReference(context, otherId)
  if (!hasProcess(other.record.status)) throw conflict(`container ${other.id} is not running`)
  return other
}

function refused(what: 'IPC' | 'PID', error: unknown): never {
  if (!(error instanceof EngineError)) throw error
  const text = `failed to join ${what} namespace: ${error.message}`
  // Docker types the refusals of one namespace and not of the other.
  if (what === 'PID') throw internal(text, error)
  throw isEngineError(error, 'conflict') ? conflict(text, error) : invalidArgument(text, error)
}

function ipcOwner(context: ContainerContext, otherId: string): Container {
  try {
    const other = running(context, otherId)
    if (sharedMemoryOf(context, other.record) !== undefined) return other
    throw invalidArgument(
      `container ${other.id}: non-shareable IPC (hint: use IpcMode:shareable for the donor container)`,
    )
  } catch (error) {
    return refused('IPC', error)
  }
}

function pidOwner(context: ContainerContext, otherId: string): Container {
  try {
    return running(context, otherId)
  } catch (error) {
    return refused('PID', error)
  }
}

/** On the host; undefined: others cannot share it. */
function sharedMemoryOf(context: ContainerContext, { id, hostConfig }: ContainerRecord): string | undefined {
  const other = joinedBy(hostConfig.IpcMode)
  if (other !== undefined) return sharedMemoryOf(context, ipcOwner(context, other).record)
  if (hostConfig.IpcMode === 'host') return '/dev/shm'
  return hostConfig.IpcMode === 'shareable' ? context.files.sharedMemoryPath(id) : undefined
}

export interface JoinedNamespaces {
  ipc?: string
  pid?: string
  /** That they belong to, of a container with ids of its own. */
  user?: string
  /** Mounted at /dev/shm, with the IPC namespace that it belongs to. */
  sharedMemory?: string
}

/** Paths of namespaces of other containers. */
export function joinedNamespaces(context: ContainerContext, { hostConfig }: ContainerRecord): JoinedNamespaces {
  const pathOf = ({ record }: Container, type: 'ipc' | 'pid' | 'user') => `/proc/${record.state.pid}/ns/${type}`
  const ipc = joinedBy(hostConfig.IpcMode)
  const pid = joinedBy(hostConfig.PidMode)
  const owner = ipc === undefined ? undefined : ipcOwner(context, ipc)
  const sharedMemory = owner && sharedMemoryOf(context, owner.record)
  const shown = pid === undefined ? undefined : pidOwner(context, pid)
  const userOwner = idMapOf(context, hostConfig) && (owner ?? shown)
  return {
    ...(owner && { ipc: pathOf(owner, 'ipc') }),
    ...(userOwner && { user: pathOf(userOwner, 'user') }),
    ...(sharedMemory !== undefined && { sharedMemory }),
    ...(shown && { pid: pathOf(shown, 'pid') }),
  }
}
