/** Volumes by name. */
import type { VolumeRecords, VolumeRow } from '@dockerd-ts/core'
import type { Connection } from './database.ts'
import { jsonTable } from './json-table.ts'

export function volumeRecords(connection: Connection): VolumeRecords {
  const volumes = jsonTable<VolumeRow>(connection, 'volumes', 'name')
  return {
    putVolume: (volume) => volumes.put(volume.name, volume),
    getVolume: (name) => volumes.get(name),
    listVolumes: () => volumes.list(),
    deleteVolume: (name) => volumes.delete(name),
  }
}
