/** A listening socket whose connections are handed to the HTTP server. */
import { type AddressInfo, createServer, type ListenOptions, type Socket } from 'node:net'
import { createServer as createTlsServer, type TlsOptions } from 'node:tls'

/** A path, a host and port, or a file descriptor; with `tls` only for clients that its options accept. */
export type ListenTarget = ListenOptions & { fd?: number; tls?: TlsOptions }

export interface OpenListener {
  /** A path, or address and port. */
  address: AddressInfo | string | null
  /** Stops accepting; resolves when all its connections have ended. */
  close(): Promise<void>
}

/** Resolves when it listens. */
export async function openListener(
  { tls, ...target }: ListenTarget,
  onConnection: (socket: Socket) => void,
): Promise<OpenListener> {
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
  return {
    address: listener.address(),
    close: () => new Promise((resolve) => listener.close(() => resolve())),
  }
}
