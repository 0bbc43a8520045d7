/** What a route can answer. Routes choose; server.ts, stream-reply.ts and hijack.ts write. */
import type { Readable } from 'node:stream'
import type { ProgressMessage } from '@dockerd-ts/api'
import type { StreamSession } from '@dockerd-ts/core'

export type Headers = Readonly<Record<string, string>>

export interface JsonReply<T> {
  kind: 'json'
  value: T
}

export interface PlainReply {
  kind: 'plain'
  headers: Headers
  /** '' has no body. */
  text: string
}

/** The status goes out at once, the document when it is there. */
export interface DeferredReply<T> {
  kind: 'deferred'
  value: Promise<T>
}

/** Raw bytes. `early`: the headers go out before the first of them. */
export interface BytesReply {
  kind: 'bytes'
  chunks: AsyncIterable<Buffer> | Readable
  headers: Headers
  early: boolean
  /** An error in the middle: cut the connection, so that a truncated archive is not taken for a whole one, or end it. */
  onError: 'destroy' | 'end'
}

/** One JSON document after another. `early` as above; otherwise what fails before the first is an HTTP error. */
export interface ObjectsReply<T> {
  kind: 'objects'
  values: AsyncIterable<T>
  contentType: string
  early: boolean
  encode: (value: T) => string
  /** The last line for an error after the first; undefined just ends. */
  encodeError?: (message: string) => string
}

/** The connection is given to the session. */
export interface SessionReply {
  kind: 'session'
  session: StreamSession
}

export type Reply<T> =
  | JsonReply<T>
  | PlainReply
  | DeferredReply<T>
  | BytesReply
  | ObjectsReply<T extends readonly (infer V)[] ? V : T>
  | SessionReply

export const json = <T>(value: T): JsonReply<T> => ({ kind: 'json', value })
export const deferredJson = <T>(value: Promise<T>): DeferredReply<T> => ({ kind: 'deferred', value })
export const empty = (headers: Headers = {}): PlainReply => ({ kind: 'plain', headers, text: '' })
export const text = (body: string, headers: Headers = {}): PlainReply => ({
  kind: 'plain',
  headers: { 'Content-Type': 'text/plain; charset=utf-8', ...headers },
  text: body,
})
export const session = (value: StreamSession): SessionReply => ({ kind: 'session', session: value })

export const tar = (archive: Readable, headers: Headers = {}): BytesReply => ({
  kind: 'bytes',
  chunks: archive,
  headers: { 'Content-Type': 'application/x-tar', ...headers },
  early: false,
  onError: 'destroy',
})

/** Lines of a pull, push, load or import: ended by `\r\n`, with an error after the first as the last line. */
export const progress = (messages: AsyncIterable<ProgressMessage>): ObjectsReply<ProgressMessage> => ({
  kind: 'objects',
  values: messages,
  contentType: 'application/json',
  early: false,
  encode: (message) => `${JSON.stringify(message)}\r\n`,
  encodeError: (message) => `${JSON.stringify({ errorDetail: { message }, error: message })}\r\n`,
})
