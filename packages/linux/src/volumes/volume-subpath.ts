/**
 * A place inside a volume. Links are followed as the host sees them, since that is what Docker judges by; the place that
 * comes of it is then opened by the kernel below the volume's root, so that no link made meanwhile leads out.
 */
import { realpath as followLinks } from 'node:fs'
import { readlink, realpath } from 'node:fs/promises'
import path from 'node:path'
import { getSystemErrorMessage, promisify } from 'node:util'
import { EngineError, type HostHelper, internal, invalidArgument } from '@dockerd-ts/core'
import { isGone } from '../mounts/safe-walk.ts'

/** This one names the very link at which it stopped. */
const followed = promisify(followLinks)

export interface SubpathRequest {
  helper: Pick<HostHelper, 'resolveInRoot'>
  /** The volume's directory. */
  root: string
  subpath: string
}

/** Throws notFound, invalidArgument (it leads out) or internal in Docker's words. */
export async function resolveSubpath({ helper, root, subpath }: SubpathRequest) {
  const place = path.join(root, subpath)
  try {
    const inside = path.relative(await realpath(root), await followed(place))
    if (inside === '..' || inside.startsWith('../')) {
      throw invalidArgument(`path concatenation escapes the base directory, base: ${root}, subpath: ${subpath}`)
    }
    return await helper.resolveInRoot({ root, path: inside || '.', followLast: true })
  } catch (error) {
    throw error instanceof EngineError ? error : await refusal(place, error as NodeJS.ErrnoException)
  }
}

async function refusal(place: string, error: NodeJS.ErrnoException): Promise<Error> {
  const { code, errno } = error
  const unresolved = `error while resolving symlinks in combined path ${JSON.stringify(place)}`
  if (code === 'ELOOP') return internal(`${unresolved}: EvalSymlinks: too many links`, error)
  if (errno === undefined) return error
  if (!isGone(error) || code === 'ENOTDIR') return internal(`${unresolved}: ${getSystemErrorMessage(errno)}`, error)
  const missing = error.syscall === 'stat' ? await targetOf(error.path ?? place) : (error.path ?? place)
  const message = `cannot access path ${place}: lstat ${missing}: ${getSystemErrorMessage(errno)}`
  return new EngineError('notFound', message, { cause: error })
}

const targetOf = async (link: string): Promise<string> =>
  readlink(link).then(
    (target) => path.resolve(path.dirname(link), target),
    () => link,
  )
