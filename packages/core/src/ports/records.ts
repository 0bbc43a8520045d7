/**
 * What the engine keeps about containers, execs and events between two lives of the daemon; implemented by the store.
 * All calls are synchronous and short: nothing awaits inside a transaction, and none spans a host command.
 *
 * Life: the daemon reads everything once at start; after that the records in memory are the ones that are asked, and
 * each change is written through. `transaction` joins several writes (a status and the events that tell of it) into one
 * commit.
 */
import type { ContainerRecord } from '../containers/container-record.ts'
import type { ExecRecord } from '../exec/exec-record.ts'

export interface ContainerRecords {
  /** Throws conflict when the id or the name is taken. */
  insertContainer(record: ContainerRecord): void
  /** Everything but the status and the runtime state: after rename, update, a first start. */
  updateContainer(record: ContainerRecord): void
  /** Status and runtime state only: the small write of every transition. */
  updateContainerState(record: Pick<ContainerRecord, 'id' | 'status' | 'state'>): void
  deleteContainer(id: string): void
  listContainers(): ContainerRecord[]
}

/** What is kept of a container that was removed. */
export interface RemovedEntry {
  id: string
  name: string
  /** Unix nanoseconds as decimal digits. */
  removedAtNs: string
  /** Of its log files, once they were moved. */
  logBytes: number
  /** Of the record as JSON. */
  recordBytes: number
}

export interface RemovedRow extends RemovedEntry {
  record: ContainerRecord
}

export interface RemovedRecords {
  /** Takes the place of an earlier one of the same id. */
  putRemoved(row: RemovedRow): void
  setRemovedLogBytes(id: string, logBytes: number): void
  deleteRemoved(id: string): void
  getRemoved(id: string): RemovedRow | undefined
  /** Oldest removal first. */
  listRemoved(): RemovedEntry[]
}

export interface ExecRecords {
  putExec(record: ExecRecord): void
  deleteExec(id: string): void
  deleteExecsOf(containerId: string): void
  listExecs(): ExecRecord[]
}

/** An event as it is kept: everything that the wire message is made from. */
export interface StoredEvent {
  /** Strictly growing, never reused; given by the event bus. */
  sequence: number
  timeNs: bigint
  type: string
  action: string
  actorId: string
  attributes: Readonly<Record<string, string>>
}

export interface EventRecords {
  /** Oldest events are dropped beyond the store's bounds of count and size. */
  appendEvents(events: readonly StoredEvent[]): void
  /** 0 when there was never one. */
  lastEventSequence(): number
  /** Ascending by sequence, `sinceNs` ≤ time ≤ `untilNs`, at most `limit`; `afterSequence` pages on. */
  readEvents(query: { sinceNs?: bigint; untilNs?: bigint; afterSequence?: number; limit: number }): StoredEvent[]
  countEvents(): number
}

export interface EngineValues {
  getValue(key: string): string | undefined
  setValue(key: string, value: string): void
}

export interface Records extends ContainerRecords, RemovedRecords, ExecRecords, EventRecords, EngineValues {
  /** All writes of `work` in one commit; `work` cannot await. Nested calls join the outer one. */
  transaction<T>(work: () => T extends Promise<unknown> ? never : T): T
}
