/**
 * A real dockerd-ts for one test file: own roots, own bridge, own socket, the same program that users start.
 * `stop` ends it and asserts that nothing is left on the machine.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { fileURLToPath } from 'node:url'
import { type Abandoned, cleanUp, removeNetworks } from './abandoned.ts'
import { call } from './call.ts'
import { recordCalls, recordingFlags } from './calls.ts'
import { leftovers } from './leftovers.ts'

export { type Answer, call } from './call.ts'

export const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '')

export interface TestDaemon {
  readonly directory: string
  readonly socket: string
  readonly host: string
  readonly pid: number
  readonly bridge: string
  /** Kills the daemon (not its containers) with SIGKILL and waits until it is gone. */
  kill(): Promise<void>
  /** Resolves when the process has ended by itself (crash points). */
  readonly ended: Promise<number | null>
  /** Starts it again on the same roots, after `kill` or a crash. */
  start(environment?: Record<string, string>): Promise<void>
  /** Removes all containers, ends the daemon and answers what is left of it on the machine: should be []. */
  stop(): Promise<string[]>
  log(): string
}

let counter = 0

/** A test that ends badly, or is ended, takes its daemons along with all that they made. */
const children = new Set<ChildProcess>()
const unfinished = new Set<Abandoned>()
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL')
  for (const daemon of unfinished) cleanUp(daemon)
})
// By itself a signal ends a process without `exit`.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGALRM'] as const) {
  process.once(signal, () => process.exit(128 + constants.signals[signal]))
}

export interface DaemonOptions {
  /** Content of daemon.json. */
  config?: Record<string, unknown>
  flags?: readonly string[]
  environment?: Record<string, string>
  /** Starts the daemon: a shell script that ends with `exec "$@"`. */
  script?: string
}

export async function startDaemon(options: DaemonOptions = {}): Promise<TestDaemon> {
  const directory = mkdtempSync('/tmp/dts-test-')
  const bridge = `dtst${process.pid % 100_000}${String.fromCharCode(97 + (counter++ % 26))}`
  writeFileSync(`${directory}/daemon.json`, JSON.stringify(options.config ?? {}))
  const daemon = new Daemon(directory, bridge, options)
  unfinished.add(daemon)
  await daemon.start()
  return daemon
}

class Daemon implements TestDaemon {
  readonly directory: string
  readonly socket: string
  readonly host: string
  readonly bridge: string
  ended: Promise<number | null> = Promise.resolve(null)
  #child: ChildProcess | undefined
  readonly #options: DaemonOptions

  constructor(directory: string, bridge: string, options: DaemonOptions) {
    this.directory = directory
    this.socket = `${directory}/docker.sock`
    this.host = `unix://${this.socket}`
    this.bridge = bridge
    this.#options = options
  }

  get pid(): number {
    return this.#child?.pid ?? -1
  }

  log(): string {
    return readFileSync(`${this.directory}/log`, 'utf8')
  }

  async start(environment: Record<string, string> = {}): Promise<void> {
    const log = openSync(`${this.directory}/log`, 'a')
    const command = [
      `${root}/node_modules/.bin/dockerd-ts`,
      ...['-H', this.host, '--data-root', `${this.directory}/data`, '--exec-root', `${this.directory}/exec`],
      ...['-p', `${this.directory}/pid`, '--bridge', this.bridge, '--config-file', `${this.directory}/daemon.json`],
      ...recordingFlags,
      ...(this.#options.flags ?? []),
    ]
    const [program = '', ...argv] =
      this.#options.script === undefined ? command : ['bash', '-c', this.#options.script, 'bash', ...command]
    const child = spawn(program, argv, {
      stdio: ['ignore', log, log],
      env: { ...process.env, ...this.#options.environment, ...environment },
    })
    closeSync(log)
    this.#child = child
    children.add(child)
    child.once('exit', () => children.delete(child))
    this.ended = once(child, 'exit').then(([code]) => code as number | null)
    const deadline = Date.now() + 60_000
    while (!(await answers(this.socket))) {
      if (child.exitCode !== null || child.signalCode !== null || Date.now() > deadline)
        throw new Error(`the daemon did not start:\n${this.log()}`)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }

  async kill(): Promise<void> {
    this.#child?.kill('SIGKILL')
    await this.ended
  }

  async stop(): Promise<string[]> {
    if (this.#child?.exitCode === null && this.#child.signalCode === null) {
      await removeContainers(this.socket)
      this.#child.kill('SIGTERM')
      await this.ended
    }
    recordCalls(this.log())
    const left = await leftovers({ directory: this.directory, bridge: this.bridge })
    removeNetworks(this.bridge, this.directory)
    if (left.length > 0) return left
    rmSync(this.directory, { recursive: true, force: true })
    unfinished.delete(this)
    return []
  }
}

async function answers(socket: string): Promise<boolean> {
  try {
    return (await call(socket, 'GET', '/_ping')).status === 200
  } catch {
    return false
  }
}

export async function removeContainers(socket: string): Promise<void> {
  const { json } = await call(socket, 'GET', '/containers/json?all=1')
  for (const { Id } of json as { Id: string }[]) await call(socket, 'DELETE', `/containers/${Id}?force=1&v=1`)
}
