/** Opens connections to the daemon. What SSH and TLS need is loaded only for them. */
import { connect as connectSocket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { DaemonAddress, TlsFiles } from './endpoint.ts'

export async function dial(address: DaemonAddress): Promise<Duplex> {
  if (address.protocol === 'ssh') return (await import('./ssh.ts')).dialSsh(address)
  if (address.protocol === 'npipe') throw new Error('protocol not available')
  const { host, port } = splitAddress(address)
  const secure = address.protocol === 'tcp' && address.tls !== undefined
  const socket = secure
    ? await (await import('./tls.ts')).startTls(host, port, address.tls as TlsFiles)
    : address.protocol === 'unix'
      ? connectSocket({ path: address.address })
      : connectSocket({ host, port, noDelay: true })
  await new Promise<void>((resolve, reject) => {
    socket.once(secure ? 'secureConnect' : 'connect', resolve)
    socket.once('error', reject)
  })
  socket.removeAllListeners('error')
  return socket
}

function splitAddress({ address }: DaemonAddress): { host: string; port: number } {
  const at = address.lastIndexOf(':')
  return { host: address.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(address.slice(at + 1)) }
}
