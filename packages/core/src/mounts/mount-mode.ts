/** The option word list of a bind (`src:dst:ro,z`): which words exist, which exclude each other, what they mean. */
import type { EngineError } from '../errors/engine-error.ts'
import { invalidArgument } from '../errors/engine-error.ts'

const groups: readonly ReadonlySet<string>[] = [
  new Set(['rw', 'ro']),
  new Set(['z', 'Z']),
  new Set(['private', 'rprivate', 'shared', 'rshared', 'slave', 'rslave']),
  new Set(['nocopy']),
  new Set(['consistent', 'cached', 'delegated']),
]
const [, labelWords, propagationWords] = groups

/** At most one word of each group; '' is valid. */
export function isMountMode(mode: string): boolean {
  if (mode === '') return true
  const seen = new Set<ReadonlySet<string>>()
  for (const word of mode.split(',')) {
    const group = groups.find((candidate) => candidate.has(word))
    if (!group || seen.has(group)) return false
    seen.add(group)
  }
  return true
}

export const invalidMode = (mode: string): EngineError => invalidArgument(`invalid mode: ${mode}`)

/** The words of a mode that `isMountMode` accepts. */
export interface MountMode {
  readOnly: boolean
  noCopy: boolean
  propagation: string
  /** SELinux: `z` shared, `Z` private. */
  label: string
}

export function readMountMode(mode: string): MountMode {
  const words = mode.split(',')
  return {
    readOnly: words.includes('ro'),
    noCopy: words.includes('nocopy'),
    propagation: words.find((word) => propagationWords?.has(word)) ?? '',
    label: words.find((word) => labelWords?.has(word)) ?? '',
  }
}

export const isPropagation = (word: string): boolean => propagationWords?.has(word) ?? false
