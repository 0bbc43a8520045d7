/**
 * Where compiled code is kept between runs. Not in Node's default, the directory for temporary files: whoever makes it
 * there first decides what code others run, since what is loaded from it is not checked.
 */
import { lstatSync } from 'node:fs'
import { join } from 'node:path'

/** Below the user's own home directory; undefined when there is none that is theirs alone (`sudo` may keep another's). */
export function compileCacheDirectory(environment: NodeJS.ProcessEnv, userId = process.getuid?.()): string | undefined {
  const { HOME: home, XDG_CACHE_HOME: named } = environment
  const base = named || (home && join(home, '.cache'))
  if (!base) return undefined
  // The directory itself may not be there yet.
  const owned = statsOf(base) ?? statsOf(home)
  if (!owned?.isDirectory() || owned.uid !== userId || (owned.mode & 0o022) !== 0) return undefined
  return join(base, 'docker-ts')
}

const statsOf = (path = '') => lstatSync(path, { throwIfNoEntry: false })
