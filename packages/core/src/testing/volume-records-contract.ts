/** What every implementation of VolumeRecords promises; run on the fake and on the database. */
import type { VolumeRecords, VolumeRow } from '../ports/storage.ts'
import type { ContractTest } from './image-records-contract.ts'

const volume: VolumeRow = {
  name: 'data',
  driver: 'local',
  createdAtNs: '1700000000123456789',
  labels: { 'com.example': 'ä 🐳', empty: '' },
  options: { type: 'tmpfs', device: 'tmpfs', o: 'size=1m' },
  anonymous: false,
}
const anonymous: VolumeRow = { ...volume, name: 'a'.repeat(64), labels: {}, options: {}, anonymous: true }

/** `make` answers an empty store each time. */
export function volumeRecordsContract(test: ContractTest, make: () => VolumeRecords): void {
  test('a volume comes back as it was put', async (t) => {
    const records = make()
    records.putVolume(volume)
    records.putVolume(anonymous)
    t.same(records.getVolume(volume.name), volume)
    t.same(records.getVolume(anonymous.name), anonymous)
    t.equal(records.getVolume('other'), undefined)
    t.equal(records.getVolume('DATA'), undefined)
  })
  test('volumes are listed by name', async (t) => {
    const records = make()
    for (const name of ['b', 'B', 'a-1', 'a.0']) records.putVolume({ ...volume, name })
    t.same(
      records.listVolumes().map((row) => row.name),
      ['B', 'a-1', 'a.0', 'b'],
    )
  })
  test('a second put replaces the row', async (t) => {
    const records = make()
    records.putVolume(volume)
    records.putVolume({ ...anonymous, name: volume.name })
    t.same(records.listVolumes(), [{ ...anonymous, name: volume.name }])
  })
  test('a deleted volume is gone, and deleting it again is no error', async (t) => {
    const records = make()
    records.putVolume(volume)
    records.putVolume(anonymous)
    records.deleteVolume(volume.name)
    records.deleteVolume(volume.name)
    t.equal(records.getVolume(volume.name), undefined)
    t.same(records.listVolumes(), [anonymous])
  })
  test('a row that the caller changes later is not changed in the store', async (t) => {
    const records = make()
    const row = structuredClone(volume)
    records.putVolume(row)
    row.labels.late = 'x'
    t.same(records.getVolume(volume.name), volume)
  })
}
