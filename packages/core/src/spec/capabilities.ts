/** Capability sets: Docker's defaults, and how `CapAdd` and `CapDrop` change them. */
import { invalidArgument } from '../errors/engine-error.ts'

/** What a container has unless told otherwise, in Docker's order. */
export const defaultCapabilities: readonly string[] = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_FSETID',
  'CAP_FOWNER',
  'CAP_MKNOD',
  'CAP_NET_RAW',
  'CAP_SETGID',
  'CAP_SETUID',
  'CAP_SETFCAP',
  'CAP_SETPCAP',
  'CAP_NET_BIND_SERVICE',
  'CAP_SYS_CHROOT',
  'CAP_KILL',
  'CAP_AUDIT_WRITE',
]

/** By number, as in linux/capability.h. */
export const kernelCapabilities: readonly string[] = (
  'CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE ' +
  'NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN ' +
  'SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE ' +
  'MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE'
)
  .split(' ')
  .map((name) => `CAP_${name}`)

/** The names in a mask as /proc/self/status shows it (`CapBnd`), by number. */
export function capabilitiesOfMask(hexMask: string): string[] {
  const mask = BigInt(`0x${hexMask}`)
  return kernelCapabilities.filter((_, number) => (mask >> BigInt(number)) & 1n)
}

/** `net_admin`, `NET_ADMIN`, `CAP_NET_ADMIN` → `CAP_NET_ADMIN`; `all` → `ALL`. */
function normalize(name: string): string {
  const upper = name.toUpperCase()
  return upper === 'ALL' || upper.startsWith('CAP_') ? upper : `CAP_${upper}`
}

/** Throws invalidArgument in Docker's words for names the kernel's header does not have, or that this host cannot give. */
export function checkCapabilities(
  field: 'CapAdd' | 'CapDrop',
  names: readonly string[],
  available: readonly string[],
): void {
  for (const name of names.map(normalize)) {
    if (name === 'ALL') continue
    if (!kernelCapabilities.includes(name)) throw invalidArgument(`invalid ${field}: unknown capability: "${name}"`)
    if (!available.includes(name)) {
      const reason = 'capability not supported by your kernel or not available in the current environment'
      throw invalidArgument(`invalid ${field}: ${reason}: "${name}"`)
    }
  }
}

export interface CapabilityRequest {
  privileged: boolean
  add: readonly string[]
  drop: readonly string[]
  /** Capabilities in the daemon's own bounding set: no container can have more. */
  available: readonly string[]
}

/**
 * Docker's rule: drops win over the defaults, additions over drops; `ALL` is everything available. What the daemon
 * itself lacks is left out (`checkCapabilities` has refused it at create; a later, weaker daemon must still start it).
 */
export function effectiveCapabilities(request: CapabilityRequest): string[] {
  if (request.privileged) return [...request.available]
  const add = request.add.map(normalize)
  const drop = request.drop.map(normalize)
  if (add.includes('ALL')) return request.available.filter((name) => !drop.includes(name))
  const kept = drop.includes('ALL') ? [] : defaultCapabilities.filter((name) => !drop.includes(name))
  return [...new Set([...kept, ...add])].filter((name) => request.available.includes(name))
}
