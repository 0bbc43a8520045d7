/** The only file that knows HTTP statuses of errors: an error becomes a status and Docker's `{"message":…}`. */
import { type ServerResponse, STATUS_CODES } from 'node:http'
import { InvalidRequest } from '@dockerd-ts/api'
import { EngineError, type ErrorKind } from '@dockerd-ts/core'

const statuses = {
  invalidArgument: 400,
  unauthorized: 401,
  forbidden: 403,
  notFound: 404,
  conflict: 409,
  notModified: 304,
  notImplemented: 501,
  unavailable: 503,
  internal: 500,
} satisfies Record<ErrorKind, number>

export interface ErrorReply {
  status: number
  message: string
  /** Not thrown on purpose: a fault of ours, to be logged with its stack. */
  unexpected: boolean
}

export function errorReply(error: unknown): ErrorReply {
  if (error instanceof EngineError) {
    return { status: statuses[error.kind], message: error.message, unexpected: false }
  }
  if (error instanceof InvalidRequest) {
    return { status: statuses.invalidArgument, message: error.message, unexpected: false }
  }
  const message = error instanceof Error ? error.message : String(error)
  return { status: statuses.internal, message, unexpected: true }
}

/** Newline-terminated JSON, as Go's encoder writes it. */
export const errorBody = (message: string): string => `${JSON.stringify({ message })}\n`

export const pageNotFound: ErrorReply = { status: statuses.notFound, message: 'page not found', unexpected: false }
/** What Go's HTTP server says to what is not HTTP, or not a URL. */
export const badRequestText = '400 Bad Request'

/** Content-Type is exactly `application/json`: the Go client compares the whole string. */
export function sendError(response: ServerResponse, reply: ErrorReply): void {
  if (reply.status === statuses.notModified) {
    response.writeHead(reply.status).end()
    return
  }
  const body = errorBody(reply.message)
  response
    .writeHead(reply.status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) })
    .end(body)
}

/** An answer to a request whose connection was taken from the HTTP server: plain text, then the connection ends. */
export function hijackedError({ status, message }: ErrorReply): string {
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n`
  return `${head}${message}\r\n`
}
