/** The rules for one entry of HostConfig.Mounts (and for a parsed bind, which obeys the same), in Docker's words. */
import type * as wire from '@dockerd-ts/api'
import { type EngineError, invalidArgument } from '../errors/engine-error.ts'
import { cleanPath, isLocalPath } from './container-path.ts'
import { isPropagation } from './mount-mode.ts'

/** Throws invalidArgument. Whether a bind's source exists is asked of the host later. */
export function checkMount(mount: wire.Mount): void {
  const problem = mountProblem(mount)
  if (problem) throw invalidMount(mount.Type ?? '', problem)
}

export const invalidMount = (type: string, problem: string): EngineError =>
  invalidArgument(`invalid mount config for type "${type}": ${problem}`)

/** Options of another type are refused before anything else is looked at. */
export function checkOptionTypes(mount: wire.Mount): void {
  const type = mount.Type ?? ''
  for (const [field, owner] of optionOwners) {
    if (mount[field] && type !== owner) throw invalidArgument(`${field} must not be specified on mount type "${type}"`)
  }
}

const optionOwners = [
  ['BindOptions', 'bind'],
  ['VolumeOptions', 'volume'],
  ['ImageOptions', 'image'],
  ['TmpfsOptions', 'tmpfs'],
] as const

/** Throws when `path` cannot be a mount point: relative, or the root itself. */
export function checkMountPoint(path: string): void {
  const problem = mountPointProblem(path)
  if (problem) throw invalidArgument(problem)
}

function mountPointProblem(path: string): string | undefined {
  if (cleanPath(path) === '/') return "invalid specification: destination can't be '/'"
  return absoluteProblem(path)
}

const absoluteProblem = (path: string): string | undefined =>
  path.startsWith('/') ? undefined : `invalid mount path: '${path}' mount path must be absolute`

const mustBeSet = (field: string) => `field ${field} must not be empty`
const mustNotBeSet = (field: string) => `field ${field} must not be specified`

function mountProblem(mount: wire.Mount): string | undefined {
  const target = mount.Target ?? ''
  if (target === '') return mustBeSet('Target')
  const problem = mountPointProblem(target)
  if (problem) return problem
  if (mount.ClusterOptions) return mustNotBeSet('ClusterOptions')
  switch (mount.Type) {
    case 'bind':
      return bindProblem(mount)
    case 'volume':
      return volumeProblem(mount)
    case 'tmpfs':
      return tmpfsProblem(mount)
    case 'image':
      return imageProblem(mount)
    default:
      return 'mount type unknown'
  }
}

function bindProblem(mount: wire.Mount): string | undefined {
  if (!mount.Source) return mustBeSet('Source')
  const propagation = mount.BindOptions?.Propagation ?? ''
  if (propagation !== '' && !isPropagation(propagation)) return `invalid propagation mode: ${propagation}`
  if (mount.VolumeOptions) return mustNotBeSet('VolumeOptions')
  return absoluteProblem(mount.Source)
}

function volumeProblem(mount: wire.Mount): string | undefined {
  if (mount.BindOptions) return mustNotBeSet('BindOptions')
  const anonymous = !mount.Source
  const subpath = mount.VolumeOptions?.Subpath ?? ''
  if (subpath !== '' && anonymous) return 'must not set Subpath when using anonymous volumes'
  if (subpath !== '' && !isLocalPath(subpath)) return 'subpath must be a relative path within the volume'
  if (mount.ReadOnly && anonymous) return 'must not set ReadOnly mode when using anonymous volumes'
  return undefined
}

function imageProblem(mount: wire.Mount): string | undefined {
  if (!mount.Source) return mustBeSet('Source')
  const subpath = mount.ImageOptions?.Subpath ?? ''
  if (subpath !== '' && !isLocalPath(subpath)) return 'subpath must be a relative path within the volume'
  return undefined
}

function tmpfsProblem(mount: wire.Mount): string | undefined {
  if (mount.BindOptions) return mustNotBeSet('BindOptions')
  if (mount.Source) return mustNotBeSet('Source')
  return undefined
}
