/**
 * Seccomp profiles in moby's format (conditions by capability, architecture and kernel), resolved to the OCI form that a
 * runtime compiles. Format: https://docs.docker.com/engine/security/seccomp/
 */
import { internal } from '../errors/engine-error.ts'
import type { OciSeccomp, OciSeccompArgument, OciSeccompSyscall, Uint64 } from './oci-types.ts'
import defaultProfile from './seccomp-default.json' with { type: 'json' }
import { parseKeepingWideNumbers } from './wide-numbers.ts'

export interface SeccompProfile {
  defaultAction?: string
  defaultErrnoRet?: number | null
  architectures?: string[] | null
  archMap?: { architecture: string; subArchitectures?: string[] | null }[] | null
  flags?: string[] | null
  listenerPath?: string
  listenerMetadata?: string
  syscalls?: SeccompRule[] | null
}

export interface SeccompRule {
  /** Either one name (old form) or names. */
  name?: string
  names?: string[] | null
  action: string
  errnoRet?: number | null
  args?: { index: number; value?: Uint64; valueTwo?: Uint64; op: string }[] | null
  includes?: SeccompCondition | null
  excludes?: SeccompCondition | null
}

export interface SeccompCondition {
  caps?: string[] | null
  /** Go's names: amd64, arm64, … */
  arches?: string[] | null
  /** `major.minor`. */
  minKernel?: string
}

export interface SeccompTarget {
  /** The container's bounding set. */
  capabilities: readonly string[]
  /** Go's name, e.g. amd64. */
  architecture: string
  /** As uname shows it, e.g. `6.1.0-13-amd64`. */
  kernelVersion: string
}

/** Docker's built-in profile. */
export const builtinSeccompProfile: SeccompProfile = defaultProfile

const nativeArchitectures: Readonly<Record<string, string>> = {
  '386': 'SCMP_ARCH_X86',
  amd64: 'SCMP_ARCH_X86_64',
  arm: 'SCMP_ARCH_ARM',
  arm64: 'SCMP_ARCH_AARCH64',
  loong64: 'SCMP_ARCH_LOONGARCH64',
  mips64: 'SCMP_ARCH_MIPS64',
  mips64le: 'SCMP_ARCH_MIPSEL64',
  mips: 'SCMP_ARCH_MIPS',
  mipsle: 'SCMP_ARCH_MIPSEL',
  ppc64: 'SCMP_ARCH_PPC64',
  ppc64le: 'SCMP_ARCH_PPC64LE',
  riscv64: 'SCMP_ARCH_RISCV64',
  s390x: 'SCMP_ARCH_S390X',
}

/**
 * A profile from JSON text. Numbers beyond JavaScript's exact range (64-bit argument masks) keep their digits.
 * Throws internal (Docker's status is 500) `Decoding seccomp profile failed: …`.
 */
export function parseSeccompProfile(text: string): SeccompProfile {
  let parsed: unknown
  try {
    parsed = parseKeepingWideNumbers(text)
  } catch (error) {
    throw internal(`Decoding seccomp profile failed: ${(error as Error).message}`, error)
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw internal('Decoding seccomp profile failed: a JSON object is needed')
  }
  return parsed as SeccompProfile
}

/** Keeps the rules whose conditions hold for this container on this host. */
export function resolveSeccompProfile(profile: SeccompProfile, target: SeccompTarget): OciSeccomp {
  const { architectures, archMap } = profile
  if (architectures?.length && archMap?.length) {
    throw internal(
      "both 'architectures' and 'archMap' are specified in the seccomp profile, use either 'architectures' or 'archMap'",
    )
  }
  const resolvedArchitectures = architectures?.length ? architectures : architecturesFor(profile, target.architecture)
  return {
    defaultAction: profile.defaultAction ?? '',
    ...(typeof profile.defaultErrnoRet === 'number' && { defaultErrnoRet: profile.defaultErrnoRet }),
    ...(resolvedArchitectures !== undefined && { architectures: resolvedArchitectures }),
    ...(profile.flags?.length && { flags: profile.flags }),
    ...(profile.listenerPath && { listenerPath: profile.listenerPath }),
    ...(profile.listenerMetadata && { listenerMetadata: profile.listenerMetadata }),
    syscalls: (profile.syscalls ?? []).filter((rule) => applies(rule, target)).map(toOciRule),
  }
}

function architecturesFor(profile: SeccompProfile, architecture: string): string[] | undefined {
  const native = nativeArchitectures[architecture]
  const entry = profile.archMap?.find((candidate) => candidate.architecture === native)
  return entry && [entry.architecture, ...(entry.subArchitectures ?? [])]
}

function applies(rule: SeccompRule, target: SeccompTarget): boolean {
  const { includes, excludes } = rule
  if (excludes?.arches?.includes(target.architecture)) return false
  if (excludes?.caps?.some((name) => target.capabilities.includes(name))) return false
  if (excludes?.minKernel && kernelAtLeast(target.kernelVersion, excludes.minKernel)) return false
  if (includes?.arches?.length && !includes.arches.includes(target.architecture)) return false
  if (includes?.caps?.some((name) => !target.capabilities.includes(name))) return false
  return !(includes?.minKernel && !kernelAtLeast(target.kernelVersion, includes.minKernel))
}

function kernelAtLeast(version: string, minimum: string): boolean {
  const [major = 0, minor = 0] = version.split(/[.-]/).map((part) => Number.parseInt(part, 10))
  const [minimumMajor = 0, minimumMinor = 0] = minimum.split('.').map((part) => Number.parseInt(part, 10))
  return major > minimumMajor || (major === minimumMajor && minor >= minimumMinor)
}

function toOciRule(rule: SeccompRule): OciSeccompSyscall {
  const names = rule.names ?? []
  if (rule.name && names.length > 0) {
    throw internal("both 'name' and 'names' are specified in the seccomp profile, use either 'name' or 'names'")
  }
  return {
    names: rule.name ? [rule.name] : names,
    action: rule.action,
    ...(typeof rule.errnoRet === 'number' && { errnoRet: rule.errnoRet }),
    ...(rule.args?.length && { args: rule.args.map(toOciArgument) }),
  }
}

function toOciArgument(argument: NonNullable<SeccompRule['args']>[number]): OciSeccompArgument {
  return {
    index: argument.index,
    value: argument.value ?? 0,
    ...(argument.valueTwo !== undefined && argument.valueTwo !== 0 && { valueTwo: argument.valueTwo }),
    op: argument.op,
  }
}
