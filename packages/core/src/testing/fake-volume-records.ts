/** Rows of volumes in memory. */
import type { VolumeRecords, VolumeRow } from '../ports/storage.ts'

export function fakeVolumeRecords(): VolumeRecords {
  const rows = new Map<string, VolumeRow>()
  return {
    // Copies both ways: a caller that changes its row later has not changed the stored one.
    putVolume: (volume) => void rows.set(volume.name, structuredClone(volume)),
    getVolume: (name) => structuredClone(rows.get(name)),
    listVolumes: () => [...rows.values()].sort((a, b) => (a.name < b.name ? -1 : 1)).map((row) => structuredClone(row)),
    deleteVolume: (name) => void rows.delete(name),
  }
}
