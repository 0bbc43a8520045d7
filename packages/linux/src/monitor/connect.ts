/** Connects to the Unix socket in a monitor's directory, however long the directory's path is. */
import { open } from 'node:fs/promises'
import { connect, type NetConnectOpts, type Socket } from 'node:net'
import path from 'node:path'

/** sun_path without its closing NUL. */
const maxSocketPathBytes = 107
export const socketName = 'monitor.sock'
/** Of a client's input: enough that reading from the client goes on while the process takes what was written. */
const writeBufferBytes = 256 * 1024

export async function connectMonitor(directory: string): Promise<Socket> {
  const socketPath = path.join(directory, socketName)
  if (Buffer.byteLength(socketPath) <= maxSocketPathBytes) return connectTo(socketPath)
  // The kernel follows our own descriptor's link, so the path is short whatever the directory is called.
  const handle = await open(directory, 'r')
  try {
    return await connectTo(`/proc/self/fd/${handle.fd}/${socketName}`)
  } finally {
    await handle.close()
  }
}

function connectTo(socketPath: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path: socketPath, writableHighWaterMark: writeBufferBytes } as NetConnectOpts)
    socket.once('error', reject)
    socket.once('connect', () => {
      socket.off('error', reject)
      resolve(socket)
    })
  })
}
