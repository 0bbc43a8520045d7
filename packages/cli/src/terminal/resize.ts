/** Keeps the size of a container's terminal equal to this one's. */
import { isatty } from 'node:tty'
import type { ApiClient } from '../client/api-client.ts'
import { STDOUT } from './write.ts'

const RETRY_DELAY_MS = 10
const RETRIES = 10

/** `[rows, columns]`, zeros when standard output is no terminal. */
export function terminalSize(): [number, number] {
  return isatty(STDOUT) ? [process.stdout.rows ?? 0, process.stdout.columns ?? 0] : [0, 0]
}

/**
 * Sends the size now and on every change. `path` is that of the container or exec. `redraw` sends another size first,
 * so that a program that has drawn its screen already draws it again.
 */
export function followTerminalSize(api: ApiClient, path: string, redraw = false): void {
  const send = async (extra = 0): Promise<boolean> => {
    const [rows, columns] = terminalSize()
    const [h, w] = [rows + extra, columns + extra]
    if (h === 0 && w === 0) return true
    return api.call('POST', `${path}/resize`, { query: { h, w } }).then(
      () => true,
      () => false,
    )
  }
  const sendUntilTaken = async () => {
    if (redraw) await send(1)
    // The process may not be there yet when the stream already is.
    for (let attempt = 0; attempt <= RETRIES; attempt++) {
      if (await send()) return
      await new Promise((resolve) => setTimeout(resolve, RETRY_DELAY_MS * (attempt + 1)).unref())
    }
  }
  void sendUntilTaken()
  process.on('SIGWINCH', () => void send())
}
