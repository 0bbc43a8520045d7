/** Sends to a UDP address. Nobody tells whether anything arrives; a receiver that is not there costs no output. */
import { createSocket, type Socket } from 'node:dgram'
import { lookup } from 'node:dns/promises'

export class DatagramSender {
  readonly #host: string
  readonly #port: number
  #socket: Promise<{ socket: Socket; address: string }> | undefined

  constructor(host: string, port: number) {
    this.#host = host
    this.#port = port
  }

  /** Rejects when the name cannot be resolved. */
  async open(): Promise<void> {
    await this.#opened()
  }

  async send(bytes: Buffer): Promise<void> {
    const { socket, address } = await this.#opened()
    await new Promise<void>((resolve, reject) => {
      socket.send(bytes, this.#port, address, (error) => (error ? reject(error) : resolve()))
    })
  }

  close(): void {
    this.#socket?.then(
      ({ socket }) => socket.close(),
      () => undefined,
    )
    this.#socket = undefined
  }

  #opened(): Promise<{ socket: Socket; address: string }> {
    this.#socket ??= this.#open().catch((error) => {
      this.#socket = undefined
      throw error
    })
    return this.#socket
  }

  async #open() {
    const { address, family } = await lookup(this.#host).catch((cause) => {
      throw new Error(`dial udp: lookup ${this.#host}: no such host`, { cause })
    })
    const socket = createSocket(family === 6 ? 'udp6' : 'udp4')
    socket.on('error', () => undefined)
    socket.unref()
    return { socket, address }
  }
}
