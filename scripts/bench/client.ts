/** The benchmark's own client: the same few lines for every engine, so that client cost is equal. */
import { Agent, request } from 'node:http'
import { createConnection, type Socket } from 'node:net'

const TIMEOUT_MS = 180_000
export const LABEL = 'dockerd-ts-bench'
export const now = (): number => performance.now()

/** Calls back with the stream number (1 stdout, 2 stderr) and each piece of payload of a multiplexed stream. */
export function demultiplexer(callback: (stream: number, payload: Buffer) => void): (chunk: Buffer) => void {
  let remaining = 0
  let stream = 0
  let header = Buffer.alloc(0)
  return (chunk) => {
    let offset = 0
    while (offset < chunk.length) {
      if (remaining > 0) {
        const length = Math.min(remaining, chunk.length - offset)
        callback(stream, chunk.subarray(offset, offset + length))
        offset += length
        remaining -= length
        continue
      }
      const length = Math.min(8 - header.length, chunk.length - offset)
      header = Buffer.concat([header, chunk.subarray(offset, offset + length)])
      offset += length
      if (header.length < 8) continue
      stream = header[0] ?? 0
      remaining = header.readUInt32BE(4)
      header = Buffer.alloc(0)
    }
  }
}

export interface Collected {
  stdout: string
  bytes: number
  firstMs: number
  endMs: number
}

/** Reads a hijacked connection to its end. With `keep` false only counts. */
export function collect(socket: Socket, keep = true): Promise<Collected> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = []
    let bytes = 0
    let firstMs = 0
    const timer = setTimeout(() => socket.destroy(new Error('the attached stream did not end in time')), TIMEOUT_MS)
    socket.on(
      'data',
      demultiplexer((stream, payload) => {
        firstMs ||= now()
        if (stream !== 1) return
        bytes += payload.length
        if (keep) parts.push(payload)
      }),
    )
    socket.on('error', reject)
    socket.on('end', () => {
      clearTimeout(timer)
      socket.destroy()
      resolve({ stdout: Buffer.concat(parts).toString(), bytes, firstMs, endMs: now() })
    })
    socket.resume()
  })
}

interface CallOptions {
  accept?: readonly number[]
  onData?: (chunk: Buffer) => void
}

export class Client {
  readonly label: string
  readonly socketPath: string
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 })
  readonly #image: string

  constructor(label: string, socketPath: string, image: string) {
    this.label = label
    this.socketPath = socketPath
    this.#image = image
  }

  /** One call; a status that is not accepted is an error, so that no figure is made from failures. */
  call(
    method: string,
    path: string,
    body?: object,
    { accept = [200, 201, 204], onData }: CallOptions = {},
  ): Promise<string> {
    return new Promise((resolve, reject) => {
      const payload = body === undefined ? undefined : JSON.stringify(body)
      const headers =
        payload === undefined
          ? { 'Content-Length': 0 }
          : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(payload) }
      const call = request(
        { socketPath: this.socketPath, agent: this.#agent, method, path: `/v1.41${path}`, headers },
        (response) => {
          const chunks: Buffer[] = []
          response.on('data', onData ?? ((chunk: Buffer) => chunks.push(chunk)))
          response.on('error', reject)
          response.on('end', () => {
            const text = Buffer.concat(chunks).toString()
            if (accept.includes(response.statusCode ?? 0)) resolve(text)
            else reject(new Error(`${method} ${path}: ${response.statusCode} ${text.slice(0, 300)}`))
          })
        },
      )
      call.setTimeout(TIMEOUT_MS, () => call.destroy(new Error(`${method} ${path}: no answer in time`)))
      call.on('error', reject)
      call.end(payload)
    })
  }

  async json<T>(method: string, path: string, body?: object): Promise<T> {
    return JSON.parse(await this.call(method, path, body)) as T
  }

  /** Takes a connection over; what followed the headers is given back to the socket. */
  hijack(path: string, body?: object): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const socket = createConnection({ path: this.socketPath, allowHalfOpen: true })
      const payload = body === undefined ? '' : JSON.stringify(body)
      socket.on('error', reject)
      socket.write(
        `POST /v1.41${path} HTTP/1.1\r\nHost: bench\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n` +
          `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(payload)}\r\n\r\n${payload}`,
      )
      let buffered = Buffer.alloc(0)
      const onData = (chunk: Buffer) => {
        buffered = Buffer.concat([buffered, chunk])
        const end = buffered.indexOf('\r\n\r\n')
        if (end < 0) return
        socket.off('data', onData)
        socket.pause()
        const status = Number(buffered.subarray(9, 12).toString())
        if (status !== 101) return reject(new Error(`${path}: ${status} ${buffered.subarray(end + 4, end + 300)}`))
        if (buffered.length > end + 4) socket.unshift(buffered.subarray(end + 4))
        resolve(socket)
      }
      socket.on('data', onData)
    })
  }

  async create(spec: object): Promise<string> {
    const { Id } = await this.json<{ Id: string }>('POST', '/containers/create', {
      Image: this.#image,
      Labels: { [LABEL]: '1' },
      ...spec,
    })
    return Id
  }

  start(id: string): Promise<string> {
    return this.call('POST', `/containers/${id}/start`)
  }

  async wait(id: string): Promise<void> {
    const { StatusCode } = await this.json<{ StatusCode: number }>('POST', `/containers/${id}/wait`)
    if (StatusCode !== 0) throw new Error(`exit code ${StatusCode}`)
  }

  remove(id: string): Promise<string> {
    return this.call('DELETE', `/containers/${id}?force=1&v=1`)
  }

  attach(id: string, streams = 'stdout=1&stderr=1'): Promise<Socket> {
    return this.hijack(`/containers/${id}/attach?stream=1&${streams}`)
  }

  async removeAll(): Promise<void> {
    const filters = encodeURIComponent(JSON.stringify({ label: [LABEL] }))
    const list = await this.json<{ Id: string }[]>('GET', `/containers/json?all=1&filters=${filters}`)
    for (const { Id } of list) await this.remove(Id)
  }
}

/** Runs `work` for each item, `width` at a time. */
export async function pool<T, R>(items: readonly T[], width: number, work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  const queue = items.values()
  const worker = async () => {
    for (const item of queue) results.push(await work(item))
  }
  await Promise.all(Array.from({ length: width }, worker))
  return results
}
