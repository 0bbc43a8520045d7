/** Hands a tar out while what it is read from stays held until the tar is closed. */
import type { Readable } from 'node:stream'
import type { Container } from './container.ts'
import type { ContainerContext } from './container-context.ts'

/**
 * `open` holds what the tar needs, gives it to `deliver`, and lets go when that resolves. Rejects with what went wrong
 * before; what goes wrong afterwards is logged.
 */
export function readerOpened<T extends { tar: Readable }>(
  context: ContainerContext,
  container: Container,
  open: (deliver: (opened: T) => Promise<void>) => Promise<void>,
): Promise<T> {
  return new Promise((resolve, reject) => {
    let delivered = false
    const deliver = async (opened: T) => {
      delivered = true
      resolve(opened)
      await closed(opened.tar)
    }
    open(deliver).catch((error) => {
      reject(error)
      if (delivered) context.logger.error({ containerId: container.id, err: error }, 'could not let go of a copy')
    })
  })
}

const closed = (stream: Readable): Promise<void> =>
  stream.closed ? Promise.resolve() : new Promise((resolve) => stream.once('close', () => resolve()))
