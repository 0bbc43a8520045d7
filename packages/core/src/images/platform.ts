/** Platforms `os/architecture/variant`: reading, normalising and choosing among those that an index offers. */
import { invalidArgument } from '../errors/engine-error.ts'
import type { Platform } from '../ports/images.ts'

const component = /^[A-Za-z0-9_.-]+$/
const operatingSystems = new Set(['linux', 'windows', 'darwin', 'freebsd', 'netbsd', 'openbsd', 'solaris', 'wasip1'])

/** Reads `linux/arm64/v8`, `arm64`, `linux`. What is left out is taken from `host`. Throws invalidArgument. */
export function parsePlatform(text: string, host: Platform): Platform {
  const parts = text.split('/').map((part) => part.toLowerCase())
  if (parts.length > 3) throw invalidArgument(`"${text}": cannot parse platform specifier: invalid argument`)
  const bad = parts.find((part) => !component.test(part))
  if (bad !== undefined) {
    throw invalidArgument(
      `"${bad}" is an invalid component of "${text}": platform specifier component must match "${component.source}": invalid argument`,
    )
  }
  const [first = '', second, third] = parts
  if (second !== undefined)
    return normalizePlatform({ os: first, architecture: second, ...(third && { variant: third }) })
  if (operatingSystems.has(first) || first === 'macos') {
    return normalizePlatform({ ...host, os: first })
  }
  const platform = normalizePlatform({ os: host.os, architecture: first })
  if (!knownArchitectures.has(platform.architecture)) {
    throw invalidArgument(`"${text}": unknown operating system or architecture: invalid argument`)
  }
  return platform
}

const knownArchitectures = new Set(
  '386 amd64 arm arm64 loong64 mips mips64 mips64le mipsle ppc64 ppc64le riscv64 s390x wasm'.split(' '),
)

/** One spelling per platform: x86_64 is amd64, aarch64 is arm64; v8 of arm64 and v7 of arm are the defaults. */
export function normalizePlatform({ os, architecture, variant = '' }: Platform): Platform {
  const system = os.toLowerCase() === 'macos' ? 'darwin' : os.toLowerCase()
  const [arch, normalVariant] = normalizeArchitecture(architecture.toLowerCase(), variant.toLowerCase())
  return { os: system, architecture: arch, ...(normalVariant !== '' && { variant: normalVariant }) }
}

function normalizeArchitecture(architecture: string, variant: string): [string, string] {
  switch (architecture) {
    case 'i386':
      return ['386', '']
    case 'x86_64':
    case 'x86-64':
    case 'amd64':
      return ['amd64', variant === 'v1' ? '' : variant]
    case 'aarch64':
    case 'arm64':
      return ['arm64', variant === '8' || variant === 'v8' ? '' : variant]
    case 'armhf':
      return ['arm', 'v7']
    case 'armel':
      return ['arm', 'v6']
    case 'arm':
      return ['arm', variant === '' || variant === '7' ? 'v7' : /^[568]$/.test(variant) ? `v${variant}` : variant]
    default:
      return [architecture, variant]
  }
}

/** `linux/arm/v7` */
export function formatPlatform({ os, architecture, variant }: Platform): string {
  return [os, architecture, ...(variant ? [variant] : [])].join('/')
}

/**
 * How well `offered` serves `wanted`: 0 is exact, larger is worse, undefined not at all. A processor runs what was
 * built for older variants of itself, and arm64 also runs 32-bit arm.
 */
export function platformDistance(wantedPlatform: Platform, offeredPlatform: Platform): number | undefined {
  const wanted = normalizePlatform(wantedPlatform)
  const offered = normalizePlatform(offeredPlatform)
  if (wanted.os !== offered.os) return undefined
  const steps = fallbacks(wanted)
  const at = steps.findIndex(
    (step) => step.architecture === offered.architecture && (step.variant ?? '') === (offered.variant ?? ''),
  )
  return at < 0 ? undefined : at
}

/** What runs on a platform, best first. */
function fallbacks(platform: Platform): Platform[] {
  const { os, architecture, variant = '' } = platform
  const version = Number(/^v(\d+)$/.exec(variant)?.[1] ?? Number.NaN)
  const arm = (from: number): Platform[] =>
    [8, 7, 6, 5].filter((v) => v <= from).map((v) => ({ os, architecture: 'arm', variant: `v${v}` }))
  if (architecture === 'arm') return [platform, ...arm(Number.isNaN(version) ? 7 : version - 1)]
  if (architecture === 'arm64') {
    return [platform, ...(variant === '' ? [] : [{ os, architecture }]), ...arm(8)]
  }
  if (architecture === 'amd64') {
    const lower = [3, 2].filter((v) => v < (Number.isNaN(version) ? 1 : version))
    const older = lower.map((v) => ({ os, architecture, variant: `v${v}` }))
    return [platform, ...older, ...(variant === '' ? [] : [{ os, architecture }]), { os, architecture: '386' }]
  }
  return [platform]
}
