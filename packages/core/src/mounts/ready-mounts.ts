/** Turns planned mounts whose host paths are known into mounts of the OCI spec, in the order in which they are made. */
import type { MountPlan } from '../containers/container-record.ts'
import { invalidArgument } from '../errors/engine-error.ts'
import { fromRoot, isWithin, pathDepth } from './container-path.ts'
import { mergeTmpfsOptions } from './tmpfs-options.ts'

/** One mount for the OCI spec. */
export interface ReadyMount {
  /** Absolute path in the container. */
  destination: string
  type: 'bind' | 'tmpfs'
  /** Absolute host path, or `tmpfs`. */
  source: string
  /** `options` of the OCI mount, e.g. `["rbind", "rro", "rprivate"]`. */
  options: string[]
}

/** What the mount table says about the mount on which a path lies. */
export interface SourceMount {
  mountPoint: string
  shared: boolean
  slave: boolean
}

export interface ReadyMountsInput {
  mounts: readonly ResolvedMount[]
  /** HostConfig.Tmpfs. */
  tmpfs: Readonly<Record<string, string>>
  dataRoot: string
  /** Kernel (5.12) and runtime know recursive read-only mounts (`rro`). */
  recursiveReadOnly: boolean
}

export interface ResolvedMount {
  plan: MountPlan
  /** What is bound: the bind's source, or the path of the volume (or of its subpath). */
  hostPath: string
  /** Needed only where the plan asks for shared or slave propagation. */
  sourceMount?: SourceMount
}

export interface ReadyMounts {
  mounts: ReadyMount[]
  /** `linux.rootfsPropagation` that the mounts need; undefined is the runtime's default. */
  rootfsPropagation?: 'shared' | 'rslave'
}

/** Pure. Throws invalidArgument in Docker's words. */
export function readyMounts(input: ReadyMountsInput): ReadyMounts {
  const mounts: ReadyMount[] = []
  let rootfsPropagation: ReadyMounts['rootfsPropagation']
  for (const resolved of input.mounts) {
    const propagation = propagationOf(resolved, input.dataRoot)
    if (propagation.endsWith('shared')) rootfsPropagation = 'shared'
    else if (propagation.endsWith('slave')) rootfsPropagation ??= 'rslave'
    mounts.push(readyMount(resolved, propagation, input))
  }
  for (const [target, options] of Object.entries(input.tmpfs)) mounts.push(tmpfsMount(target, options))
  // Stable: at one depth the user's order stays; parents come before what is mounted in them.
  mounts.sort((a, b) => pathDepth(a.destination) - pathDepth(b.destination))
  return { mounts, ...(rootfsPropagation && { rootfsPropagation }) }
}

function readyMount(resolved: ResolvedMount, propagation: string, input: ReadyMountsInput): ReadyMount {
  const { plan, hostPath } = resolved
  if (plan.type === 'tmpfs') return tmpfsMount(plan.destination, plan.tmpfsOptions ?? '')
  const options = [plan.nonRecursive ? 'bind' : 'rbind', ...readOnlyOptions(plan, input.recursiveReadOnly)]
  if (propagation !== '') options.push(propagation)
  return { destination: fromRoot(plan.destination), type: 'bind', source: hostPath, options }
}

const tmpfsMount = (target: string, options: string): ReadyMount => ({
  destination: fromRoot(target),
  type: 'tmpfs',
  source: 'tmpfs',
  options: mergeTmpfsOptions(options),
})

function readOnlyOptions(plan: MountPlan, recursiveReadOnly: boolean): string[] {
  if (plan.readWrite) {
    if (plan.readOnlyForceRecursive)
      throw invalidArgument('mount options conflict: !ReadOnly && BindOptions.ReadOnlyForceRecursive')
    return []
  }
  if (plan.readOnlyForceRecursive && plan.readOnlyNonRecursive)
    throw invalidArgument('mount options conflict: ReadOnlyNonRecursive && BindOptions.ReadOnlyForceRecursive')
  if (plan.readOnlyForceRecursive && !recursiveReadOnly)
    throw invalidArgument('recursively read-only mounts are not supported by this kernel or runtime')
  return [recursiveReadOnly && !plan.readOnlyNonRecursive ? 'rro' : 'ro']
}

/** The kernel would quietly make a shared mount of a private source private: Docker says so instead. */
function propagationOf({ plan, sourceMount }: ResolvedMount, dataRoot: string): string {
  const { propagation, source } = plan
  const wantsShared = propagation.endsWith('shared')
  if (!wantsShared && !propagation.endsWith('slave')) return propagation
  const mountPoint = sourceMount?.mountPoint ?? '/'
  if (sourceMount?.shared || (sourceMount?.slave && !wantsShared)) return propagation
  // `rslave` that nobody asked for (see planMounts) is a precaution, no wish.
  const asked = `,${plan.mode},${plan.spec?.BindOptions?.Propagation ?? ''},`
  const aroundRoot = isWithin(source, dataRoot) || isWithin(dataRoot, source)
  if (!wantsShared && aroundRoot && !asked.includes(`,${propagation},`)) return 'rprivate'
  const needed = wantsShared ? 'a shared mount' : 'a shared or slave mount'
  throw invalidArgument(`path ${source} is mounted on ${mountPoint} but it is not ${needed}`)
}
