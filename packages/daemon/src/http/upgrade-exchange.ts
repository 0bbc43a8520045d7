/** Answers a request whose `Upgrade` header took it out of node's HTTP server: with a session, or an HTTP error. */
import { type IncomingMessage, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { Readable } from 'node:stream'
import { InvalidRequest } from '@dockerd-ts/api'
import { errorBody, hijackedError } from './error-reply.ts'
import type { Exchange } from './exchange.ts'
import { closeGently, upgradedSocket } from './hijack.ts'
import type { Headers, PlainReply } from './replies.ts'
import { readUpgradedBody } from './upgraded-body.ts'
import { handshakeHead } from './websocket.ts'

export interface UpgradeMessage {
  request: IncomingMessage
  socket: Socket
  /** What the parser had read behind the request's head. */
  head: Buffer
}

/** Never rejects. */
export async function answerUpgrade(exchange: Exchange, message: UpgradeMessage): Promise<void> {
  const socket = upgradedSocket(message.socket, message.head)
  exchange.options.onHijack(socket)
  try {
    await serve(exchange, message.request, socket)
  } catch (error) {
    if (!socket.destroyed) socket.write(jsonError(exchange, error))
  }
  closeGently(socket)
}

async function serve(exchange: Exchange, request: IncomingMessage, socket: Socket): Promise<void> {
  const { headers } = exchange.options
  const isWebSocket = exchange.route.endpoint.transport === 'websocket'
  const gone = new AbortController()
  socket.once('close', () => gone.abort())
  const body = Readable.from([await readUpgradedBody(request, socket)])
  const outcome = await exchange.handle({ headers: request.headers, body, signal: gone.signal })
  if ('reply' in outcome) {
    const { reply } = outcome
    if (reply.kind === 'session') {
      const handshake = isWebSocket ? handshakeOrRefusal(request, headers) : undefined
      if (handshake?.refused !== undefined) {
        await exchange.abandonSession(reply)
        socket.write(response(400, headers, handshake.refused))
      } else await exchange.runSession(reply, { socket, protocol: handshake ?? 'upgrade' })
    } else socket.write(response(200, { ...headers, ...(reply as PlainReply).headers }, (reply as PlainReply).text))
  } else if (exchange.isHijackedError(outcome)) {
    socket.write(hijackedError(exchange.errorReply(outcome.error)))
  } else throw outcome.error
}

/** Docker looks for the container first; a bad handshake is refused in plain text. */
function handshakeOrRefusal(
  request: IncomingMessage,
  headers: Headers,
): { handshake: string; refused?: undefined } | { refused: string } {
  try {
    return { handshake: handshakeHead(request, headers) }
  } catch (error) {
    if (!(error instanceof InvalidRequest)) throw error
    return { refused: error.message }
  }
}

function jsonError(exchange: Exchange, error: unknown): string {
  const { status, message } = exchange.errorReply(error)
  return response(status, { ...exchange.options.headers, 'Content-Type': 'application/json' }, errorBody(message))
}

/** The connection has left the HTTP server, so it is closed after its one answer. */
function response(status: number, headers: Headers, body: string): string {
  const lines = [`HTTP/1.1 ${status} ${STATUS_CODES[status]}`]
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`)
  lines.push(`Content-Length: ${Buffer.byteLength(body)}`, 'Connection: close')
  return `${lines.join('\r\n')}\r\n\r\n${body}`
}
