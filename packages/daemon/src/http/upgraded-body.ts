/** Request bodies on a connection that the HTTP parser has left: by Content-Length, or chunked. */
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { InvalidRequest } from '@dockerd-ts/api'
import { jsonBodyLimitBytes } from './read-body.ts'

/** A chunk's size line with extensions, or a trailer line. */
const lineLimitBytes = 4096

/** Reads the body; what follows it stays on the socket. Throws InvalidRequest when it is malformed or too long. */
export async function readUpgradedBody(request: IncomingMessage, socket: Socket): Promise<Buffer> {
  const reader = new SocketReader(socket)
  const encoding = request.headers['transfer-encoding']
  if (encoding === undefined) return reader.take(Number(request.headers['content-length'] ?? 0))
  if (encoding.toLowerCase() !== 'chunked') throw new InvalidRequest(`unsupported transfer encoding: ${encoding}`)
  const chunks: Buffer[] = []
  let totalBytes = 0
  while (true) {
    const size = /^([0-9a-f]{1,8})\s*(?:;|$)/i.exec(await reader.line())
    if (size === null) throw new InvalidRequest('invalid chunked encoding')
    const length = Number.parseInt(size[1] ?? '', 16)
    if (length === 0) break
    totalBytes += length
    if (totalBytes > jsonBodyLimitBytes) throw new InvalidRequest('http: request body too large')
    chunks.push(await reader.take(length))
    if ((await reader.line()) !== '') throw new InvalidRequest('invalid chunked encoding')
  }
  // Trailers end with an empty line.
  while ((await reader.line()) !== '');
  return Buffer.concat(chunks)
}

class SocketReader {
  readonly #socket: Socket

  constructor(socket: Socket) {
    this.#socket = socket
  }

  async take(length: number): Promise<Buffer> {
    if (length > jsonBodyLimitBytes) throw new InvalidRequest('http: request body too large')
    const parts: Buffer[] = []
    let missing = length
    while (missing > 0) {
      const chunk = await this.#read()
      parts.push(chunk.subarray(0, missing))
      if (chunk.length > missing) this.#socket.unshift(chunk.subarray(missing))
      missing -= Math.min(missing, chunk.length)
    }
    return Buffer.concat(parts, length)
  }

  /** Without its line end. */
  async line(): Promise<string> {
    let text = Buffer.alloc(0)
    while (true) {
      const chunk = await this.#read()
      const end = chunk.indexOf(0x0a)
      text = Buffer.concat([text, end === -1 ? chunk : chunk.subarray(0, end)])
      if (text.length > lineLimitBytes) throw new InvalidRequest('invalid chunked encoding')
      if (end === -1) continue
      if (end + 1 < chunk.length) this.#socket.unshift(chunk.subarray(end + 1))
      return text.toString('latin1').replace(/\r$/, '')
    }
  }

  async #read(): Promise<Buffer> {
    while (true) {
      const chunk = this.#socket.read() as Buffer | null
      if (chunk !== null) return chunk
      if (this.#socket.readableEnded || this.#socket.destroyed) throw new InvalidRequest('unexpected EOF')
      await this.#readable()
    }
  }

  #readable(): Promise<void> {
    return new Promise((resolve) => {
      const events = ['readable', 'end', 'close'] as const
      const done = () => {
        for (const event of events) this.#socket.removeListener(event, done)
        resolve()
      }
      for (const event of events) this.#socket.on(event, done)
    })
  }
}
