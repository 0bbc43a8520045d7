/** Listening sockets: each has an HTTP server of node's with limits that suit Docker's clients. */
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, ListenOptions, Socket } from 'node:net'
import type { TlsOptions } from 'node:tls'
import { badRequestText } from './error-reply.ts'
import { discardUnreadBody } from './unread-body.ts'

/** A path, a host and port, or a file descriptor; with `tls` only for clients that its options accept. */
export type ListenTarget = ListenOptions & { fd?: number; tls?: TlsOptions }
/** A path, or address and port. */
export type ListenAddress = AddressInfo | string | null

export interface ConnectionHandlers {
  onRequest: RequestListener
  /** Whether the `Upgrade` header of this request is heeded; the request of any other is answered as if it had none. */
  takesConnection: (request: IncomingMessage) => boolean
  onUpgrade: (request: IncomingMessage, socket: Socket, head: Buffer) => void
}

/** As Go's: registry credentials and build arguments can be long. */
const headerLimitBytes = 1024 * 1024
/** Clients keep connections in pools; closing an idle one under their hands costs them a failed request. */
const idleConnectionMs = 3_600_000

export class Listeners {
  readonly #handlers: ConnectionHandlers
  readonly #servers = new Set<Server>()
  /** Connections that have left their server: attached clients. */
  readonly #hijacked = new Set<Socket>()
  /** Connections with a request that may take them over and is not answered yet. */
  readonly #pending = new WeakSet<Socket>()
  /** Of those, the ones that sent more. */
  readonly #confused = new WeakSet<Socket>()

  constructor(handlers: ConnectionHandlers) {
    this.#handlers = handlers
  }

  hijacked(socket: Socket): void {
    this.#hijacked.add(socket)
    socket.once('close', () => this.#hijacked.delete(socket))
  }

  /** Resolves when it listens. */
  async listen({ tls, ...target }: ListenTarget): Promise<ListenAddress> {
    const server = this.#makeServer(tls)
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(target, () => {
        server.removeListener('error', reject)
        resolve()
      })
    })
    this.#servers.add(server)
    return server.address()
  }

  /** Stops accepting, waits `graceMs` for what runs, then cuts it off. */
  async close(graceMs: number): Promise<void> {
    const servers = [...this.#servers]
    this.#servers.clear()
    const ended = [...this.#hijacked].map((socket) => new Promise((resolve) => socket.once('close', resolve)))
    const closed = servers.map((server) => new Promise((resolve) => server.close(resolve)))
    const cut = setTimeout(() => {
      for (const server of servers) server.closeAllConnections()
      for (const socket of this.#hijacked) socket.destroy()
    }, graceMs)
    await Promise.all([...closed, ...ended])
    clearTimeout(cut)
  }

  #makeServer(tls: TlsOptions | undefined): Server {
    const { onRequest, onUpgrade, takesConnection } = this.#handlers
    const options: ServerOptions = {
      maxHeaderSize: headerLimitBytes,
      keepAliveTimeout: idleConnectionMs,
      noDelay: true,
      // Uploads and streams take as long as they take.
      requestTimeout: 0,
      shouldUpgradeCallback: takesConnection,
    }
    const listener: RequestListener = (request, response) => {
      if (this.#isInput(request.socket)) return
      if (takesConnection(request)) this.#expectHijack(request.socket, response)
      else discardUnreadBody(request, response)
      onRequest(request, response)
    }
    const server =
      tls === undefined
        ? createServer(options, listener)
        : createTlsServer({ ...options, ...tls, allowHalfOpen: true }, listener)
    server.on('upgrade', (request, socket, head) => onUpgrade(request, socket as Socket, head))
    server.on('clientError', (_error, socket) => this.#refuse(socket as Socket))
    return server
  }

  /**
   * What the parser had read already behind a request that takes the connection over is stdin, never a request, HTTP or
   * not: it is lost (a client that sends early asks for an upgrade), but neither dispatched nor answered.
   */
  #isInput(socket: Socket): boolean {
    if (this.#pending.has(socket)) this.#confused.add(socket)
    return this.#pending.has(socket) || this.#hijacked.has(socket)
  }

  #expectHijack(socket: Socket, response: ServerResponse): void {
    this.#pending.add(socket)
    // An ordinary answer after all. A request behind it was not dispatched and would wait for ever.
    response.once('finish', () => {
      this.#pending.delete(socket)
      if (this.#confused.has(socket)) socket.destroySoon()
    })
  }

  /** What is not HTTP. */
  #refuse(socket: Socket): void {
    if (this.#isInput(socket)) return
    if (!socket.writable) return void socket.destroy()
    const head = 'HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n'
    socket.end(`${head}${badRequestText}`, () => socket.destroy())
  }
}
