/**
 * What stays of removed containers for a while, where the daemon was told to keep it: the record and the log, for a time
 * and within a number of bytes, the oldest going first. A container's row and what is kept of it change in one commit; its
 * log is moved afterwards, and again by the next daemon where that was cut off.
 */
import type { ContainerRecord } from '../containers/container-record.ts'
import type { EngineDependencies } from '../engine-dependencies.ts'
import { invalidArgument, isEngineError, notFound } from '../errors/engine-error.ts'
import type { DiskClaim, DiskOwner } from '../ports/disk-ledger.ts'
import type { RemovedEntry, RemovedRow } from '../ports/records.ts'
import { KeyedMutex } from '../support/keyed-mutex.ts'

type Parts = Pick<EngineDependencies, 'settings' | 'records' | 'files' | 'clock' | 'logger'>

/** Timers of Node are shorter than a retention may be. */
const longestTimerMs = 24 * 60 * 60 * 1000

export class RemovedContainers implements DiskOwner {
  readonly #parts: Parts
  /** Oldest removal first. */
  readonly #entries = new Map<string, RemovedEntry>()
  /** Whose files are just being moved or deleted. */
  readonly #moving = new Set<string>()
  readonly #locks = new KeyedMutex()
  #totalBytes = 0
  #cancelTimer = () => {}

  constructor(parts: Parts) {
    this.#parts = parts
    for (const entry of parts.records.listRemoved()) this.#add(entry)
  }

  get isOn(): boolean {
    return this.#parts.settings.removed.retentionMs > 0
  }

  /** Only what has run, or failed to, has anything to tell. */
  wants({ state }: ContainerRecord): boolean {
    return this.isOn && (state.startedAtNs !== '' || state.error !== '')
  }

  has(id: string): boolean {
    return this.#entries.has(id)
  }

  /** In the transaction in which the container's row goes. */
  put(record: ContainerRecord): void {
    const { clock, records } = this.#parts
    const status = record.state.startedAtNs === '' ? ('created' as const) : ('exited' as const)
    const kept = { ...record, status }
    const recordBytes = Buffer.byteLength(JSON.stringify(kept))
    const { id, name } = record
    const entry: RemovedEntry = { id, name, removedAtNs: String(clock.nowNs()), logBytes: 0, recordBytes }
    records.putRemoved({ ...entry, record: kept })
    this.#moving.add(id)
    this.#drop(id)
    this.#add(entry)
  }

  /** In the transaction in which the container's row comes back: its removal failed. */
  takeBack(id: string): void {
    if (!this.#entries.has(id)) return
    this.#parts.records.deleteRemoved(id)
    this.#drop(id)
    // What was moved already stays claimed; the next removal or the next daemon deals with it.
    this.#moving.add(id)
  }

  /** Moves the log of one that was put; does nothing for others. A log that cannot be kept holds no removal up. */
  async keepLog(id: string): Promise<void> {
    await this.#locks.run(id, async () => {
      const entry = this.#entries.get(id)
      if (entry === undefined) return
      const { files, logger, records, settings } = this.#parts
      this.#moving.add(id)
      try {
        const logBytes = await files.keepLog(id, settings.removed.limitBytes - entry.recordBytes)
        records.setRemovedLogBytes(id, logBytes)
        this.#totalBytes += logBytes - entry.logBytes
        entry.logBytes = logBytes
      } catch (error) {
        logger.error({ containerId: id, err: error }, 'could not keep the log of the removed container')
      } finally {
        this.#moving.delete(id)
      }
    })
  }

  /** Oldest removal first, without those whose time is over. */
  list(): RemovedRow[] {
    const ids = [...this.#entries.values()].filter((entry) => !this.#isOver(entry)).map(({ id }) => id)
    return ids.flatMap((id) => this.#parts.records.getRemoved(id) ?? [])
  }

  /** By id, name (the one removed last) or unique prefix of an id. Throws notFound and invalidArgument. */
  find(reference: string): RemovedRow {
    const name = reference.replace(/^\//, '')
    const there = [...this.#entries.values()].filter((entry) => !this.#isOver(entry))
    const exact = there.find(({ id }) => id === name) ?? there.findLast((entry) => entry.name === name)
    const byPrefix = /^[0-9a-f]+$/.test(name) ? there.filter(({ id }) => id.startsWith(name)) : []
    if (exact === undefined && byPrefix.length > 1) {
      throw invalidArgument(`multiple IDs found with provided prefix: ${reference}`)
    }
    const found = exact ?? byPrefix[0]
    const row = found && this.#parts.records.getRemoved(found.id)
    if (row === undefined) throw notFound(`No such removed container: ${reference}`)
    return row
  }

  /** Row first: files without one are swept by the next daemon. */
  async forget(id: string): Promise<void> {
    await this.#locks.run(id, async () => {
      if (!this.#entries.has(id)) return
      this.#moving.add(id)
      this.#parts.records.deleteRemoved(id)
      this.#drop(id)
      try {
        await this.#parts.files.removeKept(id)
      } finally {
        this.#moving.delete(id)
      }
    })
  }

  /** Forgets what is over its time, then the oldest until the rest has room; comes back for the next one. Never throws. */
  async sweep(): Promise<void> {
    this.#cancelTimer()
    const { settings, clock, logger } = this.#parts
    const oldestEntry = () => this.#entries.values().next().value
    let oldest = oldestEntry()
    while (oldest !== undefined && (this.#isOver(oldest) || this.#totalBytes > settings.removed.limitBytes)) {
      try {
        await this.forget(oldest.id)
      } catch (error) {
        logger.error({ containerId: oldest.id, err: error }, 'could not delete what was kept of a removed container')
      }
      // Of a row that could not be deleted another try would fail as well.
      if (this.#entries.has(oldest.id)) break
      oldest = oldestEntry()
    }
    this.#cancelTimer()
    if (oldest === undefined) return
    const leftMs = Number((this.#endNs(oldest) - clock.nowNs()) / 1_000_000n) + 1
    this.#cancelTimer = clock.after(Math.min(Math.max(leftMs, 1), longestTimerMs), () => void this.sweep())
  }

  /** Brings files and rows into agreement, for a new daemon; those of containers that are still there have been moved. */
  async reconcile(): Promise<void> {
    for (const id of this.#parts.files.existing().keptIds) {
      if (!this.#entries.has(id)) await this.#parts.files.removeKept(id)
    }
    await this.sweep()
  }

  close(): void {
    this.#cancelTimer()
  }

  claims(): DiskClaim[] {
    const ids = new Set([...this.#entries.keys(), ...this.#moving])
    return [
      { path: 'removed', kind: 'directories of the engine', ownerId: '', extent: 'directory', required: true },
      ...[...ids].map((id): DiskClaim => {
        const required = !this.#moving.has(id) && (this.#entries.get(id)?.logBytes ?? 0) > 0
        return { path: `removed/${id}`, kind: 'removed container', ownerId: id, extent: 'tree', required }
      }),
    ]
  }

  #add(entry: RemovedEntry): void {
    this.#entries.set(entry.id, entry)
    this.#totalBytes += sizeBytes(entry)
  }

  #drop(id: string): void {
    const entry = this.#entries.get(id)
    if (entry === undefined) return
    this.#entries.delete(id)
    this.#totalBytes -= sizeBytes(entry)
  }

  #endNs(entry: RemovedEntry): bigint {
    return BigInt(entry.removedAtNs) + BigInt(this.#parts.settings.removed.retentionMs) * 1_000_000n
  }

  #isOver(entry: RemovedEntry): boolean {
    return this.#parts.clock.nowNs() >= this.#endNs(entry)
  }
}

const sizeBytes = ({ logBytes, recordBytes }: RemovedEntry): number => logBytes + recordBytes

/** The container of that name or id, or else what was kept of one that was removed. Throws notFound in Docker's words. */
export function orRemoved<T>(live: () => T, removed: () => T): T {
  try {
    return live()
  } catch (error) {
    if (!isEngineError(error, 'notFound')) throw error
    try {
      return removed()
    } catch (inner) {
      throw isEngineError(inner, 'notFound') ? error : inner
    }
  }
}
