/** Datagrams to a local daemon, which takes them when it has room. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { SendDatagram } from './driver.ts'

const retryMs = 5
const longestRetryMs = 200

/** Waits while the receiver's queue is full, as a blocking socket would. */
export async function sendToSocket(send: SendDatagram, path: string, bytes: Buffer): Promise<void> {
  for (let delayMs = retryMs; ; delayMs = Math.min(delayMs * 2, longestRetryMs)) {
    try {
      return await send(path, bytes)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code !== 'EAGAIN' && code !== 'ENOBUFS') throw error
    }
    await sleep(delayMs)
  }
}
