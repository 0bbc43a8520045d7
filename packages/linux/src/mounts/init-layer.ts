/**
 * The init layer: an extra lower directory between the image and a container's writable layer that holds the mount
 * points every container needs, so that the runtime makes nothing in the writable layer and neither `diff` nor
 * `commit` shows them. What the image has already is left alone, so the layer depends on the image only: it is made
 * once per image and shared by its containers.
 */
import { chmod, lstat, mkdir, readlink, symlink, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { isGone } from './safe-walk.ts'

const mountPoints: readonly [path: string, kind: 'directory' | 'file' | 'link'][] = [
  ['/dev/pts', 'directory'],
  ['/dev/shm', 'directory'],
  ['/proc', 'directory'],
  ['/sys', 'directory'],
  ['/.dockerenv', 'file'],
  ['/etc/resolv.conf', 'file'],
  ['/etc/hosts', 'file'],
  ['/etc/hostname', 'file'],
  ['/dev/console', 'file'],
  ['/etc/mtab', 'link'],
]

/** `root` is the image's tree, writable into the layer, which nobody else changes meanwhile. */
export async function makeMountPoints(root: string): Promise<void> {
  for (const [target, kind] of mountPoints) {
    const place = await placeIn(root, target)
    if (place === undefined) continue
    await mkdir(path.dirname(place), { recursive: true, mode: 0o755 })
    if (kind === 'directory') await mkdir(place, { recursive: true, mode: 0o755 })
    else if (kind === 'link') await symlink('/proc/mounts', place)
    else await makeFile(place)
  }
}

async function makeFile(place: string): Promise<void> {
  await writeFile(place, '', { flag: 'wx' })
  await chmod(place, 0o755)
}

const linkLimit = 40

/**
 * Where `target` lies, with every link of the image read as the container would. undefined: there is something already,
 * or nothing can be made there (a file in the way, a loop).
 */
async function placeIn(root: string, target: string): Promise<string | undefined> {
  let rest = target.split('/').filter(Boolean)
  let here = ''
  for (let links = 0; ; ) {
    const name = rest.shift()
    if (name === undefined) return undefined
    if (name === '.' || name === '..') {
      here = name === '..' ? path.dirname(here === '' ? '/' : here).replace(/^\/$/, '') : here
      continue
    }
    const next = `${here}/${name}`
    const kind = await kindOf(root + next)
    // `..` behind a name that does not exist leads nowhere for the container, but mkdir would follow it.
    if (kind === 'none') return rest.includes('..') ? undefined : [root + next, ...rest].join('/')
    if (kind === 'file') return undefined
    if (kind === 'directory') {
      here = next
      continue
    }
    links += 1
    if (links > linkLimit) return undefined
    const link = await readlink(root + next)
    if (link.startsWith('/')) here = ''
    rest = [...link.split('/').filter(Boolean), ...rest]
  }
}

async function kindOf(place: string): Promise<'none' | 'file' | 'directory' | 'link'> {
  try {
    const stat = await lstat(place)
    if (stat.isSymbolicLink()) return 'link'
    return stat.isDirectory() ? 'directory' : 'file'
  } catch (error) {
    if (isGone(error)) return 'none'
    throw error
  }
}
