/**
 * A request's body whose connection can be lent: another process reads it from the socket, and node's parser is told
 * afterwards how far that went, so that it goes on with the right byte, be it the rest of the body or another request.
 */
import { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import type { ArchiveSource, LentConnection } from '@dockerd-ts/core'

/** Of less, handing over costs more than the reading. */
const worthLendingBytes = 1024 * 1024

/** What node keeps of a connection; `fd` is below 0 for one that is none of its own. */
interface Handle {
  fd: number
  reading: boolean
  readStop(): void
}

export function lendableBody(body: Readable): ArchiveSource {
  if (!(body instanceof IncomingMessage)) return body
  return { [Symbol.asyncIterator]: () => body[Symbol.asyncIterator](), lend: (takes) => lend(body, takes) }
}

async function lend(request: IncomingMessage, takes: (head: Buffer) => boolean): Promise<LentConnection | undefined> {
  const { socket, headers } = request
  const handle = handleOf(socket)
  // Chunks have to be put together by the parser; without a length there is none.
  const length = headers['transfer-encoding'] === undefined ? Number(headers['content-length']) : 0
  if (handle === undefined || !(length - request.readableLength >= worthLendingBytes)) return undefined
  const release = hold(request, socket)
  await stopReading(socket, handle)
  const left = length - request.readableLength
  const head: Buffer = request.read() ?? Buffer.alloc(0)
  if (socket.destroyed || left < worthLendingBytes || !takes(head)) {
    if (head.length > 0) request.unshift(head)
    release()
    return undefined
  }
  const closed = new AbortController()
  const onClose = () => closed.abort()
  socket.once('close', onClose)
  return {
    head,
    descriptor: handle.fd,
    leftBytes: left,
    closed: closed.signal,
    giveBack(readBytes) {
      socket.off('close', onClose)
      if (readBytes === undefined) socket.destroy()
      else if (!socket.destroyed) passOver(request, readBytes)
      release()
    },
  }
}

/** Undefined for what is no socket of the kernel, or has to be decrypted first. */
function handleOf(socket: Socket): Handle | undefined {
  const handle = (socket as { _handle?: Partial<Handle> | null })._handle
  if ('encrypted' in socket || typeof handle?.fd !== 'number' || handle.fd < 0) return undefined
  return typeof handle.readStop === 'function' ? (handle as Handle) : undefined
}

/** Until it is released nothing makes node read the connection, whoever asks: another reader would take bytes away. */
function hold(request: IncomingMessage, socket: Socket): () => void {
  socket.pause()
  Object.assign(socket, { resume: () => socket, _read: () => {} })
  Object.assign(request, { _read: () => {} })
  return () => {
    for (const name of ['resume', '_read']) Reflect.deleteProperty(socket, name)
    Reflect.deleteProperty(request, '_read')
    if (socket.destroyed) return
    socket.resume()
    // What was asked for meanwhile counts as being read, and would not be asked for again.
    socket._read(0)
  }
}

async function stopReading(socket: Socket, handle: Handle): Promise<void> {
  // The native parser reads the descriptor itself; it lets go when a reader appears.
  const reader = () => {}
  socket.on('data', reader)
  socket.removeListener('data', reader)
  // What had been resumed before it was held still starts to read once, at the end of this tick.
  await new Promise((resolve) => setImmediate(resolve))
  handle.readStop()
  handle.reading = false
  // `read` emits what it gives as well, to the parser.
  while (socket.read() !== null);
}

const zeros = Buffer.alloc(1024 * 1024)

/** The parser counts so many bytes of the body as read. Their content is nobody's: it only passes over them. */
function passOver(request: IncomingMessage, bytes: number): void {
  const { socket } = request
  const hear = deafen((socket as { parser?: ParserHandlers }).parser)
  request.push = (chunk) => chunk !== null || IncomingMessage.prototype.push.call(request, null)
  try {
    for (let left = bytes; left > 0; left -= zeros.length) {
      socket.emit('data', left < zeros.length ? zeros.subarray(0, left) : zeros)
    }
  } finally {
    Reflect.deleteProperty(request, 'push')
    hear()
  }
}

/** What the native parser calls, by number. */
type ParserHandlers = Record<number, unknown>
const handlerCount = 8

/** The parser makes a copy of what it hands to its body handler, and none without one. Answers the way back. */
function deafen(parser: ParserHandlers | undefined): () => void {
  for (let key = 0; parser !== undefined && key < handlerCount; key++) {
    const handler = parser[key]
    if (typeof handler !== 'function' || handler.name !== 'parserOnBody') continue
    parser[key] = null
    return () => {
      parser[key] = handler
    }
  }
  return () => {}
}
