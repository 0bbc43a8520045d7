/** Removes directory trees: by the host helper where there is one, else by Node. */
import { rm } from 'node:fs/promises'
import type { HostHelper } from '@dockerd-ts/core'

export type RemoveTree = (path: string) => Promise<void>

export function treeRemoval(helper: Pick<HostHelper, 'removeTree'> | undefined): RemoveTree {
  if (helper !== undefined) return (path) => helper.removeTree(path)
  return (path) => rm(path, { recursive: true, force: true })
}
