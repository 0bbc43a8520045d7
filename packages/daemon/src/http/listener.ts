/** A listening socket whose connections are handed to the HTTP server. */
import { createServer, type ListenOptions, type Socket } from 'node:net'
import { createServer as createTlsServer, type TlsOptions } from 'node:tls'

/** A path, a host and port, or a file descriptor; with `tls` only for clients that its options accept. */
export type ListenTarget = ListenOptions & { fd?: number; tls?: TlsOptions }

/** Resolves when it listens, with what stops it: that resolves when all its connections have ended. */
export async function openListener(
  { tls, ...target }: ListenTarget,
  onConnection: (socket: Socket) => void,
): Promise<() => Promise<void>> {
  // A client that has sent all its input half-closes and goes on reading.
  const listener =
    tls === undefined
      ? createServer({ allowHalfOpen: true, noDelay: true }, onConnection)
      : createTlsServer({ ...tls, allowHalfOpen: true, noDelay: true } as TlsOptions, onConnection)
  await new Promise<void>((resolve, reject) => {
    listener.once('error', reject)
    listener.listen(target, () => {
      listener.removeListener('error', reject)
      resolve()
    })
  })
  return () => new Promise((resolve) => listener.close(() => resolve()))
}
