/** A connection to a log target over TCP, TLS or a Unix stream socket; made when it is needed, and anew after it broke. */
import { connect, type Socket } from 'node:net'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'

export type StreamAddress =
  | { kind: 'tcp'; host: string; port: number }
  | { kind: 'tls'; host: string; port: number; tls: ConnectionOptions }
  | { kind: 'unix'; path: string }

const connectTimeoutMs = 10_000
const writeTimeoutMs = 30_000
/** Of what a target answers; only acknowledgements are expected. */
const answerLimitBytes = 64 * 1024

export interface StreamEvents {
  data(bytes: Buffer): void
  closed(): void
}

export class StreamConnection {
  readonly #address: StreamAddress
  readonly #events: StreamEvents | undefined
  #socket: Socket | undefined
  #closed = false

  constructor(address: StreamAddress, events?: StreamEvents) {
    this.#address = address
    this.#events = events
  }

  /** Rejects in the words of Go's net.Dial, which users know from Docker. */
  async open(): Promise<void> {
    await this.#connected()
  }

  /** Resolves when the kernel has taken all of it. */
  async write(bytes: Buffer): Promise<void> {
    const socket = await this.#connected()
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => socket.destroy(new Error('write: i/o timeout')), writeTimeoutMs)
      const broken = () => {
        clearTimeout(timer)
        reject(socket.errored ?? new Error('write: broken pipe'))
      }
      socket.once('close', broken)
      socket.write(bytes, (error) => {
        clearTimeout(timer)
        socket.off('close', broken)
        if (error) reject(error)
        else resolve()
      })
    })
  }

  /** Gives the connection up; the next write makes another. */
  reset(): void {
    this.#socket?.destroy()
    this.#socket = undefined
  }

  close(): void {
    this.#closed = true
    // What was written is still delivered.
    this.#socket?.end()
    this.#socket?.unref()
  }

  async #connected(): Promise<Socket> {
    if (this.#closed) throw new Error('use of closed network connection')
    if (this.#socket !== undefined && !this.#socket.destroyed && this.#socket.writable) return this.#socket
    this.#socket = await dial(this.#address)
    const socket = this.#socket
    let received = 0
    socket.on('data', (bytes) => {
      received += bytes.length
      if (this.#events !== undefined) this.#events.data(bytes)
      else if (received > answerLimitBytes) socket.destroy(new Error('the target sends too much'))
    })
    // A target that half-closes takes nothing more.
    socket.on('end', () => socket.destroy())
    socket.on('error', () => undefined)
    socket.on('close', () => {
      if (this.#socket === socket) this.#events?.closed()
    })
    return socket
  }
}

function dial(address: StreamAddress): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket =
      address.kind === 'tls' ? connectTls({ ...address.tls, host: address.host, port: address.port }) : open(address)
    const timer = setTimeout(() => socket.destroy(new Error('i/o timeout')), connectTimeoutMs)
    socket.once('close', () => {
      clearTimeout(timer)
      reject(dialError(address, socket.errored))
    })
    socket.on('error', () => undefined)
    socket.once(address.kind === 'tls' ? 'secureConnect' : 'connect', () => {
      clearTimeout(timer)
      socket.removeAllListeners('close')
      resolve(socket)
    })
  })
}

const open = (address: Exclude<StreamAddress, { kind: 'tls' }>): Socket =>
  address.kind === 'tcp' ? connect({ host: address.host, port: address.port }) : connect({ path: address.path })

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connect: connection refused',
  ENOENT: 'connect: no such file or directory',
  EACCES: 'connect: permission denied',
  EHOSTUNREACH: 'connect: no route to host',
  ENETUNREACH: 'connect: network is unreachable',
  ETIMEDOUT: 'i/o timeout',
}

function dialError(address: StreamAddress, cause: Error | null): Error {
  const { code, message } = (cause ?? {}) as NodeJS.ErrnoException
  const where =
    address.kind === 'unix'
      ? `unix ${address.path}`
      : `tcp ${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`
  if (code === 'ENOTFOUND' && address.kind !== 'unix') {
    return new Error(`dial tcp: lookup ${address.host}: no such host`, { cause })
  }
  return new Error(`dial ${where}: ${reasons[code ?? ''] ?? message ?? 'connection closed'}`, { cause })
}
