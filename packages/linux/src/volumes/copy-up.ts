/**
 * First use of an empty volume: it gets what the image has at the mount point, and the mount point's own owner, mode
 * and attributes. The kernel resolves the mount point inside the container's root, so no link leads out of it.
 *
 * A volume that holds anything is never filled again, so a copy that is cut off must not leave half of it: the content is
 * copied beside the volume, named as complete, and moved in; a new daemon goes on with the moving.
 */
import { chmod, chown, lstat, mkdir, readdir, rename, stat } from 'node:fs/promises'
import path from 'node:path'
import { crashPoint, EngineError, type HostHelper } from '@dockerd-ts/core'
import { runCommand } from '../command/run-command.ts'
import { isGone } from '../mounts/safe-walk.ts'

export interface CopyUpRequest {
  helper: Pick<HostHelper, 'resolveInRoot' | 'removeTree'>
  /** Mounted root filesystem of a container that does not run. */
  rootFilesystem: string
  /** Absolute in the container. */
  destination: string
  /** The volume's directory. */
  volume: string
  /** On the file system of the volume's directory. undefined: the volume is a mount, and is filled in place. */
  staging?: string
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
    } else await fill(`${resolved.path}/.`, request)
  } finally {
    await resolved.release()
  }
}

async function fill(source: string, { volume, staging, helper }: CopyUpRequest): Promise<void> {
  if (staging === undefined) return copyTree(source, volume)
  const partial = partialOf(staging)
  await helper.removeTree(partial)
  await mkdir(partial, { mode: 0o700 })
  try {
    await copyTree(source, partial)
  } catch (error) {
    await helper.removeTree(partial)
    throw error
  }
  crashPoint('volume:content-staged')
  await rename(partial, staging)
  await moveIn({ staging, volume, helper })
  await command(['touch', '-r', source, '--', volume])
  await helper.removeTree(staging)
}

type StagedCopy = Required<Pick<CopyUpRequest, 'staging' | 'volume' | 'helper'>>

const partialOf = (staging: string) => `${staging}.partial`

/** What came into the volume meanwhile stays. The directory itself takes owner, mode and attributes of `staging`. */
async function moveIn({ staging, volume, helper }: StagedCopy): Promise<void> {
  for (const name of await readdir(staging)) {
    const target = path.join(volume, name)
    if (await isThere(target)) await helper.removeTree(path.join(staging, name))
    else await rename(path.join(staging, name), target)
    crashPoint('volume:content-moving')
  }
  await command(['cp', '-a', '--attributes-only', '--no-target-directory', '--', staging, volume])
}

/** After a restart: ends what a copy began. */
export async function finishCopyUp({
  staging,
  volume,
  helper,
}: Required<Omit<CopyUpRequest, 'rootFilesystem' | 'destination'>>): Promise<void> {
  await helper.removeTree(partialOf(staging))
  if (!(await isThere(staging))) return
  await moveIn({ staging, volume, helper })
  await helper.removeTree(staging)
}

/** After a restart: forgets what a copy began. */
export async function discardCopyUp(helper: CopyUpRequest['helper'], staging: string): Promise<void> {
  await helper.removeTree(partialOf(staging))
  await helper.removeTree(staging)
}

async function isThere(place: string): Promise<boolean> {
  try {
    await lstat(place)
    return true
  } catch (error) {
    if (isGone(error)) return false
    throw error
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
  await command(['cp', '-a', '--reflink=auto', '--sparse=auto', '--', source, target])
}

async function command(argv: string[]): Promise<void> {
  await runCommand(argv, { timeoutMs: copyTimeoutMs, maxOutputBytes: 65_536 })
}
