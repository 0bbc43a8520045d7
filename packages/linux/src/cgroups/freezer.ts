/** Stops and continues all processes of a group at once. */

import { posix } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { internal, notFound } from '@dockerd-ts/core'
import type { CgroupLayout } from './cgroup-layout.ts'
import { isGone, parseKeyed, readGroupFile, writeGroupFile } from './group-files.ts'

/** A process in uninterruptible sleep cannot be frozen; after this the attempt is given up. */
const freezeTimeoutMs = 10_000
const firstPollMs = 1
const longestPollMs = 50

/** Resolves when every process is frozen. When they cannot be, they are thawed again and it throws. */
export async function freezeGroup(layout: CgroupLayout, groupPath: string): Promise<void> {
  const deadline = Date.now() + freezeTimeoutMs
  await setFrozen(layout, groupPath, true)
  for (
    let pauseMs = firstPollMs;
    !(await isFrozen(layout, groupPath));
    pauseMs = Math.min(pauseMs * 2, longestPollMs)
  ) {
    if (Date.now() > deadline) {
      await setFrozen(layout, groupPath, false)
      throw internal(`the processes could not be frozen within ${freezeTimeoutMs / 1000} seconds`)
    }
    await delay(pauseMs)
    // v1: a process that forked just then may have been missed; asking again catches it.
    if (layout.version === '1') await setFrozen(layout, groupPath, true)
  }
}

export async function thawGroup(layout: CgroupLayout, groupPath: string): Promise<void> {
  await setFrozen(layout, groupPath, false)
}

async function setFrozen(layout: CgroupLayout, groupPath: string, frozen: boolean): Promise<void> {
  try {
    if (layout.version === '2') {
      await writeGroupFile(posix.join(layout.root, groupPath, 'cgroup.freeze'), frozen ? '1' : '0')
    } else {
      await writeGroupFile(freezerFile(layout, groupPath), frozen ? 'FROZEN' : 'THAWED')
    }
  } catch (error) {
    if (isGone(error)) throw notFound(`the cgroup ${groupPath} does not exist`, error)
    throw error
  }
}

async function isFrozen(layout: CgroupLayout, groupPath: string): Promise<boolean> {
  if (layout.version === '2') {
    const events = await readGroupFile(posix.join(layout.root, groupPath, 'cgroup.events'))
    return parseKeyed(events).frozen === 1
  }
  return (await readGroupFile(freezerFile(layout, groupPath)))?.trim() === 'FROZEN'
}

function freezerFile(layout: Extract<CgroupLayout, { version: '1' }>, groupPath: string): string {
  const mount = layout.hierarchies.get('freezer')
  if (mount === undefined) throw internal('the host has no freezer cgroup')
  return posix.join(mount, groupPath, 'freezer.state')
}
