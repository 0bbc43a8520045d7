/** The rows below `Storage Driver: overlay2` in `docker info`, with dockerd's names. */
import { statfsSync } from 'node:fs'

/** f_type of statfs(2), by dockerd's names. */
const filesystems: Readonly<Record<number, string>> = {
  61267: 'extfs',
  1481003842: 'xfs',
  2435016766: 'btrfs',
  801189825: 'zfs',
  16914836: 'tmpfs',
  4076150800: 'f2fs',
  2035054128: 'overlayfs',
  26985: 'nfs',
}

export function filesystemName(type: number): string {
  return filesystems[type] ?? '<unknown>'
}

/** `dataRoot` exists. The last three follow from how our overlays are mounted: see overlay-options.ts. */
export function storageStatus(dataRoot: string): readonly (readonly [string, string])[] {
  return [
    ['Backing Filesystem', filesystemName(statfsSync(dataRoot).type)],
    ['Using metacopy', 'false'],
    ['Native Overlay Diff', 'true'],
    ['userxattr', 'false'],
  ]
}
