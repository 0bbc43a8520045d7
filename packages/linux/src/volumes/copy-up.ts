/**
 * First use of an empty volume: it gets what the image has at the mount point, and the mount point's own owner, mode
 * and attributes. The kernel resolves the mount point inside the container's root, so no link leads out of it.
 */
import { chmod, chown, readdir, stat } from 'node:fs/promises'
import { EngineError, type HostHelper } from '@dockerd-ts/core'
import { runCommand } from '../command/run-command.ts'
import { isGone } from '../mounts/safe-walk.ts'

export interface CopyUpRequest {
  helper: Pick<HostHelper, 'resolveInRoot'>
  /** Mounted root filesystem of a container that does not run. */
  rootFilesystem: string
  /** Absolute in the container. */
  destination: string
  /** The volume's directory. */
  volume: string
}

/** Throws invalidArgument when a file stands at the mount point. A volume that holds anything is left alone. */
export async function copyUp(request: CopyUpRequest): Promise<void> {
  const { rootFilesystem, destination, volume } = request
  if ((await readdir(volume)).length > 0) return
  const resolved = await resolve(request)
  if (!resolved) return
  try {
    const source = await stat(resolved.path)
    if (!source.isDirectory()) {
      const place = rootFilesystem + destination
      throw new EngineError('invalidArgument', `cannot mount volume over existing file, file exists ${place}`)
    }
    if ((await readdir(resolved.path)).length === 0) {
      // Most often: no program needs to run for a directory's owner and mode. chown clears set-id bits, so it is first.
      await chown(volume, source.uid, source.gid)
      await chmod(volume, source.mode & 0o7777)
    } else await copyTree(`${resolved.path}/.`, volume)
  } finally {
    await resolved.release()
  }
}

async function resolve({ helper, rootFilesystem, destination }: CopyUpRequest) {
  try {
    return await helper.resolveInRoot({ root: rootFilesystem, path: destination, followLast: true })
  } catch (error) {
    if (isGone(error)) return undefined
    throw error
  }
}

const copyTimeoutMs = 30 * 60_000

/** Owners, modes, times, extended attributes, hard links, devices and holes are kept; links are copied as links. */
async function copyTree(source: string, target: string): Promise<void> {
  await runCommand(['cp', '-a', '--reflink=auto', '--sparse=auto', '--', source, target], {
    timeoutMs: copyTimeoutMs,
    maxOutputBytes: 65_536,
  })
}
