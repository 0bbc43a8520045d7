/** Where the host's cgroup hierarchies are mounted: one per controller (v1), one for all (v2), or both (hybrid). */
import { readFileSync } from 'node:fs'

export type CgroupLayout = CgroupV1Layout | CgroupV2Layout

export interface CgroupV1Layout {
  version: '1'
  /** Controller (`memory`, `cpu`, …, `name=systemd`) → mount point. Controllers mounted together share one. */
  hierarchies: ReadonlyMap<string, string>
  /** On hybrid hosts, the cgroup2 mount beside them. */
  unified?: string
}

export interface CgroupV2Layout {
  version: '2'
  root: string
  controllers: ReadonlySet<string>
}

/** `kernel` gives the files' texts; tests pass their own. Throws when the host has no cgroups at all. */
export function readCgroupLayout(read: (path: string) => string = (path) => readFileSync(path, 'utf8')): CgroupLayout {
  const mounts = parseCgroupMounts(read('/proc/self/mountinfo'))
  const hierarchies = new Map<string, string>()
  let unified: string | undefined
  for (const mount of mounts) {
    if (mount.fsType === 'cgroup2') {
      unified ??= mount.path
      continue
    }
    for (const option of mount.superOptions) {
      if (!hierarchies.has(option) && isController(option)) hierarchies.set(option, mount.path)
    }
  }
  if (hierarchies.size > 0) return { version: '1', hierarchies, ...(unified !== undefined && { unified }) }
  if (unified === undefined) throw new Error('no cgroup file system is mounted on this host')
  const controllers = new Set(read(`${unified}/cgroup.controllers`).trim().split(/\s+/).filter(Boolean))
  return { version: '2', root: unified, controllers }
}

interface CgroupMount {
  path: string
  fsType: string
  superOptions: string[]
}

function parseCgroupMounts(mountInfo: string): CgroupMount[] {
  return mountInfo.split('\n').flatMap((line) => {
    const [before = '', after = ''] = line.split(' - ')
    const [fsType = '', , options = ''] = after.split(' ')
    const path = before.split(' ')[4]
    if (path === undefined || (fsType !== 'cgroup' && fsType !== 'cgroup2')) return []
    return [{ path, fsType, superOptions: options.split(',') }]
  })
}

const notControllers = new Set(['rw', 'ro', 'clone_children', 'xattr', 'noprefix', 'cpuset_v2_mode', 'none'])

function isController(option: string): boolean {
  if (option.startsWith('name=')) return true
  return !notControllers.has(option) && !option.includes('=')
}
