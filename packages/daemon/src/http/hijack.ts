/**
 * Connections that an attach or exec takes over. With an `Upgrade` header the HTTP parser has let go already: what it
 * had read (the body and early stdin) comes as `head`. Without one the parser is detached here, so that stdin which
 * looks like an HTTP request is not dispatched as one.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { isOlder } from '@dockerd-ts/api'
import type { StreamSession } from '@dockerd-ts/core'
import { WebSocketDuplex } from './websocket.ts'

const rawStream = 'application/vnd.docker.raw-stream'
const multiplexedStream = 'application/vnd.docker.multiplexed-stream'

/** Detaches node's HTTP server from the socket of a request whose body was read. Bytes from now on stay on the socket. */
export function takeOver(request: IncomingMessage, response: ServerResponse): Socket {
  const { socket } = request
  response.detachSocket(socket)
  for (const event of ['data', 'end', 'close', 'drain', 'timeout', 'error']) socket.removeAllListeners(event)
  // The native parser reads the file descriptor itself; node takes it back when a reader appears.
  const reader = () => {}
  socket.on('data', reader)
  socket.removeListener('data', reader)
  prepare(socket)
  return socket
}

/** No consumer yet: whoever pipes, iterates or listens starts the flow. */
function prepare(socket: Socket): void {
  socket.setTimeout(0)
  socket.pause()
  Object.assign(socket, { readableFlowing: null })
  // A reset by the client is an end like any other; `close` follows.
  socket.on('error', () => {})
}

/** Of a request that came as an upgrade: what the parser had read beyond the request's head goes back to the socket. */
export function upgradedSocket(socket: Socket, head: Buffer): Socket {
  prepare(socket)
  if (head.length > 0) socket.unshift(head)
  return socket
}

export interface SessionStart {
  socket: Socket
  /** How the answer begins: `101 UPGRADED`, a plain 200, or the answer to a WebSocket handshake. */
  protocol: 'upgrade' | 'plain' | { handshake: string }
  version: string
  /** The negotiation headers. */
  headers: Readonly<Record<string, string>>
}

/** Gives the connection to the session; afterwards flushes and closes it. Rejects with the session's failure. */
export async function runSession(session: StreamSession, start: SessionStart): Promise<void> {
  const { socket, protocol, version } = start
  const gone = new AbortController()
  socket.once('close', () => gone.abort())
  if (socket.destroyed) gone.abort()
  else socket.write(typeof protocol === 'object' ? protocol.handshake : sessionHead(session, start))
  const messages = isOlder(version, '1.28') ? 'text' : 'binary'
  const connection =
    typeof protocol === 'object' ? new WebSocketDuplex(socket, { framed: session.multiplexed, messages }) : socket
  try {
    await session.run(connection, gone.signal)
    if (connection !== socket) await finished(connection)
  } finally {
    closeGently(socket)
  }
}

function sessionHead(session: StreamSession, { protocol, version, headers }: SessionStart): string {
  const framed = session.multiplexed && !isOlder(version, '1.42')
  const lines =
    protocol === 'plain'
      ? ['HTTP/1.1 200 OK', `Content-Type: ${rawStream}`]
      : [
          'HTTP/1.1 101 UPGRADED',
          `Content-Type: ${framed ? multiplexedStream : rawStream}`,
          'Connection: Upgrade',
          'Upgrade: tcp',
        ]
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`)
  return `${lines.join('\r\n')}\r\n\r\n`
}

/** Sends what was written and the closing message. */
function finished(connection: Duplex): Promise<void> {
  return new Promise((resolve) => {
    connection.once('close', resolve)
    if (connection.destroyed) resolve()
    else connection.end(resolve)
  })
}

/** Input that nobody read is discarded: closing over it would be a reset, which can cost the client our last bytes. */
export function closeGently(socket: Socket): void {
  if (socket.destroyed) return
  socket.resume()
  socket.destroySoon()
}
