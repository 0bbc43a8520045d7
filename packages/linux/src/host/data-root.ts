/** What is below the data root, for the disk ledger: names, sizes, and removal of what has no owner. */
import { randomBytes } from 'node:crypto'
import { lstatSync, renameSync } from 'node:fs'
import { lstat } from 'node:fs/promises'
import { join } from 'node:path'
import type { DataRoot, DiskClaim, HostHelper, MeasuredTree } from '@dockerd-ts/core'
import { namesIn } from '../mounts/directory-names.ts'
import { isGone, walkTree } from '../mounts/safe-walk.ts'

export interface DataRootOptions {
  dataRoot: string
  helper: Pick<HostHelper, 'removeTree'>
  /** Of single files and directories that no other part claims: the database. */
  fixed: readonly { path: string; kind: string; required: boolean }[]
}

/** stat's unit, whatever the file system's block size is. */
const blockBytes = 512n

const removedPrefix = '.removed-'

export function createDataRoot({ dataRoot, helper, fixed }: DataRootOptions): DataRoot {
  const busy = new Set<string>()
  return {
    claims: () => [
      ...fixed.map((entry): DiskClaim => ({ ...entry, ownerId: '', extent: 'tree' })),
      ...[...busy].map(
        (path): DiskClaim => ({
          ...{ path, kind: 'work under way', ownerId: '', extent: 'tree', required: false },
        }),
      ),
    ],
    names: (directory) => namesIn(join(dataRoot, directory)),
    measure: (path, seen) => measure(join(dataRoot, path), seen),
    look: (path) => look(join(dataRoot, path)),
    remove(path) {
      const aside = `${removedPrefix}${randomBytes(6).toString('hex')}`
      try {
        renameSync(join(dataRoot, path), join(dataRoot, aside))
      } catch (error) {
        return isGone(error) ? Promise.resolve() : Promise.reject(error)
      }
      busy.add(aside)
      return helper.removeTree(join(dataRoot, aside)).finally(() => busy.delete(aside))
    },
  }
}

function look(path: string) {
  try {
    const stat = lstatSync(path, { bigint: true })
    return {
      isDirectory: stat.isDirectory(),
      sizeBytes: stat.isDirectory() ? 0 : Number(stat.size),
      diskBytes: Number(stat.blocks * blockBytes),
    }
  } catch (error) {
    if (isGone(error)) return undefined
    throw error
  }
}

async function measure(path: string, seen: Set<string>): Promise<MeasuredTree> {
  const total = { files: 0, sizeBytes: 0, diskBytes: 0 }
  try {
    const top = await lstat(path, { bigint: true })
    const add = (stat: typeof top) => {
      // What is mounted here is no part of the data root.
      if (stat.dev !== top.dev) return
      if (!stat.isDirectory()) {
        if (stat.nlink > 1n) {
          const name = `${stat.dev}:${stat.ino}`
          if (seen.has(name)) return
          seen.add(name)
        }
        total.files++
        total.sizeBytes += Number(stat.size)
      }
      total.diskBytes += Number(stat.blocks * blockBytes)
    }
    add(top)
    if (!top.isDirectory()) return total
    for await (const { stat } of walkTree(path, { oneFileSystem: true })) add(stat)
  } catch (error) {
    if (!isGone(error)) throw error
  }
  return total
}
