/** Facts about the host that do not change while the daemon runs. */
import { existsSync, readFileSync } from 'node:fs'
import { arch, hostname, machine, release, totalmem } from 'node:os'
import { type CgroupFacts, capabilitiesOfMask, type HostDescription, parseIntegerList } from '@dockerd-ts/core'
import type { CgroupLayout } from '../cgroups/cgroup-layout.ts'
import { readCgroupFacts } from './cgroup-facts.ts'

export interface HostDescriptionOptions {
  cgroups: { layout: CgroupLayout; driver: CgroupFacts['driver'] }
  /** Rows below the storage driver in `docker info`. */
  storageStatus?: readonly (readonly [string, string])[]
  /** The daemon's --init-path, or our own program. */
  initPath?: string
  /** The daemon's own proxies; those of its environment unless given. */
  proxies?: HostDescription['proxies']
}

export function describeHost(options: HostDescriptionOptions): HostDescription {
  const status = readFileSync('/proc/self/status', 'utf8')
  const onlineCpus = readLine('/sys/devices/system/cpu/online') ?? '0'
  const system = osRelease()
  const apparmorDefaultProfile = loadedApparmorProfile()
  const withoutSysResource = limitsWithoutSysResource(status)
  const { initPath } = options
  return {
    architecture: goArchitecture(),
    kernelVersion: release(),
    hostname: hostname(),
    cgroup: readCgroupFacts(options.cgroups.layout, options.cgroups.driver),
    onlineCpus,
    cpuCount: countOf(onlineCpus),
    memoryNodes: readLine('/sys/devices/system/node/online') ?? '0',
    seccompAvailable: existsSync('/proc/sys/kernel/seccomp/actions_avail'),
    apparmorAvailable: readLine('/sys/module/apparmor/parameters/enabled') === 'Y',
    ...(apparmorDefaultProfile && { apparmorDefaultProfile }),
    selinuxAvailable: existsSync('/sys/fs/selinux/enforce'),
    capabilities: capabilitiesOfMask(statusField(status, 'CapBnd') ?? '0'),
    recursiveReadonlyMounts: kernelAtLeast(5, 12),
    // Asked anew each time: the network part of the daemon turns it on.
    get ipv4Forwarding() {
      return readLine('/proc/sys/net/ipv4/ip_forward') === '1'
    },
    ...(withoutSysResource && { withoutSysResource }),
    ...(initPath !== undefined && { initPath }),
    operatingSystem: system.PRETTY_NAME ?? 'Linux',
    osVersion: system.VERSION_ID ?? '',
    machine: machine(),
    memoryBytes: totalmem(),
    bootId: readLine('/proc/sys/kernel/random/boot_id') ?? '',
    storageStatus: options.storageStatus ?? [],
    proxies: options.proxies ?? environmentProxies(),
  }
}

const goArchitectures: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386', ppc64: 'ppc64le' }

/** Go's name, as images and seccomp profiles use it. */
export function goArchitecture(): string {
  return goArchitectures[arch()] ?? arch()
}

function kernelAtLeast(major: number, minor: number): boolean {
  const [ownMajor = 0, ownMinor = 0] = release().split(/[.-]/).map(Number)
  return ownMajor > major || (ownMajor === major && ownMinor >= minor)
}

function readLine(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    return undefined
  }
}

function statusField(status: string, name: string): string | undefined {
  return new RegExp(`^${name}:\\s*(\\S+)`, 'm').exec(status)?.[1]
}

function countOf(list: string): number {
  const numbers = parseIntegerList(list, 1 << 16)
  return typeof numbers === 'string' ? 1 : numbers.size
}

/** Names of /proc/self/limits that are limits of the OCI specification. */
const limitNames: Readonly<Record<string, string>> = {
  'Max cpu time': 'RLIMIT_CPU',
  'Max file size': 'RLIMIT_FSIZE',
  'Max data size': 'RLIMIT_DATA',
  'Max stack size': 'RLIMIT_STACK',
  'Max core file size': 'RLIMIT_CORE',
  'Max resident set': 'RLIMIT_RSS',
  'Max processes': 'RLIMIT_NPROC',
  'Max open files': 'RLIMIT_NOFILE',
  'Max locked memory': 'RLIMIT_MEMLOCK',
  'Max address space': 'RLIMIT_AS',
  'Max file locks': 'RLIMIT_LOCKS',
  'Max pending signals': 'RLIMIT_SIGPENDING',
  'Max msgqueue size': 'RLIMIT_MSGQUEUE',
  'Max nice priority': 'RLIMIT_NICE',
  'Max realtime priority': 'RLIMIT_RTPRIO',
  'Max realtime timeout': 'RLIMIT_RTTIME',
}

/** Set when this process may not raise limits: what its children can have at most. */
function limitsWithoutSysResource(status: string): HostDescription['withoutSysResource'] {
  if (capabilitiesOfMask(statusField(status, 'CapEff') ?? '0').includes('CAP_SYS_RESOURCE')) return undefined
  return {
    oomScoreAdj: Number(readLine('/proc/self/oom_score_adj') ?? 0),
    hardLimits: parseHardLimits(readFileSync('/proc/self/limits', 'utf8')),
  }
}

/** Columns are separated by two blanks or more; names have single ones. */
export function parseHardLimits(text: string): Record<string, number> {
  const limits: Record<string, number> = {}
  for (const line of text.split('\n').slice(1)) {
    const [name = '', , hard = ''] = line.split(/\s{2,}/)
    const limit = limitNames[name]
    if (limit !== undefined && hard !== 'unlimited') limits[limit] = Number(hard)
  }
  return limits
}

const dockerApparmorProfile = 'docker-default'

function loadedApparmorProfile(): string | undefined {
  const profiles = readLine('/sys/kernel/security/apparmor/profiles') ?? ''
  return profiles.split('\n').some((line) => line.startsWith(`${dockerApparmorProfile} (`))
    ? dockerApparmorProfile
    : undefined
}

function osRelease(): Record<string, string> {
  const text = readLine('/etc/os-release') ?? readLine('/usr/lib/os-release') ?? ''
  return Object.fromEntries(
    [...text.matchAll(/^(\w+)=(["']?)(.*)\2$/gm)].map(([, key = '', , value = '']) => [key, value]),
  )
}

function environmentProxies(): HostDescription['proxies'] {
  const of = (name: string) => process.env[name] ?? process.env[name.toLowerCase()] ?? ''
  return { http: of('HTTP_PROXY'), https: of('HTTPS_PROXY'), no: of('NO_PROXY') }
}
