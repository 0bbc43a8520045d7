/** Pure path arithmetic for paths in containers and on the host: Go's path.Clean, without Node's platform switch. */

/** Shortest equivalent of a slash path: no `.`, no `//`, no inner `..`, no trailing slash; '' becomes '.'. */
export function cleanPath(path: string): string {
  const rooted = path.startsWith('/')
  const kept: string[] = []
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue
    if (part !== '..') kept.push(part)
    else if (kept.length > 0 && kept.at(-1) !== '..') kept.pop()
    else if (!rooted) kept.push('..')
  }
  return (rooted ? '/' : '') + kept.join('/') || '.'
}

/** The path as the container sees it from its root: absolute and clean. */
export const fromRoot = (path: string): string => cleanPath(`/${path}`)

/** True for a relative path that does not climb above where it starts (Go's filepath.IsLocal). */
export function isLocalPath(path: string): boolean {
  if (path === '' || path.startsWith('/')) return false
  const clean = cleanPath(path)
  return clean !== '..' && !clean.startsWith('../')
}

/** How many parts a path has: mounts are made parents first. */
export const pathDepth = (path: string): number => path.split('/').filter(Boolean).length

/** True when `path` is `parent` or lies below it; both clean and absolute. */
export const isWithin = (path: string, parent: string): boolean =>
  path === parent || parent === '/' || path.startsWith(`${parent}/`)
