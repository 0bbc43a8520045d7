/** One monitor as the engine sees it: its process's start, streams, signals and end. */
import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { type MonitorHandle, type ProcessExit, RuntimeFailure, type StartedProcess } from '@dockerd-ts/core'
import type { Field, Message } from '../syscalls/frames.ts'
import { operation, tag } from '../syscalls/protocol.ts'
import { SystemError } from '../syscalls/system-error.ts'
import { type AttachStreams, openAttachment } from './attach.ts'
import { connectMonitor } from './connect.ts'
import { ControlConnection } from './control-connection.ts'
import { readExitFile } from './exit-file.ts'
import { parseProcessExit } from './process-exit.ts'
import { lastRuntimeError } from './runtime-log.ts'

export class ConnectedMonitor implements MonitorHandle {
  readonly exited: Promise<ProcessExit>
  monitorPid = 0
  outOfMemoryCount = 0
  #process: StartedProcess | undefined
  readonly #directory: string
  readonly #control: ControlConnection
  #planned: Promise<unknown> = Promise.resolve()
  #tellOutOfMemory: () => void = () => undefined
  #closed = false
  #ended = false
  #settleExit: (exit: ProcessExit | Promise<ProcessExit>) => void = () => undefined

  constructor(directory: string, socket: Socket) {
    this.#directory = directory
    this.exited = new Promise((resolve) => {
      this.#settleExit = resolve
    })
    // Whoever waits hears of a lost monitor; nobody has to wait.
    this.exited.catch(() => undefined)
    this.#control = new ControlConnection(socket, {
      onNews: (message) => {
        this.#takeOutOfMemory(message)
        this.#takeExit(message)
      },
      onClose: () => this.#lost(),
    })
  }

  get process(): StartedProcess | undefined {
    return this.#process
  }

  get ended(): boolean {
    return this.#ended
  }

  /** Sends a request of the protocol; throws SystemError when the monitor refuses. */
  async request(code: number, fields: readonly Field[] = []): Promise<Message> {
    const answer = await this.#control.request(code, fields)
    if (answer.code !== 0) throw new SystemError(answer.code, answer.errorText)
    return answer
  }

  /** Not awaited: the program starts while mounts and network are made. A refused plan makes `go` fail. */
  plan(fields: readonly Field[]): void {
    this.#planned = this.request(operation.PLAN, fields)
    this.#planned.catch(() => undefined)
  }

  async go(): Promise<StartedProcess> {
    const answer = await this.#control.request(operation.GO, [])
    if (answer.code !== 0) {
      await this.#planned
      const log = answer.text(tag.RUNTIME_LOG)
      throw log === undefined
        ? new SystemError(answer.code, answer.errorText)
        : new RuntimeFailure(lastRuntimeError(log))
    }
    const process = this.takeProcess(answer)
    if (!process) throw new Error('malformed answer of the monitor')
    return process
  }

  async attach(streams: AttachStreams): Promise<Duplex> {
    let socket: Socket | undefined
    try {
      socket = await connectMonitor(this.#directory)
      return await openAttachment(socket, streams)
    } catch (error) {
      socket?.destroy()
      // It leaves when all output was delivered; who comes later gets the end at once.
      if (this.#ended || (await readExitFile(this.#directory))) return endedStream()
      throw error
    }
  }

  async resize(size: { height: number; width: number }): Promise<void> {
    await this.request(operation.RESIZE, [
      // The kernel's sizes have 16 bits; what is above is lost, as in Docker.
      [tag.HEIGHT, size.height & 0xffff],
      [tag.WIDTH, size.width & 0xffff],
    ])
  }

  async hold(on: boolean): Promise<void> {
    await this.request(operation.HOLD, [[tag.HOLD, on ? 1 : 0]])
  }

  async signal(signal: number): Promise<boolean> {
    if (this.#ended) return false
    const answer = await this.#control.request(operation.SIGNAL, [[tag.SIGNAL, signal]]).catch((error: Error) => {
      if (this.#ended) return undefined
      throw error
    })
    if (answer === undefined) return false
    if (answer.code === 0) return true
    const error = new SystemError(answer.code, answer.errorText)
    if (error.code === 'ESRCH') return false
    throw error
  }

  onOutOfMemory(listener: () => void): void {
    this.#tellOutOfMemory = listener
  }

  close(): void {
    this.#closed = true
    this.#control.close()
  }

  /** Reads pid and times from an answer that carries them. */
  takeProcess(message: Message): StartedProcess | undefined {
    const pid = message.number(tag.PID)
    const startTimeTicks = message.number(tag.START_TICKS)
    const startedAtNs = message.bigint(tag.STARTED_AT)
    if (pid === undefined || startTimeTicks === undefined || startedAtNs === undefined) return undefined
    this.#takeOutOfMemory(message)
    this.#process = { pid, startTimeTicks, startedAtNs: String(startedAtNs) }
    return this.#process
  }

  /** The end, as news or as part of the answer to a hello. */
  takeExitOf(message: Message): void {
    this.#takeExit(message)
  }

  #takeOutOfMemory(message: Message): void {
    const count = message.number(tag.OOM_EVENTS) ?? 0
    if (count <= this.outOfMemoryCount) return
    this.outOfMemoryCount = count
    this.#tellOutOfMemory()
  }

  #takeExit(message: Message): void {
    const json = message.text(tag.EXIT)
    if (json === undefined || this.#ended) return
    this.#ended = true
    this.#settleExit(parseProcessExit(json))
  }

  #lost(): void {
    if (this.#closed || this.#ended) return
    this.#ended = true
    this.#settleExit(this.#exitAfterLoss())
  }

  async #exitAfterLoss(): Promise<ProcessExit> {
    const exit = await readExitFile(this.#directory)
    if (exit) return exit
    throw new Error(`the monitor in ${this.#directory} ended without telling how its process ended`)
  }
}

function endedStream(): Duplex {
  const stream = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() })
  stream.push(null)
  return stream
}
