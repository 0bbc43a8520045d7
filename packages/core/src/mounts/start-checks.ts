/**
 * What can be found wrong with a bind only at start, in Docker's words and with its status: contradicting options, a
 * source that does not propagate.
 */
import type { MountPlan } from '../containers/container-record.ts'
import { internal } from '../errors/engine-error.ts'
import { isWithin } from './container-path.ts'

/** The mount of the host on which a path lies. */
export interface SourceMount {
  mountPoint: string
  shared: boolean
  slave: boolean
}

/** True when `bindPropagation` must be told where the source lies. */
export const wantsPropagation = ({ propagation }: Pick<MountPlan, 'propagation'>): boolean =>
  propagation.endsWith('shared') || propagation.endsWith('slave')

/** The propagation to ask of the kernel, which would quietly make a bind of a private source private. Throws internal. */
export function bindPropagation(plan: MountPlan, sourceMount: SourceMount, dataRoot: string): string {
  const { propagation, source } = plan
  const wantsShared = propagation.endsWith('shared')
  if (sourceMount.shared || (sourceMount.slave && !wantsShared)) return propagation
  // `rslave` that nobody asked for (see planMounts) is a precaution, no wish.
  const asked = [...plan.mode.split(','), plan.spec?.BindOptions?.Propagation].includes(propagation)
  const aroundRoot = isWithin(source, dataRoot) || isWithin(dataRoot, source)
  if (!asked && aroundRoot) return 'rprivate'
  const needed = wantsShared ? 'a shared mount' : 'a shared or slave mount'
  throw internal(`path ${source} is mounted on ${sourceMount.mountPoint} but it is not ${needed}`)
}

/** Throws internal. */
export function checkReadOnlyOptions(plan: MountPlan): void {
  const conflict = (words: string) => internal(`mount options conflict: ${words}`)
  if (plan.readWrite && plan.readOnlyNonRecursive) throw conflict('!ReadOnly && BindOptions.ReadOnlyNonRecursive')
  if (!plan.readOnlyForceRecursive) return
  if (plan.readWrite) throw conflict('!ReadOnly && BindOptions.ReadOnlyForceRecursive')
  if (plan.readOnlyNonRecursive) throw conflict('ReadOnlyNonRecursive && BindOptions.ReadOnlyForceRecursive')
}
