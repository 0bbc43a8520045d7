/** Reads /proc/self/mountinfo (https://man7.org/linux/man-pages/man5/proc_pid_mountinfo.5.html). */
import { readFile } from 'node:fs/promises'

export interface MountEntry {
  mountPoint: string
  fsType: string
  source: string
  /** Takes part in propagation as a peer, or receives it. */
  shared: boolean
  slave: boolean
}

export async function readMountTable(): Promise<MountEntry[]> {
  return parseMountTable(await readFile('/proc/self/mountinfo', 'utf8'))
}

/** In the order of the table: a later entry at the same place covers the earlier one. */
export function parseMountTable(text: string): MountEntry[] {
  const entries: MountEntry[] = []
  for (const line of text.split('\n')) {
    const fields = line.split(' ')
    const separator = fields.indexOf('-', 6)
    const mountPoint = fields[4]
    if (separator < 0 || mountPoint === undefined) continue
    const optional = fields.slice(6, separator)
    entries.push({
      mountPoint: unescapeOctal(mountPoint),
      fsType: fields[separator + 1] ?? '',
      source: unescapeOctal(fields[separator + 2] ?? ''),
      shared: optional.some((field) => field.startsWith('shared:')),
      slave: optional.some((field) => field.startsWith('master:')),
    })
  }
  return entries
}

/** The kernel writes space, tab, newline and backslash as `\040` and so on, byte by byte. */
const unescapeOctal = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))

/** The mount that holds `path` (absolute, without links): the deepest one, the last of several at one place. */
export function mountHolding(table: readonly MountEntry[], path: string): MountEntry | undefined {
  let found: MountEntry | undefined
  for (const entry of table) {
    const holds = entry.mountPoint === '/' || path === entry.mountPoint || path.startsWith(`${entry.mountPoint}/`)
    if (holds && entry.mountPoint.length >= (found?.mountPoint.length ?? 0)) found = entry
  }
  return found
}
