/** The control connection to one monitor: requests with ids, and the news of the process's end (id 0). */
import type { Socket } from 'node:net'
import { encodeMessage, type Field, type Message, MessageReader } from '../syscalls/frames.ts'

interface Pending {
  resolve(message: Message): void
  reject(error: Error): void
}

export interface ControlEvents {
  /** A message that answers no request. */
  onNews(message: Message): void
  /** The monitor is gone, or the connection was closed from here. */
  onClose(): void
}

export class ControlConnection {
  readonly #socket: Socket
  readonly #pending = new Map<number, Pending>()
  #nextId = 1
  #closed = false

  constructor(socket: Socket, events: ControlEvents) {
    this.#socket = socket
    const reader = new MessageReader()
    socket.on('data', (chunk: Buffer) => {
      try {
        for (const message of reader.push(chunk)) this.#receive(message, events)
      } catch (error) {
        socket.destroy(error as Error)
      }
    })
    // The close that follows tells the same.
    socket.on('error', () => undefined)
    socket.once('close', () => {
      this.#closed = true
      for (const pending of this.#pending.values()) pending.reject(new Error('the monitor is gone'))
      this.#pending.clear()
      events.onClose()
    })
  }

  /** Resolves with whatever the monitor answers, its `code` included. Rejects when the monitor is gone. */
  request(code: number, fields: readonly Field[]): Promise<Message> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(new Error('the monitor is gone'))
      const id = this.#nextId++
      const message = encodeMessage(id, code, fields)
      this.#pending.set(id, { resolve, reject })
      this.#socket.write(message)
    })
  }

  close(): void {
    this.#socket.destroy()
  }

  #receive(message: Message, events: ControlEvents): void {
    const pending = this.#pending.get(message.id)
    this.#pending.delete(message.id)
    if (pending) pending.resolve(message)
    else events.onNews(message)
  }
}
