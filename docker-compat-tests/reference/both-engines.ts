/** Our daemon and a real dockerd, with the same image, for tests that ask both the same. */
import { rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { startDaemon } from '../support/daemon.ts'
import { busyboxRootfs, importImage } from '../support/images.ts'
import { startReference } from '../support/reference-daemon.ts'

export async function startBoth() {
  const ours = await startDaemon()
  const reference = await startReference()
  const tar = busyboxRootfs()
  for (const { socket } of [ours, reference]) await importImage(socket, tar, 'busybox:latest')
  rmSync(dirname(tar), { recursive: true })
  /** Answers what is left of ours on the machine: should be []. */
  const stop = async () => {
    await reference.stop()
    return ours.stop()
  }
  return { ours, reference, stop }
}
