/** Platforms as users write them, and as the API takes them: containerd's rules. */

interface Platform {
  architecture: string
  os: string
  'os.version'?: string
  variant?: string
}

const OS = /^([A-Za-z0-9_-]+)(?:\(([A-Za-z0-9_.-]*)\))?$/
const COMPONENT = /^[A-Za-z0-9_.-]+$/
const SYSTEMS = new Set(
  'aix android darwin dragonfly freebsd hurd illumos ios js linux nacl netbsd openbsd plan9 solaris windows zos'.split(
    ' ',
  ),
)
const ARCHITECTURES = new Set(
  '386 amd64 amd64p32 arm armbe arm64 arm64be ppc64 ppc64le loong64 mips mipsle mips64 mips64le mips64p32 mips64p32le ppc riscv riscv64 s390 s390x sparc sparc64 wasm'.split(
    ' ',
  ),
)

/** `linux/arm64/v8` -> {"architecture":"arm64","os":"linux","variant":"v8"} as JSON. */
export const encodePlatform = (text: string): string => JSON.stringify(parsePlatform(text))

export function parsePlatform(text: string): Platform {
  const parts = text.split('/')
  checkComponents(text, parts)
  const [first = '', second, variant] = parts
  const [, named = '', version = ''] = OS.exec(first) ?? []
  const os = normalOs(named)
  if (second === undefined) return alone(text, os, version)
  const known = architecture(second, variant ?? '')
  if (variant === undefined && known.architecture === 'arm' && known.variant === 'v7') known.variant = ''
  if (variant !== undefined && known.architecture === 'arm64' && known.variant === '') known.variant = 'v8'
  return platform(os, version, known)
}

function checkComponents(text: string, parts: readonly string[]): void {
  const of = JSON.stringify(text)
  for (const [index, part] of parts.entries()) {
    if (index === 0 ? OS.test(part) : COMPONENT.test(part)) continue
    const [kind, rule] =
      index === 0
        ? ['OS component', `OSAndVersion specifier component must match ${JSON.stringify(OS.source)}`]
        : ['component', `platform specifier component must match ${JSON.stringify(COMPONENT.source)}`]
    throw new Error(`${JSON.stringify(part)} is an invalid ${kind} of ${of}: ${rule}: invalid argument`)
  }
  if (parts.length > 3) throw new Error(`${of}: cannot parse platform specifier: invalid argument`)
}

/** One word is a system on this machine's architecture, or an architecture on this machine's system. */
function alone(text: string, os: string, version: string): Platform {
  if (SYSTEMS.has(os)) return platform(os, version, architecture(HOST[process.arch] ?? process.arch, ''))
  const known = architecture(os, '')
  if (known.architecture === 'arm' && known.variant === 'v7') known.variant = ''
  if (ARCHITECTURES.has(known.architecture)) return platform('linux', '', known)
  throw new Error(`${JSON.stringify(text)}: unknown operating system or architecture: invalid argument`)
}

/** Node's names of architectures that have others in Go. */
const HOST: Record<string, string> = { x64: 'amd64', ia32: '386' }

function platform(os: string, version: string, known: { architecture: string; variant: string }): Platform {
  return {
    architecture: known.architecture,
    os,
    ...(version === '' ? {} : { 'os.version': version }),
    ...(known.variant === '' ? {} : { variant: known.variant }),
  }
}

function normalOs(text: string): string {
  const os = text.toLowerCase()
  return os === 'macos' ? 'darwin' : os
}

function architecture(text: string, given: string): { architecture: string; variant: string } {
  const [name, variant] = [text.toLowerCase(), given.toLowerCase()]
  switch (name) {
    case 'i386':
      return { architecture: '386', variant: '' }
    case 'x86_64':
    case 'x86-64':
    case 'amd64':
      return { architecture: 'amd64', variant: variant === 'v1' ? '' : variant }
    case 'aarch64':
    case 'arm64':
      return { architecture: 'arm64', variant: variant === '8' || variant === 'v8' ? '' : variant }
    case 'armhf':
      return { architecture: 'arm', variant: 'v7' }
    case 'armel':
      return { architecture: 'arm', variant: 'v6' }
    case 'arm':
      return { architecture: 'arm', variant: /^[5678]$/.test(variant) ? `v${variant}` : variant || 'v7' }
    default:
      return { architecture: name, variant }
  }
}
