/** Docker's rules for what a copied file or directory is called at its destination. */
import { posix } from 'node:path'

export interface CopySource {
  /** As given, with a trailing `/` or `/.` where there was one. */
  path: string
  isDirectory: boolean
  /** The name that the archive's top entry has. */
  baseName: string
}

export interface CopyTarget {
  path: string
  exists: boolean
  isDirectory: boolean
}

export interface CopyPlan {
  /** Where to unpack. */
  directory: string
  /** The name of the top entry there. */
  name: string
}

const assertsDirectory = (path: string): boolean => /(^|\/)\.?$/.test(path)

export function planCopy(source: CopySource, target: CopyTarget): CopyPlan {
  if (target.exists && target.isDirectory) return { directory: target.path, name: source.baseName }
  if (target.exists && source.isDirectory) throw new Error('cannot copy directory')
  const clean = posix.normalize(target.path).replace(/\/$/, '')
  if (target.exists && assertsDirectory(target.path)) throw new Error('not a directory')
  if (!target.exists && !source.isDirectory && assertsDirectory(target.path)) throw new Error('no such directory')
  return { directory: posix.dirname(clean), name: posix.basename(clean) }
}

/** Replaces the top entry's name in the name of any entry. */
export function rebase(name: string, from: string, to: string): string {
  if (from === to) return name
  if (name === from) return to
  if (name.startsWith(`${from}/`)) return to + name.slice(from.length)
  return name
}

/** `container:path` and plain paths; a path with a slash before its colon is a path. */
export function splitCopyArgument(argument: string): { container: string; path: string } {
  if (argument.startsWith('/')) return { container: '', path: argument }
  const colon = argument.indexOf(':')
  if (colon < 0 || argument.startsWith('.')) return { container: '', path: argument }
  return { container: argument.slice(0, colon), path: argument.slice(colon + 1) }
}

/** The name that the daemon gives to the top entry of the archive of `path`. */
export function archiveName(path: string): string {
  if (path.endsWith('/.') || path === '.') return '.'
  const base = posix.basename(posix.normalize(path))
  return base === '' ? '/' : base
}
