/**
 * Which containers use a volume that is mounted on demand: one marker file each, beside the data, so that a new daemon
 * knows when the last user has gone. After a reboot nothing is mounted and old markers mean nothing.
 */
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { isGone } from '../mounts/safe-walk.ts'

const usersIn = (volumeDirectory: string) => path.join(volumeDirectory, 'users')

export async function addUser(volumeDirectory: string, containerId: string): Promise<void> {
  await mkdir(usersIn(volumeDirectory), { recursive: true, mode: 0o700 })
  await writeFile(path.join(usersIn(volumeDirectory), containerId), '')
}

/** Answers how many are left. */
export async function removeUser(volumeDirectory: string, containerId: string): Promise<number> {
  await rm(path.join(usersIn(volumeDirectory), containerId), { force: true })
  return (await listUsers(volumeDirectory)).length
}

export async function clearUsers(volumeDirectory: string): Promise<void> {
  await rm(usersIn(volumeDirectory), { recursive: true, force: true })
}

export async function listUsers(volumeDirectory: string): Promise<string[]> {
  return readdir(usersIn(volumeDirectory)).catch((error) => {
    if (isGone(error)) return []
    throw error
  })
}
