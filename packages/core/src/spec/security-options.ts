/** Parses `HostConfig.SecurityOpt`, and says which paths of /proc and /sys are hidden or read-only. */
import { internal } from '../errors/engine-error.ts'

export interface SecurityOptions {
  noNewPrivileges?: boolean
  /** `builtin`, `unconfined`, or a whole profile as JSON. undefined: nothing was said. */
  seccomp?: string
  apparmor?: string
  labels: string[]
  writableCgroups?: boolean
}

/**
 * Docker's forms: `no-new-privileges[=bool]`, `key=value`, and the old `key:value`.
 * Throws internal (Docker's status is 500) `invalid --security-opt 1: "x"` (no value) or `… 2: "k=v"` (unknown).
 */
export function parseSecurityOptions(options: readonly string[]): SecurityOptions {
  const parsed: SecurityOptions = { labels: [] }
  for (const option of options) applyOption(parsed, option)
  return parsed
}

function applyOption(parsed: SecurityOptions, option: string): void {
  if (option === 'no-new-privileges') {
    parsed.noNewPrivileges = true
    return
  }
  if (option === 'writable-cgroups') {
    parsed.writableCgroups = true
    return
  }
  const separator = option.includes('=') ? '=' : ':'
  const at = option.indexOf(separator)
  if (at === -1) throw internal(`invalid --security-opt 1: ${JSON.stringify(option)}`)
  const value = option.slice(at + 1)
  switch (option.slice(0, at)) {
    case 'label':
      parsed.labels.push(value)
      return
    case 'apparmor':
      parsed.apparmor = value
      return
    case 'seccomp':
      parsed.seccomp = value
      return
    case 'no-new-privileges':
      parsed.noNewPrivileges = parseBoolean(value, option)
      return
    case 'writable-cgroups':
      parsed.writableCgroups = parseBoolean(value, option)
      return
    default:
      throw internal(`invalid --security-opt 2: ${JSON.stringify(option)}`)
  }
}

function parseBoolean(value: string, option: string): boolean {
  if (/^(1|t|T|TRUE|true|True)$/.test(value)) return true
  if (/^(0|f|F|FALSE|false|False)$/.test(value)) return false
  throw internal(`invalid --security-opt 2: ${JSON.stringify(option)}`)
}

/** Paths over which nothing can be read in an unprivileged container. The runtime skips those that do not exist. */
export const defaultMaskedPaths: readonly string[] = [
  '/proc/acpi',
  '/proc/asound',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/sys/devices/virtual/powercap',
  '/sys/firmware',
]

export const defaultReadonlyPaths: readonly string[] = [
  '/proc/bus',
  '/proc/fs',
  '/proc/irq',
  '/proc/sys',
  '/proc/sysrq-trigger',
]

/** Timing of the host's processors, useful to side-channel attacks: masked for each processor that shows it. */
export function thermalThrottlePaths(processorCount: number): string[] {
  return Array.from({ length: processorCount }, (_, cpu) => `/sys/devices/system/cpu/cpu${cpu}/thermal_throttle`)
}
