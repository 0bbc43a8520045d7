/** Real receivers for tests of targets: TCP, Unix and UDP servers that keep what they get. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'

interface Teardown {
  teardown(work: () => void | Promise<void>): void
}

export interface StreamReceiver {
  readonly port: number
  readonly received: Buffer
  readonly connections: Set<Socket>
  /** Resolves when as many bytes have come, or what has come satisfies the test. */
  until(enough: (received: Buffer) => boolean): Promise<Buffer>
  close(): Promise<void>
}

export async function streamReceiver(
  t: Teardown,
  {
    server = createServer(),
    at = 0,
    onData,
  }: { server?: Server; at?: number | string; onData?: (socket: Socket, bytes: Buffer) => void } = {},
): Promise<StreamReceiver> {
  const connections = new Set<Socket>()
  let received = Buffer.alloc(0)
  let wake = () => {}
  const event =
    server.listenerCount('secureConnection') >= 0 && 'setSecureContext' in server ? 'secureConnection' : 'connection'
  server.on(event, (socket: Socket) => {
    connections.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => connections.delete(socket))
    socket.on('data', (bytes) => {
      received = Buffer.concat([received, bytes])
      onData?.(socket, bytes)
      wake()
    })
  })
  server.listen(typeof at === 'string' ? { path: at } : { port: at, host: '127.0.0.1' })
  await once(server, 'listening')
  const close = async () => {
    for (const socket of connections) socket.destroy()
    if (server.listening) await new Promise((resolve) => server.close(resolve))
  }
  t.teardown(close)
  return {
    port: (server.address() as AddressInfo).port,
    get received() {
      return received
    },
    connections,
    async until(enough) {
      while (!enough(received)) await new Promise<void>((resolve) => (wake = resolve))
      return received
    },
    close,
  }
}

export async function udpReceiver(t: Teardown) {
  const socket = createSocket('udp4')
  const datagrams: Buffer[] = []
  let wake = () => {}
  socket.on('message', (bytes) => {
    datagrams.push(bytes)
    wake()
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  t.teardown(() => {
    socket.close()
  })
  return {
    port: socket.address().port,
    async take(count: number): Promise<Buffer[]> {
      while (datagrams.length < count) await new Promise<void>((resolve) => (wake = resolve))
      return datagrams.splice(0, count)
    },
  }
}
