/** What every implementation of Records promises; run on the fake and on the database. */
import { type ContainerRecord, initialState } from '../containers/container-record.ts'
import type { ExecRecord } from '../exec/exec-record.ts'
import type { Records, RemovedRow, StoredEvent } from '../ports/records.ts'
import type { ContractTest } from './image-records-contract.ts'

const container: ContainerRecord = {
  id: 'a'.repeat(64),
  name: 'one',
  createdAtNs: '1800000000123456789',
  imageId: `sha256:${'b'.repeat(64)}`,
  platform: 'linux',
  config: { Image: 'busybox', Cmd: ['sh', 'ä 🐳'], Labels: { '': 'empty' } },
  hostConfig: { Memory: 2 ** 40, NetworkMode: 'bridge' },
  endpoints: { bridge: { Aliases: ['x'] } },
  mounts: [],
  status: 'created',
  state: initialState(),
}
const exec: ExecRecord = {
  id: 'e'.repeat(64),
  containerId: container.id,
  createdAtNs: '1',
  config: {
    command: ['true'],
    environment: [],
    user: '',
    workingDirectory: '',
    privileged: false,
    terminal: false,
    attachStdin: false,
    attachStdout: true,
    attachStderr: true,
    detachKeys: '',
  },
  status: 'running',
  pid: 7,
  startTimeTicks: 8,
  bootId: 'boot',
}
const event = (sequence: number): StoredEvent => ({
  sequence,
  timeNs: 1_800_000_000_000_000_000n + BigInt(sequence),
  type: 'container',
  action: 'start',
  actorId: container.id,
  attributes: { name: 'one', 'with "quotes"': 'ä' },
})

/** `make` answers an empty store each time. */
export function recordsContract(test: ContractTest, make: () => Records): void {
  test('a container comes back as it was put, whoever changes the object afterwards', async (t) => {
    const records = make()
    const mine = structuredClone(container)
    records.insertContainer(mine)
    mine.config.Image = 'changed'
    t.same(records.listContainers(), [container])
  })
  test('an id or a name is recorded once', async (t) => {
    const records = make()
    records.insertContainer(container)
    t.throws(() => records.insertContainer({ ...container, name: 'two' }))
    t.throws(() => records.insertContainer({ ...container, id: 'c'.repeat(64) }))
    records.insertContainer({ ...container, id: 'c'.repeat(64), name: 'two' })
    t.equal(records.listContainers().length, 2)
    records.deleteContainer(container.id)
    records.deleteContainer(container.id)
    t.same(
      records.listContainers().map(({ name }) => name),
      ['two'],
    )
  })
  test('the state and the definition of a container are written apart', async (t) => {
    const records = make()
    records.insertContainer(container)
    const running = { ...container, status: 'running' as const, state: { ...container.state, pid: 5 } }
    records.updateContainerState({ ...running, name: 'not written' } as ContainerRecord)
    t.same(records.listContainers(), [running])
    records.updateContainer({ ...container, name: 'renamed', status: 'dead' })
    t.same(records.listContainers(), [{ ...running, name: 'renamed' }])
  })
  test('execs belong to containers', async (t) => {
    const records = make()
    records.putExec(exec)
    records.putExec({ ...exec, status: 'exited', exitCode: 3 })
    t.same(records.listExecs(), [{ ...exec, status: 'exited', exitCode: 3 }])
    records.putExec({ ...exec, id: 'f'.repeat(64), containerId: 'other' })
    records.deleteExecsOf(container.id)
    t.same(
      records.listExecs().map(({ containerId }) => containerId),
      ['other'],
    )
    records.deleteExec('f'.repeat(64))
    t.same(records.listExecs(), [])
  })
  test('what is kept of removed containers: oldest first, one for an id, the record whole', async (t) => {
    const records = make()
    const row = (id: string, removedAtNs: string): RemovedRow => ({
      ...{ id, name: 'one', removedAtNs, logBytes: 0, recordBytes: 7, record: { ...container, id } },
    })
    records.putRemoved(row('b', '1800000000123456789'))
    records.putRemoved(row('a', '1800000000123456790'))
    records.setRemovedLogBytes('a', 5)
    records.setRemovedLogBytes('none', 5)
    t.same(
      records.listRemoved().map(({ id, removedAtNs, logBytes }) => [id, removedAtNs, logBytes]),
      [
        ['b', '1800000000123456789', 0],
        ['a', '1800000000123456790', 5],
      ],
    )
    t.same(records.getRemoved('b'), row('b', '1800000000123456789'))
    records.putRemoved(row('b', '1800000000123456799'))
    t.same(
      records.listRemoved().map(({ id }) => id),
      ['a', 'b'],
    )
    records.deleteRemoved('a')
    records.deleteRemoved('a')
    t.equal(records.getRemoved('a'), undefined)
    t.equal(records.listRemoved().length, 1)
  })
  test('events keep their order, their nanoseconds and their sequence', async (t) => {
    const records = make()
    t.equal(records.lastEventSequence(), 0)
    records.appendEvents([event(1), event(2), event(3)])
    records.appendEvents([event(4)])
    t.equal(records.lastEventSequence(), 4)
    t.equal(records.countEvents(), 4)
    const numbers = (query: Parameters<Records['readEvents']>[0]) =>
      records.readEvents(query).map(({ sequence }) => sequence)
    t.same(records.readEvents({ limit: 1 }), [event(1)])
    t.same(numbers({ limit: 9, sinceNs: event(2).timeNs, untilNs: event(3).timeNs }), [2, 3])
    t.same(numbers({ limit: 2, afterSequence: 1 }), [2, 3])
    t.same(numbers({ limit: 9, sinceNs: 2n ** 70n }), [])
  })
  test('values are kept by key', async (t) => {
    const records = make()
    t.equal(records.getValue('engine-id'), undefined)
    records.setValue('engine-id', 'x')
    records.setValue('engine-id', 'y')
    t.equal(records.getValue('engine-id'), 'y')
  })
  test('a transaction is all or nothing, and an inner one is part of the outer', async (t) => {
    const records = make()
    t.throws(() =>
      records.transaction(() => {
        records.insertContainer(container)
        records.transaction(() => records.appendEvents([event(1)]))
        throw new Error('half way')
      }),
    )
    t.same(records.listContainers(), [])
    t.equal(records.countEvents(), 0)
    const answer = records.transaction(() => {
      records.insertContainer(container)
      return 7
    })
    t.equal(answer, 7)
    t.equal(records.listContainers().length, 1)
  })
}
