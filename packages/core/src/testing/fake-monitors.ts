/**
 * Monitors whose processes the test plays: it writes their output, sees their input and signals, and ends them. As the
 * real ones do, they outlive a daemon: another `Monitors` over the same `host` adopts them, and their exit stays in a
 * file until its directory is removed.
 */
import { Duplex } from 'node:stream'
import type { MonitorHandle, MonitorPlan, Monitors, ProcessExit, StartedProcess } from '../ports/monitor.ts'
import { RuntimeFailure } from '../ports/monitor.ts'
import { frame } from '../support/frames.ts'

export interface FakeMonitors extends Monitors {
  readonly host: FakeMonitorHost
  /** Of this daemon, oldest first. */
  readonly started: FakeProcess[]
}

/** What is there while daemons come and go. */
export interface FakeMonitorHost {
  readonly processes: Map<string, FakeProcess>
  readonly exitFiles: Map<string, ProcessExit>
  /** Called when a process has begun; `process.exit(0)` here makes a program that ends at once. */
  onGo: (process: FakeProcess) => void
  /** Message of the runtime for the next start. */
  failNext: string | undefined
  nowNs: () => bigint
}

export function fakeMonitorHost(nowNs: () => bigint): FakeMonitorHost {
  return { processes: new Map(), exitFiles: new Map(), onGo: () => {}, failNext: undefined, nowNs }
}

let nextPid = 4000

export class FakeProcess {
  readonly plan: MonitorPlan
  readonly signals: number[] = []
  readonly sizes: { height: number; width: number }[] = []
  /** Signals that end it; others are only noted. */
  fatalSignals = new Set([9, 15])
  input = ''
  held = false
  inputEnded = false
  started: StartedProcess | undefined
  readonly exited: Promise<ProcessExit>
  readonly #host: FakeMonitorHost
  readonly #clients = new Set<{ stream: Duplex; stdout: boolean; stderr: boolean }>()
  #resolveExit: (exit: ProcessExit) => void = () => {}
  /** The monitor dies; its process goes on. */
  lose: (error: Error) => void = () => {}
  #exit: ProcessExit | undefined
  outOfMemoryCount = 0
  tellOutOfMemory: () => void = () => {}

  constructor(plan: MonitorPlan, host: FakeMonitorHost) {
    this.plan = plan
    this.#host = host
    this.exited = new Promise((resolve, reject) => {
      this.#resolveExit = resolve
      this.lose = reject
    })
  }

  get clientCount(): number {
    return this.#clients.size
  }

  begin(): StartedProcess {
    nextPid += 1
    this.started = { pid: nextPid, startTimeTicks: nextPid * 10, startedAtNs: String(this.#host.nowNs()) }
    return this.started
  }

  write(stream: 'stdout' | 'stderr', text: string): void {
    const bytes = Buffer.from(text)
    for (const client of this.#clients) {
      if (client[stream]) client.stream.push(this.plan.terminal ? bytes : frame(stream, bytes))
    }
  }

  exit(exitCode: number, rest: Partial<ProcessExit> = {}): void {
    if (this.#exit !== undefined) return
    const { started } = this
    this.#exit = {
      exitCode,
      oomKilled: false,
      finishedAtNs: String(this.#host.nowNs()),
      ...(started !== undefined && { pid: started.pid, startedAtNs: started.startedAtNs }),
      ...rest,
    }
    this.#host.exitFiles.set(this.plan.directory, this.#exit)
    this.#host.processes.delete(this.plan.directory)
    for (const client of this.#clients) client.stream.push(null)
    this.#resolveExit(this.#exit)
  }

  runOutOfMemory(): void {
    this.outOfMemoryCount += 1
    this.tellOutOfMemory()
  }

  signal(signal: number): boolean {
    if (this.#exit !== undefined) return false
    this.signals.push(signal)
    if (this.fatalSignals.has(signal)) this.exit(128 + signal, { signal })
    return true
  }

  attach(streams: { stdin: boolean; stdout: boolean; stderr: boolean }): Duplex {
    const take = (bytes: Buffer) => {
      this.input += bytes.toString()
    }
    const endInput = () => {
      this.inputEnded = true
    }
    const stream = new Duplex({
      allowHalfOpen: true,
      read() {},
      write(chunk: Buffer, _encoding, done) {
        if (streams.stdin) take(chunk)
        done()
      },
      final(done) {
        if (streams.stdin) endInput()
        done()
      },
    })
    const client = { stream, stdout: streams.stdout, stderr: streams.stderr }
    this.#clients.add(client)
    stream.once('close', () => this.#clients.delete(client))
    if (this.#exit !== undefined) stream.push(null)
    return stream
  }
}

export function fakeMonitors(host: FakeMonitorHost): FakeMonitors {
  const started: FakeProcess[] = []
  return {
    host,
    started,
    prepare: async (plan) => {
      const process = new FakeProcess(plan, host)
      host.exitFiles.delete(plan.directory)
      started.push(process)
      return handleOf(process, host)
    },
    adopt: async (directory) => {
      const process = host.processes.get(directory)
      return process === undefined ? undefined : handleOf(process, host)
    },
    readExit: async (directory) => host.exitFiles.get(directory),
  }
}

function handleOf(process: FakeProcess, host: FakeMonitorHost): MonitorHandle {
  return {
    monitorPid: 3000,
    get process() {
      return process.started
    },
    get outOfMemoryCount() {
      return process.outOfMemoryCount
    },
    onOutOfMemory: (listener) => {
      process.tellOutOfMemory = listener
    },
    exited: process.exited,
    go: async () => {
      const failure = host.failNext
      host.failNext = undefined
      if (failure !== undefined) throw new RuntimeFailure(failure)
      host.processes.set(process.plan.directory, process)
      const result = process.begin()
      // The first output and even the end may come before the caller has looked at the answer.
      host.onGo(process)
      return result
    },
    attach: async (streams) => process.attach(streams),
    resize: async (size) => void process.sizes.push(size),
    hold: async (on) => {
      process.held = on
    },
    signal: async (signal) => process.signal(signal),
    close: () => {},
  }
}
