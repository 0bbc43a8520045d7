/** Execs in memory: created, running, and for a while after their end. */
import { notFound } from '../errors/engine-error.ts'
import type { MonitorHandle } from '../ports/monitor.ts'
import type { ExecRecord } from './exec-record.ts'

export interface Exec {
  readonly record: ExecRecord
  monitor: MonitorHandle | undefined
  /** Resolved when its process runs, or never will. */
  readonly started: PromiseWithResolvers<void>
}

export const newExec = (record: ExecRecord): Exec => ({
  record,
  monitor: undefined,
  started: Promise.withResolvers<void>(),
})

export class ExecRegistry {
  readonly #byId = new Map<string, Exec>()
  readonly #byContainer = new Map<string, Set<Exec>>()

  add(exec: Exec): void {
    this.#byId.set(exec.record.id, exec)
    const execs = this.#byContainer.get(exec.record.containerId) ?? new Set()
    this.#byContainer.set(exec.record.containerId, execs.add(exec))
  }

  all(): Exec[] {
    return [...this.#byId.values()]
  }

  /** Full id, or a prefix that only one has. Throws notFound `No such exec instance: x`. */
  find(reference: string): Exec {
    const exact = this.#byId.get(reference)
    if (exact !== undefined) return exact
    const found = [...this.#byId].filter(([id]) => reference !== '' && id.startsWith(reference))
    const [, exec] = found[0] ?? []
    if (exec === undefined || found.length > 1) throw notFound(`No such exec instance: ${reference}`)
    return exec
  }

  /** As inspect shows them: those that have not ended; null for none. */
  idsOf(containerId: string): string[] | null {
    const ids = [...(this.#byContainer.get(containerId) ?? [])]
      .filter((exec) => exec.record.status !== 'exited')
      .map((exec) => exec.record.id)
    return ids.length > 0 ? ids : null
  }

  of(containerId: string): Exec[] {
    return [...(this.#byContainer.get(containerId) ?? [])]
  }

  delete(exec: Exec): void {
    this.#byId.delete(exec.record.id)
    const execs = this.#byContainer.get(exec.record.containerId)
    execs?.delete(exec)
    if (execs?.size === 0) this.#byContainer.delete(exec.record.containerId)
  }
}
