/**
 * The HTTP server: one fastify instance behind any number of listening sockets. Paths are matched by the endpoint
 * table (names may hold slashes, versions may lead), so that plain requests and upgrades find the same route; fastify
 * is then asked for the operation's name.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Engine } from '@dockerd-ts/core'
import { type FastifyInstance, fastify } from 'fastify'
import { badRequestText, pageNotFound, sendError } from './error-reply.ts'
import { Exchange, type ExchangeOptions } from './exchange.ts'
import { type ListenAddress, Listeners, type ListenTarget } from './listeners.ts'
import { negotiationHeaders, type ServerFacts } from './negotiation.ts'
import { answerPlain } from './plain-exchange.ts'
import { contextOf } from './request-context.ts'
import type { Route } from './route.ts'
import { allRoutes } from './routes/index.ts'
import { answerUpgrade } from './upgrade-exchange.ts'

export interface HttpLog {
  error(fields: object, message: string): void
  debug(fields: object, message: string): void
}

export interface HttpServerOptions extends ServerFacts {
  engine: Engine
  log: HttpLog
  /** Called as a request comes; what it answers is called when the request is over, a session with it. */
  onRequest?: () => () => void
}

export interface HttpServer {
  /** May be called several times. Resolves with the address; rejects when it cannot be had. */
  listen(target: ListenTarget): Promise<ListenAddress>
  /** Stops accepting, lets running requests end for `graceMs`, then cuts what is left: streams, attached clients. */
  close(graceMs: number): Promise<void>
  /** For tests: requests without a socket, by `app.inject()`. */
  readonly app: FastifyInstance
}

export function createHttpServer(options: HttpServerOptions): HttpServer {
  const { onRequest = () => () => {} } = options
  const routes = new Map(allRoutes(options.engine, options).map((route) => [route.endpoint.operation, route]))
  const findRoute = (request: IncomingMessage) => {
    const context = contextOf(request)
    const route = context.kind === 'operation' ? routes.get(context.match.operation) : undefined
    return context.kind === 'operation' && route !== undefined ? { route, context } : undefined
  }
  const app = fastify({
    exposeHeadRoutes: false,
    rewriteUrl: (request) => routedUrl(request as IncomingMessage),
  })
  const listeners = new Listeners({
    onRequest: (request, response) => app.routing(request, response),
    takesConnection: (request) => takesConnection(findRoute(request)?.route),
    onUpgrade: (request, socket, head) => {
      const found = findRoute(request)
      if (found === undefined) return void socket.destroy()
      const over = onRequest()
      void answerUpgrade(new Exchange(found.route, found.context, exchanges), { request, socket, head }).finally(over)
    },
  })
  const exchanges: ExchangeOptions = {
    headers: negotiationHeaders(options),
    logError: (error, { match: { operation } }) => options.log.error({ err: error, operation }, `${operation} failed`),
    logCall: (call) => options.log.debug(call, 'API call'),
    onHijack: (socket) => listeners.hijacked(socket),
  }
  addRoutes(app, { routes: routes.values(), exchanges, onRequest })
  return {
    app,
    async listen(target) {
      await app.ready()
      return listeners.listen(target)
    },
    async close(graceMs) {
      await listeners.close(graceMs)
      await app.close()
    },
  }
}

/** A path that no endpoint has: fastify's own 404 then asks answerUnrouted. */
const unroutedUrl = '/'

function routedUrl(request: IncomingMessage): string {
  const context = contextOf(request)
  // Fastify would refuse unusual types itself; the routes judge them in Docker's words.
  delete request.headers['content-type']
  return context.kind === 'operation' ? `/${context.match.operation}` : unroutedUrl
}

interface RouteSetup {
  routes: Iterable<Route>
  exchanges: ExchangeOptions
  onRequest: () => () => void
}

/** Of these an `Upgrade` header is heeded; every other request is answered as if it had none. */
function takesConnection(route: Route | undefined): boolean {
  return route?.endpoint.transport === 'hijack' || route?.endpoint.transport === 'websocket'
}

function addRoutes(app: FastifyInstance, { routes, exchanges, onRequest }: RouteSetup): void {
  app.removeAllContentTypeParsers()
  // Bodies are read by the routes, which know what they expect.
  app.addContentTypeParser('*', (_request, _payload, done) => done(null))
  for (const route of routes) {
    const { method, operation } = route.endpoint
    app.route({
      method,
      url: `/${operation}`,
      handler: async (request, reply) => {
        reply.hijack()
        setHeaders(reply.raw, exchanges.headers)
        const context = contextOf(request.raw)
        if (context.kind !== 'operation') return
        const over = onRequest()
        await answerPlain(new Exchange(route, context, exchanges), { request: request.raw, response: reply.raw })
        over()
      },
    })
  }
  app.setNotFoundHandler((request, reply) => {
    reply.hijack()
    setHeaders(reply.raw, exchanges.headers)
    answerUnrouted(request.raw, reply.raw)
  })
}

function setHeaders(response: ServerResponse, headers: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
}

function answerUnrouted(request: IncomingMessage, response: ServerResponse): void {
  const context = contextOf(request)
  switch (context.kind) {
    case 'options':
      response.writeHead(200, { 'Content-Length': 0 }).end()
      return
    case 'redirect':
      response.writeHead(301, { Location: context.location, 'Content-Length': 0 }).end()
      return
    case 'badUrl':
      response
        .writeHead(400, {
          'Content-Type': 'text/plain; charset=utf-8',
          'Content-Length': badRequestText.length,
          Connection: 'close',
        })
        .end(badRequestText)
      return
    default:
      sendError(response, pageNotFound)
  }
}
