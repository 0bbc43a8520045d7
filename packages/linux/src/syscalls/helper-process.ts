/**
 * The helper's process and the requests that are under way to it. When it dies it is started again and requests that
 * may be repeated are sent again; all but the start of a monitor and what refers to descriptors of the old process may.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import type { Duplex } from 'node:stream'
import { encodeMessage, type Field, type Message, MessageReader } from './frames.ts'
import { SystemError } from './system-error.ts'

export interface HelperProcessOptions {
  /** The C program. */
  program: string
  /** Its whole environment; monitors get their own with each spawn. */
  environment?: Readonly<Record<string, string>>
  /** Told when the helper died unexpectedly, with what it wrote to stderr. */
  onRestart?: (reason: string) => void
}

interface Pending {
  code: number
  fields: readonly Field[]
  repeatable: boolean
  attempts: number
  resolve(message: Message): void
  reject(error: Error): void
}

const maxAttempts = 3
const stderrLimitBytes = 4096

export class HelperProcess {
  readonly #options: HelperProcessOptions
  readonly #pending = new Map<number, Pending>()
  #child: ChildProcess | undefined
  #socket: Duplex | undefined
  #nextId = 1
  #closed = false
  #failuresInARow = 0

  constructor(options: HelperProcessOptions) {
    this.#options = options
    this.#start()
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  /** Rejects with SystemError when the helper answers an errno. */
  request(code: number, fields: readonly Field[], options: { repeatable?: boolean } = {}): Promise<Message> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(new Error('the host helper was closed'))
      const repeatable = options.repeatable ?? true
      this.#send({ code, fields, repeatable, attempts: 0, resolve, reject })
    })
  }

  /** Ends the helper after the requests under way; monitors live on. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    const child = this.#child
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const exited = new Promise((resolve) => child.once('exit', resolve))
    this.#socket?.end()
    await exited
  }

  #send(pending: Pending): void {
    const id = this.#nextId
    this.#nextId = id === 0xffff_ffff ? 1 : id + 1
    try {
      const message = encodeMessage(id, pending.code, pending.fields)
      this.#pending.set(id, { ...pending, attempts: pending.attempts + 1 })
      this.#socket?.write(message)
    } catch (error) {
      pending.reject(error as Error)
    }
  }

  #start(): void {
    // detached: a terminal's Ctrl-C is for the daemon, which ends the helper by closing its socket.
    const child = spawn(this.#options.program, ['helper'], {
      stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
      detached: true,
      cwd: '/',
      env: this.#options.environment ?? {},
    })
    const socket = child.stdio[3] as Duplex
    const reader = new MessageReader()
    let stderr = ''
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      stderr = (stderr + text).slice(-stderrLimitBytes)
    })
    socket.on('error', () => undefined)
    socket.on('data', (chunk: Buffer) => {
      try {
        for (const message of reader.push(chunk)) this.#answer(message)
      } catch {
        child.kill('SIGKILL')
      }
    })
    let ended = false
    const end = (reason: string) => {
      if (ended) return
      ended = true
      socket.destroy()
      this.#ended([reason, stderr.trim()].filter(Boolean).join(': '))
    }
    child.once('error', (error) => end(error.message))
    // close, not exit: answers that were written before the end are read first.
    child.once('close', (code, signal) => end(`the host helper ended (${signal ?? code})`))
    this.#child = child
    this.#socket = socket
  }

  #answer(message: Message): void {
    const pending = this.#pending.get(message.id)
    if (!pending) return
    this.#failuresInARow = 0
    this.#pending.delete(message.id)
    if (message.code === 0) pending.resolve(message)
    else pending.reject(new SystemError(message.code, message.errorText))
  }

  #ended(reason: string): void {
    const lost = [...this.#pending.values()]
    this.#pending.clear()
    this.#child = undefined
    this.#socket = undefined
    if (this.#closed) {
      for (const pending of lost) pending.reject(new Error(reason))
      return
    }
    this.#failuresInARow++
    this.#options.onRestart?.(reason)
    const hopeless = this.#failuresInARow >= maxAttempts
    if (hopeless) this.#closed = true
    else this.#start()
    for (const pending of lost) {
      if (!hopeless && pending.repeatable && pending.attempts < maxAttempts) this.#send(pending)
      else pending.reject(new Error(reason))
    }
  }
}
