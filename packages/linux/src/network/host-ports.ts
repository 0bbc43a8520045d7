/**
 * Sockets that hold published ports against the host's own programs: nothing reaches them (the firewall's map sends
 * packets on before a socket is looked up), but whoever wants the port is told that it is in use.
 */
import { createSocket, type Socket } from 'node:dgram'
import { createServer, type Server } from 'node:net'
import type { PublishedPort } from '@dockerd-ts/core'

export interface HeldPort {
  close(): void
}

/** Throws the system's error (EADDRINUSE, EADDRNOTAVAIL, EACCES). Node has no SCTP: such ports are not held. */
export async function holdPort({ protocol, hostIp, hostPort }: PublishedPort): Promise<HeldPort> {
  if (protocol === 'tcp') return holdTcp(hostIp, hostPort)
  if (protocol === 'udp') return holdUdp(hostIp, hostPort)
  return { close() {} }
}

function holdTcp(host: string, port: number): Promise<HeldPort> {
  return new Promise((resolve, reject) => {
    // Listening, not just bound: programs that set SO_REUSEADDR could bind beside a socket that does not listen.
    const server: Server = createServer({ pauseOnConnect: true }, (socket) => socket.destroy())
    server.once('error', reject)
    server.listen({ host, port, exclusive: true, ipv6Only: host.includes(':'), backlog: 1 }, () => {
      server.off('error', reject)
      server.on('error', () => {})
      server.unref()
      resolve({ close: () => server.close() })
    })
  })
}

function holdUdp(address: string, port: number): Promise<HeldPort> {
  const isIpv6 = address.includes(':')
  return new Promise((resolve, reject) => {
    const socket: Socket = createSocket({ type: isIpv6 ? 'udp6' : 'udp4', ipv6Only: isIpv6, recvBufferSize: 2048 })
    socket.once('error', reject)
    socket.bind({ address, port, exclusive: true }, () => {
      socket.off('error', reject)
      socket.on('error', () => {})
      socket.unref()
      resolve({ close: () => socket.close() })
    })
  })
}
