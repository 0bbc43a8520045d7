/** Volumes in memory: the rules of names and options hold, nothing is on disk. */
import { notFound } from '../errors/engine-error.ts'
import type { VolumeRow, Volumes } from '../ports/storage.ts'
import { newId } from '../support/ids.ts'
import { anonymousLabel, checkVolumeDriver, checkVolumeName, checkVolumeOptions } from '../volumes/volume-rules.ts'
import { fakeVolumeRecords } from './fake-volume-records.ts'

export interface FakeVolumes extends Volumes {
  /** `mount name container`, `unmount …`, `copyUp name root destination`, in order. */
  readonly calls: string[]
  /** Bytes that `sizeBytes` answers, by name. */
  readonly sizes: Map<string, number>
}

export function fakeVolumes(): FakeVolumes {
  const records = fakeVolumeRecords()
  const calls: string[] = []
  const sizes = new Map<string, number>()
  let created = 1_700_000_000_000_000_000n
  const get = (name: string): VolumeRow => {
    const row = records.getVolume(name)
    if (!row) throw notFound(`get ${name}: no such volume`)
    return row
  }
  const mountpoint = (name: string) => `/volumes/${name}/_data`
  return {
    calls,
    sizes,
    get,
    mountpoint,
    list: () => records.listVolumes(),
    create: async ({ name = '', driver = '', labels = {}, options = {} }) => {
      const anonymous = name === ''
      const existing = records.getVolume(name)
      checkVolumeDriver(name, driver)
      if (existing) return existing
      if (!anonymous) checkVolumeName(name)
      checkVolumeOptions(name, options)
      created += 1n
      const row: VolumeRow = {
        name: name || newId(),
        driver: 'local',
        createdAtNs: String(created),
        labels: anonymous ? { [anonymousLabel]: '', ...labels } : labels,
        options,
        anonymous,
      }
      records.putVolume(row)
      return row
    },
    remove: async (name) => {
      get(name)
      records.deleteVolume(name)
    },
    mount: async (name, containerId, subpath) => {
      get(name)
      calls.push(`mount ${name} ${containerId}`)
      return subpath ? `${mountpoint(name)}/${subpath}` : mountpoint(name)
    },
    unmount: async (name, containerId) => void calls.push(`unmount ${name} ${containerId}`),
    copyUp: async (name, { rootFilesystem, destination }) =>
      void calls.push(`copyUp ${name} ${rootFilesystem} ${destination}`),
    sizeBytes: async (name) => sizes.get(name) ?? 0,
  }
}
