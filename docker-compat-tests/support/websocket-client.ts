/** A WebSocket client (RFC 6455) over a Unix socket that tells every message as it came. */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

export interface WebSocketMessage {
  type: 'text' | 'binary' | 'close' | 'ping' | 'pong' | 'other'
  data: Buffer
}

const types = { 1: 'text', 2: 'binary', 8: 'close', 9: 'ping', 10: 'pong' } as const
const opcodes = { text: 1, binary: 2, close: 8, ping: 9 } as const

export class WebSocketClient {
  /** The head of the answer to the handshake: status, and what came instead of a connection. */
  readonly status: number
  readonly refusal: string
  readonly messages: WebSocketMessage[] = []
  readonly closed: Promise<unknown>
  readonly #socket: Socket
  #pending: Buffer = Buffer.alloc(0)
  #tell = () => {}

  private constructor(socket: Socket, { status, rest }: { status: number; rest: Buffer }) {
    this.#socket = socket
    this.status = status
    this.closed = socket.closed ? Promise.resolve() : once(socket, 'close')
    this.refusal = status === 101 ? '' : rest.toString()
    if (status !== 101) return
    socket.on('data', (chunk: Buffer) => this.#take(chunk))
    this.#take(rest)
  }

  static async open(path: string, target: string): Promise<WebSocketClient> {
    const socket = connect(path)
    socket.on('error', () => {})
    const key = randomBytes(16).toString('base64')
    const head = [`GET ${target} HTTP/1.1`, 'Host: docker', 'Connection: Upgrade', 'Upgrade: websocket']
    head.push(`Sec-WebSocket-Key: ${key}`, 'Sec-WebSocket-Version: 13', 'Origin: http://docker')
    socket.write(`${head.join('\r\n')}\r\n\r\n`)
    let answer: Buffer = Buffer.alloc(0)
    while (!answer.includes('\r\n\r\n')) {
      const [chunk] = (await Promise.race([once(socket, 'data'), once(socket, 'close')])) as [Buffer | boolean]
      if (!Buffer.isBuffer(chunk)) break
      answer = Buffer.concat([answer, chunk])
    }
    socket.pause()
    const end = answer.indexOf('\r\n\r\n') + 4
    const status = Number(/^HTTP\/1\.1 (\d+)/.exec(answer.toString('latin1'))?.[1])
    const client = new WebSocketClient(socket, { status, rest: answer.subarray(end) })
    socket.resume()
    return client
  }

  send(type: keyof typeof opcodes, data: string | Buffer): void {
    const payload = Buffer.from(data)
    const mask = randomBytes(4)
    const masked = payload.map((byte, index) => byte ^ (mask[index & 3] ?? 0))
    if (payload.length > 125) throw new Error('longer messages are not needed here')
    this.#socket.write(Buffer.concat([Buffer.from([0x80 | opcodes[type], 0x80 | payload.length]), mask, masked]))
  }

  /** Resolves when all data that came contains the text; throws when it closes before. */
  async received(text: string): Promise<void> {
    let over = false
    void this.closed.then(() => {
      over = true
      this.#tell()
    })
    while (!this.text.includes(text)) {
      if (over) throw new Error(`closed after ${JSON.stringify(this.text)}`)
      await new Promise<void>((resolve) => {
        this.#tell = resolve
      })
    }
  }

  get text(): string {
    const data = this.messages.filter(({ type }) => type === 'text' || type === 'binary').map((message) => message.data)
    return Buffer.concat(data).toString()
  }

  close(): void {
    this.#socket.destroy()
  }

  #take(chunk: Buffer): void {
    this.#pending = Buffer.concat([this.#pending, chunk])
    for (;;) {
      const [first = 0, short = 0] = this.#pending
      const at = short === 126 ? 4 : short === 127 ? 10 : 2
      if (this.#pending.length < at) break
      const length =
        short === 126 ? this.#pending.readUInt16BE(2) : short === 127 ? Number(this.#pending.readBigUInt64BE(2)) : short
      if (this.#pending.length < at + length) break
      const type = types[(first & 0x0f) as keyof typeof types] ?? 'other'
      this.messages.push({ type, data: this.#pending.subarray(at, at + length) })
      this.#pending = this.#pending.subarray(at + length)
    }
    this.#tell()
  }
}
