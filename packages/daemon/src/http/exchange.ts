/** One request: parse, call the route's handler, write what it answers. For plain requests and for upgrades. */
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { Readable } from 'node:stream'
import { adaptResponse, InvalidRequest, versionProblem } from '@dockerd-ts/api'
import { type ErrorReply, errorBody, errorReply, hijackedError, pageNotFound, sendError } from './error-reply.ts'
import { closeGently, runSession, sessionHead, takeOver, upgradedSocket } from './hijack.ts'
import type { PlainReply, Reply } from './replies.ts'
import type { RequestContext } from './request-context.ts'
import { isTooOldFor, parseInput, type RawRequest, type Route } from './route.ts'
import { sendBytes, sendDeferred, sendObjects } from './stream-reply.ts'
import { readUpgradedBody } from './upgraded-body.ts'

export type OperationContext = RequestContext & { kind: 'operation' }

export interface ExchangeOptions {
  /** On every reply. */
  headers: Readonly<Record<string, string>>
  /** Failures that no client sees, or that are our own fault. */
  logError: (error: unknown, context: OperationContext) => void
  /** Called with each connection that leaves the HTTP server. */
  onHijack: (socket: Socket) => void
}

/** What came of parsing and handling: an answer, or an error and whether the handler threw it. */
type Outcome = { reply: Reply<unknown> } | { error: unknown; handled: boolean }

async function handle(route: Route, context: OperationContext, raw: RawRequest): Promise<Outcome> {
  let handled = false
  try {
    const problem = versionProblem(context.version)
    if (problem !== undefined) throw new InvalidRequest(problem)
    const input = await parseInput(route.endpoint, context, raw)
    handled = true
    return { reply: await route.handle(input) }
  } catch (error) {
    return { error, handled }
  }
}

export class Exchange {
  readonly #options: ExchangeOptions

  constructor(options: ExchangeOptions) {
    this.#options = options
  }

  /** A request that node's HTTP server handles. Never rejects. */
  async plain(
    route: Route,
    context: OperationContext,
    message: { request: IncomingMessage; response: ServerResponse },
  ) {
    const { request, response } = message
    if (isTooOldFor(route.endpoint, context.version)) return sendError(response, pageNotFound)
    const raw = { headers: request.headers, body: request, signal: disconnectSignal(response) }
    const outcome = await handle(route, context, raw)
    try {
      if ('error' in outcome) await this.#plainError(route, context, { ...message, ...outcome })
      else await this.#write(outcome.reply, route, context, message)
    } catch (error) {
      this.#failed(error, context, response)
    }
  }

  /** A request whose `Upgrade` header took it out of node's HTTP server. Never rejects. */
  async upgraded(
    route: Route,
    context: OperationContext,
    message: { request: IncomingMessage; socket: Socket; head: Buffer },
  ) {
    const socket = upgradedSocket(message.socket, message.head)
    this.#options.onHijack(socket)
    const gone = new AbortController()
    socket.once('close', () => gone.abort())
    try {
      const body = await readUpgradedBody(message.request, socket)
      const raw = { headers: message.request.headers, body: Readable.from([body]), signal: gone.signal }
      const outcome = await handle(route, context, raw)
      if ('error' in outcome) socket.write(this.#rawError(route, context, outcome))
      else if (outcome.reply.kind === 'session') return await this.#session(socket, context, outcome.reply, true)
      else socket.write(this.#rawPlain(outcome.reply as PlainReply))
    } catch (error) {
      const reply = this.#errorReply(error, context)
      if (!socket.destroyed) socket.write(this.#rawJson(reply.status, errorBody(reply.message)))
    }
    closeGently(socket)
  }

  async #write(
    reply: Reply<unknown>,
    route: Route,
    context: OperationContext,
    { request, response }: { request: IncomingMessage; response: ServerResponse },
  ): Promise<void> {
    const { operation, status = 200 } = route.endpoint
    const adapt = <T>(value: T): T => adaptResponse(operation, context.version, value)
    switch (reply.kind) {
      case 'json': {
        const body = Buffer.from(`${JSON.stringify(adapt(reply.value))}\n`)
        response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': body.length }).end(body)
        return
      }
      case 'plain':
        sendPlain(response, status, reply)
        return
      case 'deferred':
        return sendDeferred(response, reply, adapt)
      case 'bytes':
        return sendBytes(response, reply)
      case 'objects':
        return sendObjects(response, reply, adapt)
      case 'session': {
        await drained(request)
        const socket = takeOver(request, response)
        this.#options.onHijack(socket)
        return this.#session(socket, context, reply, request.headers.upgrade !== undefined)
      }
    }
  }

  async #session(socket: Socket, context: OperationContext, reply: Reply<unknown>, upgrade: boolean): Promise<void> {
    if (reply.kind !== 'session') return
    const head = sessionHead(reply.session, { version: context.version, upgrade, headers: this.#options.headers })
    await runSession(socket, reply.session, head).catch((error: unknown) => this.#options.logError(error, context))
  }

  async #plainError(
    route: Route,
    context: OperationContext,
    {
      request,
      response,
      error,
      handled,
    }: { request: IncomingMessage; response: ServerResponse; error: unknown; handled: boolean },
  ): Promise<void> {
    const reply = this.#errorReply(error, context)
    if (!handled || route.endpoint.hijackedErrors !== true) return sendError(response, reply)
    await drained(request)
    const socket = takeOver(request, response)
    this.#options.onHijack(socket)
    socket.write(hijackedError(reply))
    closeGently(socket)
  }

  #rawError(route: Route, context: OperationContext, { error, handled }: { error: unknown; handled: boolean }): string {
    const reply = this.#errorReply(error, context)
    if (handled && route.endpoint.hijackedErrors === true) return hijackedError(reply)
    return this.#rawJson(reply.status, errorBody(reply.message))
  }

  #rawJson(status: number, body: string): string {
    return rawResponse(status, { ...this.#options.headers, 'Content-Type': 'application/json' }, body)
  }

  #rawPlain(reply: PlainReply): string {
    return rawResponse(200, { ...this.#options.headers, ...reply.headers }, reply.text)
  }

  #errorReply(error: unknown, context: OperationContext): ErrorReply {
    const reply = errorReply(error)
    if (reply.unexpected) this.#options.logError(error, context)
    return reply
  }

  /** Writing failed: an HTTP error while there is still a status to choose, else a line in the log. */
  #failed(error: unknown, context: OperationContext, response: ServerResponse): void {
    if (response.destroyed) return
    if (response.headersSent) this.#options.logError(error, context)
    else sendError(response, this.#errorReply(error, context))
  }
}

function sendPlain(response: ServerResponse, status: number, { headers, text }: PlainReply): void {
  if (status !== 204) response.setHeader('Content-Length', Buffer.byteLength(text))
  response.writeHead(status, headers).end(text)
}

function rawResponse(status: number, headers: Readonly<Record<string, string>>, body: string): string {
  const lines = [`HTTP/1.1 ${status} ${STATUS_CODES[status]}`]
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`)
  lines.push(`Content-Length: ${Buffer.byteLength(body)}`, 'Connection: close')
  return `${lines.join('\r\n')}\r\n\r\n${body}`
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
