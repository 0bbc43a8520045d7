/** The options of a local volume (`type`, `device`, `o`) as a mount request: mount(8)'s words as flags, the rest as data. */
import type { MountRequest } from '@dockerd-ts/core'

/** Word of `o` → flag of the helper, and its bit in mount(2), which error texts show. */
const setting: Readonly<Record<string, { flags: readonly string[]; bits: number }>> = {
  ro: { flags: ['rdonly'], bits: 0x1 },
  nosuid: { flags: ['nosuid'], bits: 0x2 },
  nodev: { flags: ['nodev'], bits: 0x4 },
  noexec: { flags: ['noexec'], bits: 0x8 },
  sync: { flags: ['synchronous'], bits: 0x10 },
  mand: { flags: ['mandlock'], bits: 0x40 },
  dirsync: { flags: ['dirsync'], bits: 0x80 },
  noatime: { flags: ['noatime'], bits: 0x400 },
  nodiratime: { flags: ['nodiratime'], bits: 0x800 },
  bind: { flags: ['bind'], bits: 0x1000 },
  rbind: { flags: ['bind', 'rec'], bits: 0x5000 },
  private: { flags: ['private'], bits: 0x40000 },
  rprivate: { flags: ['private', 'rec'], bits: 0x44000 },
  slave: { flags: ['slave'], bits: 0x80000 },
  rslave: { flags: ['slave', 'rec'], bits: 0x84000 },
  shared: { flags: ['shared'], bits: 0x100000 },
  rshared: { flags: ['shared', 'rec'], bits: 0x104000 },
  relatime: { flags: ['relatime'], bits: 0x200000 },
  strictatime: { flags: ['strictatime'], bits: 0x1000000 },
}

const clearing: Readonly<Record<string, string>> = {
  rw: 'ro',
  suid: 'nosuid',
  dev: 'nodev',
  exec: 'noexec',
  async: 'sync',
  nomand: 'mand',
  atime: 'noatime',
  diratime: 'nodiratime',
  norelatime: 'relatime',
  nostrictatime: 'strictatime',
}

export interface VolumeMount {
  flags: string[]
  /** The same as mount(2) takes them. */
  flagBits: number
  /** What only the file system understands. */
  data: string
}

export function parseMountWords(words: string): VolumeMount {
  const set = new Set<string>()
  const data: string[] = []
  for (const word of words.split(',')) {
    if (word === '' || word === 'defaults') continue
    if (setting[word]) set.add(word)
    else if (clearing[word]) set.delete(clearing[word])
    else data.push(word)
  }
  const chosen = [...set].flatMap((word) => setting[word] ?? [])
  return {
    flags: [...new Set(chosen.flatMap(({ flags }) => flags))],
    flagBits: chosen.reduce((sum, { bits }) => sum | bits, 0),
    data: data.join(','),
  }
}

/** `resolve` turns a host name into an address: the kernel's NFS and CIFS clients take only those. */
export async function volumeMountRequest(
  options: Readonly<Record<string, string>>,
  target: string,
  resolve: (host: string) => Promise<string>,
): Promise<MountRequest & { flagBits: number }> {
  const type = options.type ?? ''
  const { flags, flagBits, data } = parseMountWords(options.o ?? '')
  return {
    source: options.device ?? '',
    target,
    ...(type !== '' && { fsType: type }),
    flags,
    flagBits,
    ...(data !== '' && { data: await withAddress(type, data, resolve) }),
  }
}

const networkTypes = new Set(['nfs', 'nfs4', 'cifs'])

async function withAddress(type: string, data: string, resolve: (host: string) => Promise<string>): Promise<string> {
  if (!networkTypes.has(type)) return data
  const words = data.split(',').map(async (word) => {
    const host = /^addr=(.+)$/.exec(word)?.[1]
    return host === undefined ? word : `addr=${await resolve(host)}`
  })
  return (await Promise.all(words)).join(',')
}
