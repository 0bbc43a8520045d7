/**
 * The service manager's side of the daemon: sd_notify(3), sd_watchdog_enabled(3) and sd_listen_fds(3) without a library.
 * https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html
 */

import { execFile } from 'node:child_process'

const stateTimeoutMs = 5_000

/** `running`, `degraded`, `stopping` …; '' when it cannot be told. Exit codes differ by state, so they say nothing here. */
export function systemdState(): Promise<string> {
  return new Promise((resolve) => {
    execFile('systemctl', ['is-system-running'], { timeout: stateTimeoutMs }, (_error, stdout) =>
      resolve(stdout.trim()),
    )
  })
}

/** What the service manager said in the environment. */
export interface ServiceEnvironment {
  notifySocket: string | undefined
  /** 0: no watchdog. */
  watchdogUs: number
  /** Descriptors of the sockets that it opened for us. */
  listenDescriptors: readonly number[]
  /** Soft limit of open files before Node raised it, from the launcher. */
  softNofile: string | undefined
}

const names = [
  ...['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID', 'LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES'],
  'DOCKERD_TS_SOFT_NOFILE',
] as const

const LISTEN_FDS_START = 3

/** Reads the variables and takes them out of the environment: they are for us, not for what we start. */
export function takeServiceEnvironment(environment: NodeJS.ProcessEnv, pid: number): ServiceEnvironment {
  const [notifySocket, watchdogUs, watchdogPid, listenPid, listenFds, , softNofile] = names.map(
    (name) => environment[name],
  )
  for (const name of names) delete environment[name]
  const watchedIsUs = watchdogPid === undefined || Number(watchdogPid) === pid
  const count = Number(listenPid) === pid ? Number(listenFds) || 0 : 0
  return {
    notifySocket: notifySocket || undefined,
    watchdogUs: watchedIsUs ? Number(watchdogUs) || 0 : 0,
    listenDescriptors: Array.from({ length: count }, (_, index) => LISTEN_FDS_START + index),
    softNofile,
  }
}

export interface ServiceManagerOptions {
  environment: Pick<ServiceEnvironment, 'notifySocket' | 'watchdogUs'>
  send(socket: string, bytes: Buffer): Promise<void>
  /** Rejects or never ends when the daemon is not well. */
  checkHealth(): Promise<void>
  /** As `systemctl is-system-running` says it. */
  systemState(): Promise<string>
  onError(error: unknown): void
}

/** Tells the service manager how the daemon is; without one everything here does nothing. */
export class ServiceManager {
  readonly #options: ServiceManagerOptions
  #timer: NodeJS.Timeout | undefined

  constructor(options: ServiceManagerOptions) {
    this.#options = options
  }

  /** The sockets are open. From here on the watchdog is fed, as long as event loop and host helper answer. */
  async ready(): Promise<void> {
    await this.#notify('READY=1', 'STATUS=Serving the API')
    const { watchdogUs } = this.#options.environment
    if (watchdogUs > 0 && this.#options.environment.notifySocket !== undefined) {
      this.#timer = setInterval(() => void this.#feed(), watchdogUs / 2_000)
      this.#timer.unref()
    }
  }

  /** Around the reading of the configuration. */
  async reload(work: () => Promise<void>): Promise<void> {
    // Of CLOCK_MONOTONIC, which the manager compares with its own request.
    await this.#notify('RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1_000n}`)
    try {
      await work()
    } finally {
      await this.#notify('READY=1')
    }
  }

  async stopping(): Promise<void> {
    clearInterval(this.#timer)
    await this.#notify('STOPPING=1', 'STATUS=Stopping; containers run on')
  }

  /** The whole machine goes down, not only this service. */
  async systemIsStopping(): Promise<boolean> {
    if (this.#options.environment.notifySocket === undefined) return false
    return (await this.#options.systemState()) === 'stopping'
  }

  async #feed(): Promise<void> {
    try {
      await this.#options.checkHealth()
      await this.#notify('WATCHDOG=1')
    } catch (error) {
      this.#options.onError(error)
    }
  }

  async #notify(...lines: string[]): Promise<void> {
    const { notifySocket } = this.#options.environment
    if (notifySocket === undefined) return
    try {
      await this.#options.send(notifySocket, Buffer.from(lines.join('\n')))
    } catch (error) {
      this.#options.onError(error)
    }
  }
}
