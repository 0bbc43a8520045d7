/**
 * HTTP/1.1 over one socket, as much as the Docker API needs: requests with known or chunked bodies, streamed replies,
 * and upgrades that hand the bare socket over. Node's own client costs 20 ms to load, which every command would feel.
 */
import type { Duplex } from 'node:stream'
import { ByteReader } from './byte-reader.ts'

export interface Connection {
  socket: Duplex
  reader: ByteReader
}

export interface RequestHead {
  method: string
  /** Path and query. */
  target: string
  host: string
  headers: Record<string, string>
}

export type RequestBody = string | Buffer | AsyncIterable<Buffer> | undefined

export interface ResponseHead {
  status: number
  statusText: string
  /** Names in lower case. */
  headers: Record<string, string>
}

export function openConnection(socket: Duplex): Connection {
  return { socket, reader: new ByteReader(socket) }
}

/** Writes bytes and waits while the peer does not take them. */
export async function write(socket: Duplex, bytes: Buffer | string): Promise<void> {
  if (socket.destroyed || socket.write(bytes)) return
  await new Promise<void>((resolve) => {
    const done = () => {
      socket.off('drain', done)
      socket.off('close', done)
      resolve()
    }
    socket.on('drain', done)
    socket.on('close', done)
  })
}

export async function sendRequest(connection: Connection, head: RequestHead, body: RequestBody): Promise<void> {
  const headers: Record<string, string> = { Host: head.host, ...head.headers }
  const whole = typeof body === 'string' || Buffer.isBuffer(body) ? body : undefined
  if (whole !== undefined) headers['Content-Length'] = String(Buffer.byteLength(whole))
  else if (body) headers['Transfer-Encoding'] = 'chunked'
  else if (head.method === 'POST' || head.method === 'PUT') headers['Content-Length'] = '0'
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  const start = `${head.method} ${head.target} HTTP/1.1\r\n${lines.join('')}\r\n`
  if (typeof whole === 'string') return write(connection.socket, start + whole)
  await write(connection.socket, start)
  if (whole) return write(connection.socket, whole)
  if (body) await sendChunked(connection.socket, body as AsyncIterable<Buffer>)
}

async function sendChunked(socket: Duplex, body: AsyncIterable<Buffer>): Promise<void> {
  for await (const chunk of body) {
    // The daemon may answer (with an error) and close before it has read everything.
    if (socket.destroyed) return
    if (chunk.length === 0) continue
    socket.write(`${chunk.length.toString(16)}\r\n`)
    socket.write(chunk)
    await write(socket, '\r\n')
  }
  await write(socket, '0\r\n\r\n')
}

export async function readHead(reader: ByteReader): Promise<ResponseHead> {
  for (;;) {
    const first = await reader.line()
    const match = /^HTTP\/1\.[01] (\d{3}) ?(.*)$/.exec(first)
    if (!match) throw new Error(`malformed HTTP response ${JSON.stringify(first)}`)
    const headers: Record<string, string> = {}
    for (let line = await reader.line(); line !== ''; line = await reader.line()) {
      const colon = line.indexOf(':')
      if (colon > 0) headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim()
    }
    const status = Number(match[1])
    if (status >= 200 || status === 101) return { status, statusText: match[2] ?? '', headers }
  }
}

/** The body's bytes as they come; `reusable` tells afterwards whether the connection can carry another request. */
export async function* readBody(reader: ByteReader, method: string, head: ResponseHead): AsyncGenerator<Buffer, void> {
  if (method === 'HEAD' || head.status === 204 || head.status === 304) return
  if (head.headers['transfer-encoding']?.toLowerCase() === 'chunked') {
    yield* readChunks(reader)
  } else if (head.headers['content-length'] !== undefined) {
    yield* readLength(reader, Number(head.headers['content-length']))
  } else {
    for (let part = await reader.chunk(); part; part = await reader.chunk()) yield part
  }
}

async function* readLength(reader: ByteReader, length: number): AsyncGenerator<Buffer, void> {
  for (let missing = length; missing > 0; ) {
    const part = await reader.chunk(missing)
    if (!part) throw new Error('unexpected EOF')
    missing -= part.length
    yield part
  }
}

async function* readChunks(reader: ByteReader): AsyncGenerator<Buffer, void> {
  for (;;) {
    const line = await reader.line()
    const size = Number.parseInt(line, 16)
    if (Number.isNaN(size)) throw new Error('malformed chunked encoding')
    if (size === 0) {
      while ((await reader.line()) !== '');
      return
    }
    yield* readLength(reader, size)
    await reader.line()
  }
}

/** True when the reply's end is marked, so that the next reply can follow on the same connection. */
export function isReusable(method: string, head: ResponseHead): boolean {
  if (head.headers.connection?.toLowerCase() === 'close') return false
  const framed = head.headers['content-length'] !== undefined || head.headers['transfer-encoding'] !== undefined
  return framed || method === 'HEAD' || head.status === 204 || head.status === 304
}
