/** An exec: a further process in a running container, and what became of it. */

export interface ExecRecord {
  readonly id: string
  readonly containerId: string
  readonly createdAtNs: string
  config: {
    command: string[]
    environment: string[]
    user: string
    workingDirectory: string
    privileged: boolean
    terminal: boolean
    attachStdin: boolean
    attachStdout: boolean
    attachStderr: boolean
    /** Docker's syntax; '' is the default. */
    detachKeys: string
    consoleSize?: { height: number; width: number }
  }
  status: 'created' | 'starting' | 'running' | 'exited'
  pid: number
  startTimeTicks: number
  bootId: string
  exitCode?: number
  finishedAtNs?: string
  /** A health probe: a new daemon kills it, since its result is nobody's any more. */
  probe?: boolean
}
