/** For tests: a raw client on a Unix socket, and a server that listens on one. */
import { mkdtempSync, rmSync } from 'node:fs'
import { createConnection, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type PartialEngine, type TestServer, testServer } from './fake-engine.ts'

export interface ListeningServer extends TestServer {
  socketPath: string
  stop(): Promise<void>
}

export async function listeningServer(methods: PartialEngine = {}): Promise<ListeningServer> {
  const directory = mkdtempSync(join(tmpdir(), 'http-test-'))
  const remove = () => rmSync(directory, { recursive: true, force: true })
  // A test that fails may not come to its stop.
  process.once('exit', remove)
  const socketPath = join(directory, 'engine.sock')
  const server = testServer(methods)
  await server.listen({ path: socketPath })
  const stop = async () => {
    await server.close(0)
    process.removeListener('exit', remove)
    remove()
  }
  return { ...server, socketPath, stop }
}

/** A connection whose received bytes accumulate, for tests that speak HTTP by hand. */
export class RawClient {
  readonly socket: Socket
  received = ''
  ended = false
  #changed = Promise.withResolvers<void>()

  constructor(socketPath: string) {
    this.socket = createConnection({ path: socketPath, allowHalfOpen: true })
    this.socket.on('data', (chunk: Buffer) => {
      this.received += chunk.toString('latin1')
      this.#wake()
    })
    for (const event of ['end', 'close']) this.socket.on(event, () => this.#end())
    this.socket.on('error', () => {})
  }

  send(text: string): void {
    this.socket.write(text, 'latin1')
  }

  /** Resolves with all that was received once it contains `text`; fails when the connection ends without it. */
  async until(text: string): Promise<string> {
    while (!this.received.includes(text)) {
      if (this.ended) throw new Error(`ended without ${JSON.stringify(text)}: ${this.received.slice(0, 1000)}`)
      await this.#changed.promise
    }
    return this.received
  }

  /** All that was received when the server has ended the connection. */
  async untilEnd(): Promise<string> {
    while (!this.ended) await this.#changed.promise
    return this.received
  }

  #end(): void {
    this.ended = true
    this.#wake()
  }

  #wake(): void {
    const { resolve } = this.#changed
    this.#changed = Promise.withResolvers<void>()
    resolve()
  }
}

/** One request on a connection of its own, which the server is asked to close. */
export async function exchangeOnce(socketPath: string, request: string): Promise<string> {
  const client = new RawClient(socketPath)
  client.send(request.replace('\r\n', '\r\nHost: d\r\nConnection: close\r\n'))
  const answer = await client.untilEnd()
  client.socket.destroy()
  return answer
}
