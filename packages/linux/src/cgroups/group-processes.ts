/** The processes of a group and of the groups that a container has made below it; removal of groups that have ended. */
import type { Dirent } from 'node:fs'
import { readdir, rmdir } from 'node:fs/promises'
import { posix } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { isGone, readGroupFile } from './group-files.ts'

/** A container can nest groups as it likes: what is looked at has to end. */
const mostGroups = 4096
const mostProcesses = 131_072

/** Ascending; empty when the group is gone. */
export async function groupProcessIds(directory: string): Promise<number[]> {
  const found = new Set<number>()
  for (const group of await groupTree(directory)) {
    const text = await readGroupFile(posix.join(group, 'cgroup.procs'))
    for (const line of (text ?? '').split('\n')) {
      if (line !== '' && found.size < mostProcesses) found.add(Number(line))
    }
  }
  // 0 stands for processes of a pid namespace that is not ours to see.
  found.delete(0)
  return [...found].sort((a, b) => a - b)
}

/** The group first, then those below it, each parent before its children. */
async function groupTree(directory: string): Promise<string[]> {
  const groups = [directory]
  for (let index = 0; index < groups.length && groups.length < mostGroups; index += 1) {
    const group = groups[index] ?? ''
    for (const entry of await entriesOf(group)) {
      if (entry.isDirectory()) groups.push(posix.join(group, entry.name))
    }
  }
  return groups
}

async function entriesOf(group: string): Promise<Dirent[]> {
  try {
    return await readdir(group, { withFileTypes: true })
  } catch (error) {
    if (isGone(error)) return []
    throw error
  }
}

/** The kernel lets go of a killed process's group only when the process is reaped. */
const removeAttempts = 50
const removePauseMs = 10

/**
 * Removes a group and what is below it; what is gone counts as done. Processes that are still in it are killed: they
 * belong to a container that has ended (a container in the host's pid namespace leaves its children behind).
 */
export async function removeGroup(directory: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      for (const group of (await groupTree(directory)).reverse()) await removeOne(group)
      return
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EBUSY' || attempt === removeAttempts) throw error
    }
    for (const pid of await groupProcessIds(directory)) killIfThere(pid)
    await delay(removePauseMs)
  }
}

async function removeOne(group: string): Promise<void> {
  try {
    await rmdir(group)
  } catch (error) {
    if (!isGone(error)) throw error
  }
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
