/** The engine's records in memory: rows are copied in and out, as a database does, and commits are counted. */

import type { ContainerRecord } from '../containers/container-record.ts'
import { conflict } from '../errors/engine-error.ts'
import type { ExecRecord } from '../exec/exec-record.ts'
import type { Records, RemovedRow, StoredEvent } from '../ports/records.ts'

export interface FakeRecords extends Records {
  /** One for each write outside a transaction, one for each outermost transaction. */
  commits: number
}

export function fakeRecords(): FakeRecords {
  let containers = new Map<string, ContainerRecord>()
  let execs = new Map<string, ExecRecord>()
  let removed = new Map<string, RemovedRow>()
  let events: StoredEvent[] = []
  let lastSequence = 0
  let depth = 0
  const values = new Map<string, string>()
  const write = (work: () => void) => {
    work()
    if (depth === 0) fake.commits += 1
  }
  const fake: FakeRecords = {
    commits: 0,
    insertContainer: (record) =>
      write(() => {
        const taken = containers.has(record.id) || [...containers.values()].some(({ name }) => name === record.name)
        if (taken) throw conflict(`container ${record.name} is recorded already`)
        containers.set(record.id, structuredClone(record))
      }),
    updateContainer: (record) =>
      write(() => {
        const { status, state } = containers.get(record.id) ?? record
        containers.set(record.id, structuredClone({ ...record, status, state }))
      }),
    updateContainerState: ({ id, status, state }) =>
      write(() => {
        const row = containers.get(id)
        if (row !== undefined) containers.set(id, structuredClone({ ...row, status, state }))
      }),
    deleteContainer: (id) => write(() => void containers.delete(id)),
    listContainers: () => [...containers.values()].map((row) => structuredClone(row)),
    putRemoved: (row) =>
      write(() => {
        removed.delete(row.id)
        removed.set(row.id, structuredClone(row))
      }),
    setRemovedLogBytes: (id, logBytes) =>
      write(() => {
        const row = removed.get(id)
        if (row !== undefined) removed.set(id, { ...row, logBytes })
      }),
    deleteRemoved: (id) => write(() => void removed.delete(id)),
    getRemoved: (id) => structuredClone(removed.get(id)),
    listRemoved: () => [...removed.values()].map(({ record: _record, ...entry }) => entry),
    putExec: (record) => write(() => void execs.set(record.id, structuredClone(record))),
    deleteExec: (id) => write(() => void execs.delete(id)),
    deleteExecsOf: (containerId) =>
      write(() => {
        for (const [id, row] of execs) if (row.containerId === containerId) execs.delete(id)
      }),
    listExecs: () => [...execs.values()].map((row) => structuredClone(row)),
    appendEvents: (added) =>
      write(() => {
        events.push(...added.map((event) => ({ ...event, attributes: { ...event.attributes } })))
        lastSequence = events.at(-1)?.sequence ?? lastSequence
      }),
    lastEventSequence: () => lastSequence,
    readEvents: ({ sinceNs, untilNs, afterSequence = 0, limit }) =>
      events
        .filter(
          (event) =>
            event.sequence > afterSequence &&
            (sinceNs === undefined || event.timeNs >= sinceNs) &&
            (untilNs === undefined || event.timeNs <= untilNs),
        )
        .slice(0, limit),
    countEvents: () => events.length,
    getValue: (key) => values.get(key),
    setValue: (key, value) => write(() => void values.set(key, value)),
    transaction: (work) => {
      const before = {
        ...{ containers: new Map(containers), removed: new Map(removed) },
        ...{ execs: new Map(execs), events: [...events] },
      }
      depth += 1
      try {
        const result = work()
        if (depth === 1) fake.commits += 1
        return result
      } catch (error) {
        if (depth === 1) ({ containers, removed, execs, events } = before)
        throw error
      } finally {
        depth -= 1
      }
    },
  }
  return fake
}
