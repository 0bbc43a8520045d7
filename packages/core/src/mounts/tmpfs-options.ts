/** Options of tmpfs mounts: from the API's fields, and merged with Docker's defaults for the OCI spec. */
import type * as wire from '@dockerd-ts/api'
import { invalidArgument } from '../errors/engine-error.ts'

const kibibyte = 1024
const units = [
  ['g', kibibyte ** 3],
  ['m', kibibyte ** 2],
  ['k', kibibyte],
] as const

/** `TmpfsOptions` of a mount as a comma-separated list, in the order in which Docker writes it. */
export function tmpfsOptionsOf(mount: wire.Mount): string {
  const options = mount.TmpfsOptions
  const words: string[] = mount.ReadOnly ? ['ro'] : []
  if (options?.Mode) words.push(`mode=${options.Mode.toString(8)}`)
  if (options?.SizeBytes) words.push(`size=${withUnit(options.SizeBytes)}`)
  for (const option of options?.Options ?? []) words.push(option.join('='))
  return words.join(',')
}

function withUnit(bytes: number): string {
  const unit = units.find(([, factor]) => bytes % factor === 0)
  return unit ? `${bytes / unit[1]}${unit[0]}` : String(bytes)
}

/** Flag words by what they set: a later word of the same group replaces an earlier one. */
const flagGroups: Readonly<Record<string, string>> = {
  ro: 'write',
  rw: 'write',
  suid: 'suid',
  nosuid: 'suid',
  dev: 'dev',
  nodev: 'dev',
  exec: 'exec',
  noexec: 'exec',
  sync: 'sync',
  async: 'sync',
  dirsync: 'dirsync',
  remount: 'remount',
  mand: 'mand',
  nomand: 'mand',
  atime: 'atime',
  noatime: 'atime',
  diratime: 'diratime',
  nodiratime: 'diratime',
  relatime: 'relatime',
  norelatime: 'relatime',
  strictatime: 'strictatime',
  nostrictatime: 'strictatime',
  bind: 'bind',
  rbind: 'bind',
  private: 'propagation',
  rprivate: 'propagation',
  shared: 'propagation',
  rshared: 'propagation',
  slave: 'propagation',
  rslave: 'propagation',
  unbindable: 'propagation',
  runbindable: 'propagation',
}

const valueOptions = new Set(['size', 'mode', 'uid', 'gid', 'nr_inodes', 'nr_blocks', 'mpol'])
const defaults = ['noexec', 'nosuid', 'nodev', 'rprivate']

/** The options of the OCI mount. Throws invalidArgument `invalid tmpfs option "x"`. */
export function mergeTmpfsOptions(options: string): string[] {
  const words = [...defaults, ...(options === '' ? [] : options.split(','))]
  const merged = new Map<string, string>()
  for (const word of words) {
    if (word === 'defaults') continue
    const group = flagGroups[word] ?? valueOption(word)
    merged.delete(group)
    merged.set(group, word)
  }
  return [...merged.values()]
}

function valueOption(word: string): string {
  const [key = '', value] = word.split('=', 2)
  if (value === undefined || !valueOptions.has(key))
    throw invalidArgument(`invalid tmpfs option ${JSON.stringify(word)}`)
  return `${key}=`
}
