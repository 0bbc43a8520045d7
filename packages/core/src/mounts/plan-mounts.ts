/**
 * Decides a container's mounts from all the fields that can name them. Precedence by mount point: VolumesFrom is
 * overridden by Binds and Mounts; the image's and the request's anonymous volumes give way to everything else. Two
 * Binds or Mounts at one place are an error. HostConfig.Tmpfs takes part in these rules but is no mount point of its
 * own: inspect shows it only where the user wrote it, and the spec reads it from there.
 */
import type * as wire from '@dockerd-ts/api'
import type { MountPlan } from '../containers/container-record.ts'
import { invalidArgument, isEngineError } from '../errors/engine-error.ts'
import { checkMount, checkMountPoint, checkOptionTypes } from './check-mount.ts'
import { cleanPath, isWithin } from './container-path.ts'
import { parseBind, parseVolumesFrom } from './parse-bind.ts'

export interface PlanMountsInput {
  hostConfig: Pick<wire.HostConfig, 'Binds' | 'Mounts' | 'Tmpfs' | 'VolumesFrom' | 'VolumeDriver'>
  /** `Volumes` of the container's configuration, merged with the image's. */
  volumes?: Readonly<Record<string, unknown>> | null | undefined
  /** Mounts of another container (VolumesFrom). Throws notFound `No such container: x`. */
  mountsOf(container: string): readonly MountPlan[]
  /** The daemon's data root: binds around it do not propagate back into the host. */
  dataRoot: string
  /** Read-only binds that do not say otherwise leave submounts writable. */
  readOnlyNonRecursive?: boolean
}

/** Pure. Throws invalidArgument in Docker's words; anonymous volumes still have the name ''. */
export function planMounts(input: PlanMountsInput): MountPlan[] {
  const { hostConfig } = input
  checkFields(hostConfig)
  const planned = new Map<string, MountPlan>()
  for (const specification of hostConfig.VolumesFrom ?? []) {
    for (const mount of inheritedMounts(specification, input)) planned.set(mount.destination, mount)
  }
  const taken = new Set<string>()
  const add = (mount: MountPlan, target: string) => {
    if (taken.has(mount.destination)) throw duplicateMountPoint(target)
    taken.add(mount.destination)
    // Deleted first: a mount that replaces an inherited one takes its place in the user's order.
    planned.delete(mount.destination)
    planned.set(mount.destination, mount)
  }
  const tmpfsTargets = new Set(Object.keys(hostConfig.Tmpfs ?? {}).map(cleanPath))
  for (const raw of hostConfig.Binds ?? []) {
    const mount = planBind(raw, input)
    if (tmpfsTargets.has(mount.destination)) throw duplicateMountPoint(mount.destination)
    add(mount, mount.destination)
  }
  for (const mount of hostConfig.Mounts ?? []) add(planMount(mount, input), mount.Target ?? '')
  for (const target of Object.keys(input.volumes ?? {}).sort()) {
    const destination = cleanPath(target)
    if (planned.has(destination) || tmpfsTargets.has(destination)) continue
    if (cleanPath(`/${target}`) === '/') checkMountPoint('/')
    planned.set(destination, anonymousVolume(destination, hostConfig.VolumeDriver ?? ''))
  }
  return [...planned.values()]
}

const duplicateMountPoint = (target: string) => invalidArgument(`Duplicate mount point: ${target}`)

function checkFields(hostConfig: PlanMountsInput['hostConfig']): void {
  for (const mount of hostConfig.Mounts ?? []) {
    checkOptionTypes(mount)
    checkMount(mount)
  }
  for (const target of Object.keys(hostConfig.Tmpfs ?? {})) checkMountPoint(target)
}

function inheritedMounts(specification: string, input: PlanMountsInput): MountPlan[] {
  const { container, readOnly } = parseVolumesFrom(specification)
  try {
    // A tmpfs is its container's own; its options would come without the HostConfig that they are read from.
    const shared = input.mountsOf(container).filter((mount) => mount.type !== 'tmpfs')
    return shared.map((mount) => ({ ...mount, readWrite: mount.readWrite && !readOnly, mode: '', copyUp: false }))
  } catch (error) {
    // A container that is only named by a parameter makes the parameter wrong, it is not what was asked for.
    if (isEngineError(error, 'notFound')) throw invalidArgument(error.message, error)
    throw error
  }
}

function planBind(raw: string, input: PlanMountsInput): MountPlan {
  const { mount, mode } = parseBind(raw)
  const plan = planOf(mount, input)
  if (plan.type === 'bind') return { ...plan, mode, createSource: true }
  return { ...plan, mode: mode || 'z', driver: input.hostConfig.VolumeDriver || plan.driver || '' }
}

function planMount(mount: wire.Mount, input: PlanMountsInput): MountPlan {
  const plan = { ...planOf(mount, input), spec: mount }
  // Docker marks its own volumes as shared between containers (SELinux), and shows it.
  return plan.type === 'volume' ? { ...plan, mode: 'z' } : plan
}

function planOf(mount: wire.Mount, input: PlanMountsInput): MountPlan {
  const base = {
    destination: cleanPath(mount.Target ?? ''),
    source: '',
    readWrite: !mount.ReadOnly,
    mode: '',
    propagation: '',
    anonymous: false,
    copyUp: false,
    createSource: false,
  }
  if (mount.Type === 'bind') return { ...base, ...bindFields(mount, input) }
  if (mount.Type === 'tmpfs') return { ...base, type: 'tmpfs' }
  if (mount.Type === 'image') {
    const part = mount.ImageOptions?.Subpath
    return { ...base, type: 'image', name: mount.Source ?? '', readWrite: false, ...(part && { subpath: part }) }
  }
  const subpath = mount.VolumeOptions?.Subpath
  return {
    ...base,
    type: 'volume',
    name: mount.Source ?? '',
    driver: mount.VolumeOptions?.DriverConfig?.Name ?? '',
    anonymous: !mount.Source,
    copyUp: !mount.VolumeOptions?.NoCopy,
    ...(subpath && { subpath }),
  }
}

function bindFields(mount: wire.Mount, { dataRoot, readOnlyNonRecursive: byDefault }: PlanMountsInput) {
  const options = mount.BindOptions
  const source = cleanPath(mount.Source ?? '')
  return {
    type: 'bind' as const,
    source,
    propagation: bindPropagation(source, options?.Propagation ?? '', dataRoot),
    createSource: options?.CreateMountpoint ?? false,
    ...(options?.NonRecursive && { nonRecursive: true }),
    ...((options?.ReadOnlyNonRecursive || (mount.ReadOnly && byDefault)) && { readOnlyNonRecursive: true }),
    ...(options?.ReadOnlyForceRecursive && { readOnlyForceRecursive: true }),
  }
}

/**
 * Private by default. A bind that contains the data root (or lies in it) would pin the mounts of other containers, so
 * unmounts must reach it: it is a slave unless the user said so or `rshared`.
 */
function bindPropagation(source: string, asked: string, dataRoot: string): string {
  const root = cleanPath(dataRoot)
  const aroundRoot = isWithin(root, source) || isWithin(source, root)
  if (!aroundRoot) return asked || 'rprivate'
  if (asked === '') return 'rslave'
  if (asked === 'rslave' || asked === 'rshared') return asked
  throw invalidArgument(
    'invalid mount config: must use either propagation mode "rslave" or "rshared" when mount source is within the ' +
      `daemon root, daemon root: "${root}", bind mount source: "${source}", propagation: "${asked}"`,
  )
}

function anonymousVolume(destination: string, driver: string): MountPlan {
  return {
    type: 'volume',
    name: '',
    driver,
    source: '',
    destination,
    readWrite: true,
    mode: '',
    propagation: '',
    anonymous: true,
    copyUp: true,
    createSource: false,
  }
}
