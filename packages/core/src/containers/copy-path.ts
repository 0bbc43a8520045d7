/** Paths of `docker cp` by Docker's rules, and the stat that goes into the X-Docker-Container-Path-Stat header. Pure. */
import type * as wire from '@dockerd-ts/api'
import { fromRoot } from '../mounts/container-path.ts'
import type { FileStat } from '../ports/archives.ts'
import { rfc3339Nano } from '../support/go-time.ts'

/** Go's filepath.Base. */
export function baseName(path: string): string {
  const trimmed = path.replace(/\/+$/, '')
  if (trimmed === '') return path === '' ? '.' : '/'
  return trimmed.slice(trimmed.lastIndexOf('/') + 1)
}

/**
 * Absolute and clean, but what the client put at the end stays: `/.` asks for the content of a directory, and both it and
 * a slash follow a link there and demand a directory.
 */
export function copyPath(asked: string): string {
  let path = fromRoot(asked)
  if (baseName(asked) === '.' && baseName(path) !== '.') path += path.endsWith('/') ? '.' : '/.'
  if (asked.endsWith('/') && !path.endsWith('/')) path += '/'
  return path
}

/** Before the name of every entry of a directory's tar. */
export function tarPrefix(path: string): string {
  const name = baseName(path)
  return name === '/' ? name : `${name}/`
}

/** `st_mode` bits and what Go has for them. */
const typeMask = 0o170000
const types: readonly [mode: number, goMode: number][] = [
  [0o040000, 2 ** 31],
  [0o120000, 2 ** 27],
  [0o060000, 2 ** 26],
  [0o020000, 2 ** 26 + 2 ** 21],
  [0o010000, 2 ** 25],
  [0o140000, 2 ** 24],
]
const flags: readonly [mode: number, goMode: number][] = [
  [0o4000, 2 ** 23],
  [0o2000, 2 ** 22],
  [0o1000, 2 ** 20],
]

/** `st_mode` as Go's os.FileMode. */
export function goFileMode(mode: number): number {
  const type = types.find(([bits]) => bits === (mode & typeMask))?.[1] ?? 0
  const special = flags.filter(([bit]) => (mode & bit) !== 0).reduce((sum, [, goBit]) => sum + goBit, 0)
  return (mode & 0o777) + type + special
}

export const pathStat = (path: string, stat: FileStat): wire.ContainerPathStat => ({
  name: baseName(path),
  size: stat.sizeBytes,
  mode: goFileMode(stat.mode),
  mtime: rfc3339Nano(stat.mtimeNs),
  linkTarget: stat.linkTarget,
})
