/** Answers a request that node's HTTP server handles. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { adaptResponse } from '@dockerd-ts/api'
import { hijackedError, pageNotFound, sendError } from './error-reply.ts'
import type { Exchange, Outcome } from './exchange.ts'
import { closeGently, takeOver } from './hijack.ts'
import type { PlainReply, Reply } from './replies.ts'
import { isTooOldFor } from './route.ts'
import { sendBytes, sendDeferred, sendObjects } from './stream-reply.ts'
import { notWebSocket } from './websocket.ts'

interface Message {
  request: IncomingMessage
  response: ServerResponse
}

/** Never rejects. */
export async function answerPlain(exchange: Exchange, message: Message): Promise<void> {
  const { request, response } = message
  if (isTooOldFor(exchange.route.endpoint, exchange.context.version)) return sendError(response, pageNotFound)
  const outcome = await exchange.handle({
    headers: request.headers,
    body: request,
    signal: disconnectSignal(response),
  })
  try {
    if ('error' in outcome) await answerError(exchange, message, outcome)
    else await answer(exchange, message, outcome.reply)
  } catch (error) {
    if (response.destroyed) return
    if (response.headersSent) exchange.options.logError(error, exchange.context)
    else sendError(response, exchange.errorReply(error))
  }
}

async function answer(exchange: Exchange, message: Message, reply: Reply<unknown>): Promise<void> {
  const { request, response } = message
  const { operation, status = 200 } = exchange.route.endpoint
  const adapt = <T>(value: T): T => adaptResponse(operation, exchange.context.version, value)
  switch (reply.kind) {
    case 'json': {
      const body = Buffer.from(`${JSON.stringify(adapt(reply.value))}\n`)
      response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': body.length }).end(body)
      return
    }
    case 'plain':
      return sendPlain(response, status, reply)
    case 'deferred':
      return sendDeferred(response, reply, adapt)
    case 'bytes':
      return sendBytes(response, reply)
    case 'objects':
      return sendObjects(response, reply, adapt)
    case 'session':
      // The request was a good one but for the protocol; what it would have joined is let go.
      if (exchange.route.endpoint.transport === 'websocket') {
        await exchange.abandonSession(reply)
        response.writeHead(400).end(notWebSocket)
        return
      }
      return exchange.runSession(reply, {
        socket: await hijack(exchange, message),
        // Some clients ask with the Upgrade header alone, without naming it in Connection.
        protocol: request.headers.upgrade === undefined ? 'plain' : 'upgrade',
      })
  }
}

async function answerError(
  exchange: Exchange,
  message: Message,
  outcome: Extract<Outcome, { error: unknown }>,
): Promise<void> {
  const reply = exchange.errorReply(outcome.error)
  if (!exchange.isHijackedError(outcome)) return sendError(message.response, reply)
  const socket = await hijack(exchange, message)
  socket.write(hijackedError(reply))
  closeGently(socket)
}

async function hijack(exchange: Exchange, { request, response }: Message) {
  await drained(request)
  const socket = takeOver(request, response)
  exchange.options.onHijack(socket)
  return socket
}

function sendPlain(response: ServerResponse, status: number, { headers, text }: PlainReply): void {
  if (status !== 204) response.setHeader('Content-Length', Buffer.byteLength(text))
  response.writeHead(status, headers).end(text)
}

function disconnectSignal(response: ServerResponse): AbortSignal {
  const gone = new AbortController()
  response.once('close', () => {
    if (!response.writableFinished) gone.abort()
  })
  return gone.signal
}

/** The rest of a request's body is not a session's input. */
async function drained(request: IncomingMessage): Promise<void> {
  if (request.readableEnded || request.complete) return
  await new Promise<void>((resolve) => {
    for (const event of ['end', 'error', 'close']) request.once(event, () => resolve())
    request.resume()
  })
}
