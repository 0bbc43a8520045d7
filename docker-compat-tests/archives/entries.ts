/** Entries of an archive in a form that two archives of the same files share. */

export interface Entry {
  name: string
  kind: string
  mode: string
  owner: string
  /** Seconds; fractions where the archive has them. */
  time: string
  target?: string
  device?: string
  size?: number
  sha256?: string
  /** Extended attributes, values in hexadecimal. */
  attributes?: Record<string, string>
}

/**
 * Sorted by name, `prefix` cut off. Directories are left out that only lead to a file, for an archive need not name them,
 * and fractions of seconds, for a container's archives have none. Hard links become files of the same content.
 */
export function canonical(entries: readonly Entry[], prefix = ''): Entry[] {
  const found = new Map<string, Entry>()
  for (const entry of entries) {
    const name = cleaned(entry.name, prefix)
    if (name === '') continue
    const linked = entry.kind === 'link' ? found.get(cleaned(entry.target ?? '', prefix)) : undefined
    found.delete(name)
    found.set(name, { ...(linked ?? entry), name, time: whole((linked ?? entry).time) })
  }
  const names = [...found.keys()]
  return [...found.values()]
    .filter(({ kind, name }) => kind !== 'directory' || !names.some((other) => other.startsWith(`${name}/`)))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

const cleaned = (name: string, prefix: string): string => {
  const parts: string[] = []
  const own = name === prefix.slice(0, -1) ? '' : name.startsWith(prefix) ? name.slice(prefix.length) : name
  for (const part of own.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return parts.join('/')
}

/** Before 1970 is 1970, as in Docker. */
const whole = (time: string): string => (time.startsWith('-') ? '0' : (time.split('.')[0] ?? ''))

/** dockerd's archives tell no attributes but capabilities. */
export const withoutUserAttributes = (entries: readonly Entry[]): Entry[] =>
  entries.map(({ attributes = {}, ...entry }) => {
    const kept = Object.entries(attributes).filter(([name]) => !name.startsWith('user.'))
    return { ...entry, ...(kept.length > 0 && { attributes: Object.fromEntries(kept) }) }
  })
