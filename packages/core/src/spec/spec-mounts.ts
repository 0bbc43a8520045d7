/** The mounts of a container: the runtime's own, what the user asked for, and the name files, in the order to mount them. */
import type { HostConfig } from '@dockerd-ts/api'
import { internal, invalidArgument } from '../errors/engine-error.ts'
import type { OciMount } from './oci-types.ts'

/** A bind or volume whose source exists on the host, ready to mount. */
export interface PlannedMount {
  /** `file` is hostname, hosts or resolv.conf: it gives way to a user's mount at the same place. */
  kind: 'bind' | 'volume' | 'tmpfs' | 'image' | 'file'
  /** Path on the host; unused for tmpfs. */
  source: string
  destination: string
  /** The source is no directory: nothing can be mounted below it. */
  singleFile?: boolean
  writable: boolean
  /** `rprivate`, `rslave`, `shared` …; '' or undefined is Docker's default: rprivate for binds and files, none for volumes. */
  propagation?: string
  /** Binds: do not take submounts along. */
  nonRecursive?: boolean
  /** Read-only binds: leave submounts writable (`bind-recursive=writable`). */
  readOnlyNonRecursive?: boolean
  /** Read-only binds: fail rather than fall back to plain read-only. */
  readOnlyForceRecursive?: boolean
  /** tmpfs: mount options joined by commas. */
  tmpfsOptions?: string
}

export interface MountInput {
  hostConfig: HostConfig
  planned: readonly PlannedMount[]
  /** A tmpfs on the host that is /dev/shm here and in containers that share the ipc namespace. */
  shmPath?: string
  recursiveReadonlyMounts: boolean
  writableCgroups: boolean
  initPath?: string
}

export const initPathInContainer = '/sbin/docker-init'

/** Shallow destinations first, so that no mount hides another; the order among equals is kept. */
export function containerMounts(input: MountInput): OciMount[] {
  const user = userMounts(input)
  const userDestinations = new Set(user.map((mount) => mount.destination))
  // A user's tmpfs or bind over /dev also replaces what would be mounted below it.
  const own = runtimeMounts(input).filter(
    (mount) =>
      !userDestinations.has(mount.destination) &&
      !(mount.destination.startsWith('/dev/') && userDestinations.has('/dev')),
  )
  const mounts = [...own, ...user]
  if (input.initPath !== undefined) {
    mounts.push({ destination: initPathInContainer, type: 'bind', source: input.initPath, options: ['bind', 'ro'] })
  }
  return mounts
}

function userMounts(input: MountInput): OciMount[] {
  const asked = input.planned.filter((mount) => mount.kind !== 'file').map((mount) => toOciMount(mount, input))
  const destinations = new Set(asked.map((mount) => mount.destination))
  const tmpfs = tmpfsMounts(input.hostConfig).filter((mount) => !destinations.has(mount.destination))
  for (const mount of tmpfs) destinations.add(mount.destination)
  const files = input.planned.filter((mount) => mount.kind === 'file' && !destinations.has(mount.destination))
  return [...tmpfs, ...asked, ...files.map((mount) => toOciMount(mount, input))].sort(
    (a, b) => depth(a.destination) - depth(b.destination),
  )
}

function depth(destination: string): number {
  return destination.split('/').filter((part) => part !== '' && part !== '.').length
}

function runtimeMounts({ hostConfig, shmPath, writableCgroups }: MountInput): OciMount[] {
  const privileged = hostConfig.Privileged === true
  // On a read-only root /sys and the cgroups are read-only already; privileged lifts it in both cases, as in Docker.
  const sysOptions = ['nosuid', 'noexec', 'nodev', ...(privileged ? [] : ['ro'])]
  const cgroupOptions = [...(privileged || writableCgroups ? [] : ['ro']), 'nosuid', 'noexec', 'nodev']
  const mounts: OciMount[] = [
    { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] },
    {
      destination: '/dev',
      type: 'tmpfs',
      source: 'tmpfs',
      options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'],
    },
    {
      destination: '/dev/pts',
      type: 'devpts',
      source: 'devpts',
      options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
    },
    { destination: '/sys', type: 'sysfs', source: 'sysfs', options: sysOptions },
    { destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: cgroupOptions },
    { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: ['nosuid', 'noexec', 'nodev'] },
  ]
  const shm = sharedMemoryMount(hostConfig, shmPath)
  return shm === undefined ? mounts : [...mounts, shm]
}

/** 64 MiB. */
export const defaultShmSizeBytes = 64 * 1024 * 1024

function sharedMemoryMount(hostConfig: HostConfig, shmPath: string | undefined): OciMount | undefined {
  const mode = hostConfig.IpcMode ?? ''
  if (mode === 'none') return undefined
  const shared = mode === 'host' ? '/dev/shm' : shmPath
  if (shared !== undefined) {
    return { destination: '/dev/shm', type: 'bind', source: shared, options: ['rbind', 'rprivate'] }
  }
  const size = hostConfig.ShmSize || defaultShmSizeBytes
  return {
    destination: '/dev/shm',
    type: 'tmpfs',
    source: 'shm',
    options: ['nosuid', 'noexec', 'nodev', 'mode=1777', `size=${size}`],
  }
}

function toOciMount(mount: PlannedMount, input: MountInput): OciMount {
  if (mount.kind === 'tmpfs') return tmpfsMount(mount.destination, mount.tmpfsOptions ?? '')
  const options = [mount.nonRecursive ? 'bind' : 'rbind']
  // hosts, hostname and resolv.conf are part of a read-only root.
  const writable = mount.writable && !(mount.kind === 'file' && input.hostConfig.ReadonlyRootfs)
  if (!writable) options.push(readOnlyOption(mount, input.recursiveReadonlyMounts))
  const propagation = mount.propagation || (mount.kind === 'volume' ? undefined : 'rprivate')
  // crun 1.8 takes the `r` of it for the bind's own. Where no submount comes along it makes no difference.
  if (propagation !== undefined) options.push(mount.nonRecursive ? propagation.replace(/^r/, '') : propagation)
  return { destination: mount.destination, type: 'bind', source: mount.source, options }
}

function readOnlyOption(mount: PlannedMount, recursiveReadonlyMounts: boolean): 'ro' | 'rro' {
  if (mount.readOnlyForceRecursive && !recursiveReadonlyMounts) {
    throw invalidArgument('rro is not supported by the kernel or by the runtime: kernel 5.12 or newer is needed')
  }
  // Of a single file plain read-only is the whole of it, and crun 1.8 opens every recursive target as a directory.
  const plain = mount.singleFile || mount.kind === 'file' || mount.nonRecursive || mount.readOnlyNonRecursive
  return plain || !recursiveReadonlyMounts ? 'ro' : 'rro'
}

/** `HostConfig.Tmpfs`, and `Mounts` of type tmpfs. */
function tmpfsMounts(hostConfig: HostConfig): OciMount[] {
  const short = Object.entries(hostConfig.Tmpfs ?? {}).map(([destination, options]) => tmpfsMount(destination, options))
  const long = (hostConfig.Mounts ?? [])
    .filter((mount) => mount.Type === 'tmpfs')
    .map((mount) => tmpfsMount(mount.Target ?? '', tmpfsOptionsOf(mount)))
  return [...short, ...long]
}

function tmpfsOptionsOf(mount: NonNullable<HostConfig['Mounts']>[number]): string {
  const { Mode: mode, SizeBytes: sizeBytes, Options: raw } = mount.TmpfsOptions ?? {}
  const options = [...(mount.ReadOnly ? ['ro'] : [])]
  if (mode) options.push(`mode=${mode.toString(8)}`)
  if (sizeBytes) options.push(`size=${shortSize(sizeBytes)}`)
  for (const entry of raw ?? []) options.push(entry.join('='))
  return options.join(',')
}

/** The largest of g, m, k that divides it, as Docker writes it. */
function shortSize(bytes: number): string {
  for (const [suffix, unit] of [
    ['g', 2 ** 30],
    ['m', 2 ** 20],
    ['k', 2 ** 10],
  ] as const) {
    if (bytes % unit === 0) return `${bytes / unit}${suffix}`
  }
  return String(bytes)
}

function tmpfsMount(destination: string, options: string): OciMount {
  return { destination, type: 'tmpfs', source: 'tmpfs', options: mergeTmpfsOptions(options) }
}

const tmpfsDefaults = ['noexec', 'nosuid', 'nodev', 'rprivate']

/** Options of one group exclude each other: the last one given counts. */
const tmpfsFlagGroups: Readonly<Record<string, string>> = {
  ro: 'write',
  rw: 'write',
  suid: 'suid',
  nosuid: 'suid',
  dev: 'dev',
  nodev: 'dev',
  exec: 'exec',
  noexec: 'exec',
  sync: 'sync',
  async: 'sync',
  dirsync: 'dirsync',
  remount: 'remount',
  mand: 'mand',
  nomand: 'mand',
  atime: 'atime',
  noatime: 'atime',
  diratime: 'diratime',
  nodiratime: 'diratime',
  relatime: 'relatime',
  norelatime: 'relatime',
  strictatime: 'strictatime',
  nostrictatime: 'strictatime',
  bind: 'bind',
  rbind: 'bind',
  unbindable: 'propagation',
  runbindable: 'propagation',
  private: 'propagation',
  rprivate: 'propagation',
  shared: 'propagation',
  rshared: 'propagation',
  slave: 'propagation',
  rslave: 'propagation',
}

const tmpfsValueOptions = new Set(['size', 'mode', 'uid', 'gid', 'nr_inodes', 'nr_blocks', 'mpol', 'noswap'])

/** Docker's defaults and the user's options, without what a later option overrides. Throws `invalid tmpfs option "x"`. */
export function mergeTmpfsOptions(userOptions: string): string[] {
  const asked = userOptions === '' ? [] : userOptions.split(',')
  const seen = new Set<string>()
  const kept: string[] = []
  for (const option of [...tmpfsDefaults, ...asked].reverse()) {
    const group = tmpfsOptionGroup(option)
    if (seen.has(group)) continue
    seen.add(group)
    kept.unshift(option)
  }
  return kept
}

function tmpfsOptionGroup(option: string): string {
  const flagGroup = tmpfsFlagGroups[option]
  if (flagGroup !== undefined) return flagGroup
  const [key = '', value] = option.split('=')
  if (!tmpfsValueOptions.has(key) || (value === undefined && key !== 'noswap')) {
    throw internal(`invalid tmpfs option ${JSON.stringify(option.includes('=') ? key : option)}`)
  }
  return `${key}=`
}

/** What the root filesystem's own propagation must be so that shared and slave mounts reach the container. */
export function rootfsPropagation(planned: readonly PlannedMount[]): 'shared' | 'rslave' | undefined {
  const propagations = planned.map((mount) => mount.propagation)
  if (propagations.some((value) => value === 'shared' || value === 'rshared')) return 'shared'
  if (propagations.some((value) => value === 'slave' || value === 'rslave')) return 'rslave'
  return undefined
}
