/** The platform of this machine, in Go's names. */
import { arch } from 'node:os'
import type { Platform } from '@dockerd-ts/core'

const architectures: Readonly<Record<string, string>> = {
  x64: 'amd64',
  ia32: '386',
  arm64: 'arm64',
  arm: 'arm',
  ppc64: 'ppc64le',
  s390x: 's390x',
  riscv64: 'riscv64',
  loong64: 'loong64',
}

export function hostPlatform(): Platform {
  const architecture = architectures[arch()] ?? arch()
  return { os: 'linux', architecture, ...(architecture === 'arm' && { variant: 'v7' }) }
}
