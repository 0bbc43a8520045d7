/**
 * What a client still sends of a body that has been answered already is read and thrown away. Many clients send all of
 * it before they look at the answer: left unread they would wait for ever, and a connection closed under their hands
 * would take the answer with it. Their own pace bounds it.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** Of each connection that has sent a body: the last request with one. */
const senders = new WeakMap<Socket, IncomingMessage>()

/** To be called before the request is answered. */
export function discardUnreadBody(request: IncomingMessage, response: ServerResponse): void {
  const { headers, socket } = request
  if (headers['content-length'] === undefined && headers['transfer-encoding'] === undefined) return
  response.once('finish', () => {
    if (request.complete) return
    // Beside any reader that gave up: an iterator's listener keeps `resume` from having an effect.
    const discard = () => {
      while (request.read() !== null);
    }
    request.on('readable', discard)
    discard()
  })
  // Once for a connection, which may carry any number of requests.
  if (!senders.has(socket)) closeWhenRead(socket)
  senders.set(socket, request)
}

/** A connection that closes after the answer ends its own side at once, and is gone when the client has ended. */
function closeWhenRead(socket: Socket): void {
  const destroySoon = socket.destroySoon.bind(socket)
  socket.destroySoon = () => {
    const request = senders.get(socket)
    if (request === undefined || request.complete || request.destroyed) return destroySoon()
    socket.end()
    for (const event of ['end', 'close'] as const) request.once(event, destroySoon)
  }
}
