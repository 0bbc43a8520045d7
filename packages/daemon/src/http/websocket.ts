/**
 * The server's side of RFC 6455 for attach: a duplex whose bytes travel in binary messages (text before API 1.28).
 * Output that comes framed for two streams is sent without the frames: a WebSocket client sees one stream.
 */
import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { FrameDecoder, InvalidRequest } from '@dockerd-ts/api'

const handshakeGuid = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
const opcodes = { text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const

export const notWebSocket = 'not websocket protocol'

/** The answer to the handshake. Throws InvalidRequest when it is none of version 13. */
export function handshakeHead(request: IncomingMessage, headers: Readonly<Record<string, string>>): string {
  const key = request.headers['sec-websocket-key']
  if (request.headers.upgrade?.toLowerCase() !== 'websocket' || key === undefined) {
    throw new InvalidRequest(notWebSocket)
  }
  if (request.headers['sec-websocket-version'] !== '13') throw new InvalidRequest('missing or bad WebSocket Version')
  const accept = createHash('sha1').update(`${key}${handshakeGuid}`).digest('base64')
  const lines = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade']
  for (const [name, value] of Object.entries({ 'Sec-WebSocket-Accept': accept, ...headers })) {
    lines.push(`${name}: ${value}`)
  }
  return `${lines.join('\r\n')}\r\n\r\n`
}

export interface WebSocketOptions {
  /** Output arrives in Docker's eight-byte frames. */
  framed: boolean
  messages: 'text' | 'binary'
}

export function encodeMessage(opcode: number, payload: Buffer): Buffer {
  const { length } = payload
  const head =
    length < 126
      ? Buffer.from([0x80 | opcode, length])
      : length < 65_536
        ? Buffer.from([0x80 | opcode, 126, length >> 8, length & 0xff])
        : Buffer.concat([Buffer.from([0x80 | opcode, 127]), bigEndian64(length)])
  return Buffer.concat([head, payload])
}

function bigEndian64(value: number): Buffer {
  const buffer = Buffer.alloc(8)
  buffer.writeBigUInt64BE(BigInt(value))
  return buffer
}

/** Reads masked client frames as they come; payloads are unmasked in pieces, so that only heads are buffered. */
export class MessageDecoder {
  #head: Buffer<ArrayBufferLike> = Buffer.alloc(0)
  #opcode = 0
  #mask: Buffer<ArrayBufferLike> = Buffer.alloc(4)
  #offset = 0
  #remainingBytes = 0

  /** Continuations come with opcode 0. Throws when a frame is not masked. */
  decode(chunk: Buffer): { opcode: number; payload: Buffer }[] {
    const pieces: { opcode: number; payload: Buffer }[] = []
    let rest = chunk
    while (rest.length > 0) {
      if (this.#remainingBytes === 0) {
        rest = this.#readHead(rest)
        if (this.#remainingBytes === 0 && this.#head.length === 0) {
          pieces.push({ opcode: this.#opcode, payload: Buffer.alloc(0) })
        }
        continue
      }
      const payload = Buffer.from(rest.subarray(0, this.#remainingBytes))
      for (let index = 0; index < payload.length; index++) {
        payload[index] = (payload[index] ?? 0) ^ (this.#mask[(this.#offset + index) & 3] ?? 0)
      }
      this.#offset += payload.length
      this.#remainingBytes -= payload.length
      rest = rest.subarray(payload.length)
      pieces.push({ opcode: this.#opcode, payload })
    }
    return pieces
  }

  /** Returns what follows the head; while it is incomplete, nothing. */
  #readHead(chunk: Buffer): Buffer {
    const head = Buffer.concat([this.#head, chunk])
    const short = (head[1] ?? 0) & 0x7f
    const lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0
    const total = 2 + lengthBytes + 4
    this.#head = head
    if (head.length < 2) return Buffer.alloc(0)
    if (((head[1] ?? 0) & 0x80) === 0) throw new InvalidRequest('websocket frame is not masked')
    if (head.length < total) return Buffer.alloc(0)
    this.#head = Buffer.alloc(0)
    this.#opcode = (head[0] ?? 0) & 0x0f
    this.#offset = 0
    this.#mask = head.subarray(2 + lengthBytes, total)
    this.#remainingBytes =
      lengthBytes === 0 ? short : lengthBytes === 2 ? head.readUInt16BE(2) : Number(head.readBigUInt64BE(2))
    return head.subarray(total)
  }
}

export class WebSocketDuplex extends Duplex {
  readonly #socket: Socket
  readonly #opcode: number
  readonly #decoder = new MessageDecoder()
  readonly #frames: FrameDecoder | undefined

  constructor(socket: Socket, { framed, messages }: WebSocketOptions) {
    super({ allowHalfOpen: true })
    this.#socket = socket
    this.#opcode = opcodes[messages]
    this.#frames = framed ? new FrameDecoder() : undefined
    socket.on('data', (chunk: Buffer) => this.#receive(chunk))
    socket.on('end', () => this.push(null))
    socket.on('close', () => this.destroy())
  }

  override _read(): void {
    this.#socket.resume()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    const payloads = this.#frames === undefined ? [chunk] : this.#frames.decode(chunk).map(({ payload }) => payload)
    this.#send(Buffer.concat(payloads.map((payload) => encodeMessage(this.#opcode, payload))), done)
  }

  override _final(done: (error?: Error | null) => void): void {
    // 1000: normal closure.
    this.#send(encodeMessage(opcodes.close, Buffer.from([0x03, 0xe8])), done)
  }

  /** A client that left while something was sent to it is no error of this stream: its `close` follows. */
  #send(bytes: Buffer, done: () => void): void {
    if (this.#socket.writable) this.#socket.write(bytes, () => done())
    else done()
  }

  #receive(chunk: Buffer): void {
    let pieces: ReturnType<MessageDecoder['decode']>
    try {
      pieces = this.#decoder.decode(chunk)
    } catch {
      this.#socket.destroy()
      return
    }
    for (const { opcode, payload } of pieces) {
      if (opcode === opcodes.close) this.push(null)
      else if (opcode === opcodes.ping) this.#send(encodeMessage(opcodes.pong, payload), () => {})
      else if (opcode !== opcodes.pong && payload.length > 0 && !this.readableEnded && !this.push(payload)) {
        this.#socket.pause()
      }
    }
  }
}
