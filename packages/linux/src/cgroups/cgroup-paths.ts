/** Where a container's cgroups are, by driver: as the runtime is told, and as directories. */
import { posix } from 'node:path'
import type { CgroupLayout } from './cgroup-layout.ts'

export type CgroupDriver = 'cgroupfs' | 'systemd'

export interface ContainerGroup {
  containerId: string
  /** `HostConfig.CgroupParent`. */
  parent?: string | undefined
}

export interface CgroupPaths {
  /** `linux.cgroupsPath`. */
  specPath(group: ContainerGroup): string
  /** Below the mount point of each hierarchy; starts with a slash. */
  relativePath(group: ContainerGroup): string
}

export function cgroupPaths(driver: CgroupDriver, defaultParent?: string): CgroupPaths {
  return driver === 'systemd'
    ? systemdPaths(defaultParent || 'system.slice')
    : cgroupfsPaths(defaultParent || '/docker')
}

function cgroupfsPaths(defaultParent: string): CgroupPaths {
  // Joined at the root first: a parent of `..` cannot lead out of the hierarchy.
  const path = ({ containerId, parent }: ContainerGroup) =>
    posix.join(posix.resolve('/', parent || defaultParent), containerId)
  return { specPath: path, relativePath: path }
}

function systemdPaths(defaultSlice: string): CgroupPaths {
  const sliceOf = (parent: string | undefined) => parent || defaultSlice
  return {
    specPath: ({ containerId, parent }) => `${sliceOf(parent)}:docker:${containerId}`,
    relativePath: ({ containerId, parent }) => posix.join(expandSlice(sliceOf(parent)), `docker-${containerId}.scope`),
  }
}

/** systemd nests slices by the dashes in their names: `a-b.slice` is /a.slice/a-b.slice, `-.slice` the root. */
export function expandSlice(slice: string): string {
  const name = slice.replace(/\.slice$/, '')
  if (name === '-') return '/'
  const parts = name.split('-')
  return `/${parts.map((_, index) => `${parts.slice(0, index + 1).join('-')}.slice`).join('/')}`
}

/** Absolute directories of a container's groups, each once. On hybrid hosts runc also makes one below the cgroup2 mount. */
export function groupDirectories(layout: CgroupLayout, relativePath: string): string[] {
  const roots =
    layout.version === '2'
      ? [layout.root]
      : [...layout.hierarchies.values(), ...(layout.unified ? [layout.unified] : [])]
  return [...new Set(roots)].map((root) => posix.join(root, relativePath))
}
