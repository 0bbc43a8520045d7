/** `--userns-remap`: whose subordinate ids containers get, from /etc/subuid and /etc/subgid. */
import { readFileSync } from 'node:fs'
import { type IdMap, internal, invalidArgument } from '@dockerd-ts/core'

interface Account {
  name: string
  id: number
}

interface Range {
  first: number
  size: number
}

/** `user` or `user:group`, by name or number. Throws invalidArgument or internal. `etc` is for tests. */
export function readIdMap(option: string, etc = '/etc'): IdMap {
  const [userText = '', groupText, ...rest] = option.split(':')
  if (userText === '' || rest.length > 0 || groupText === '') {
    throw invalidArgument(`invalid user/group specification in --userns-remap: ${JSON.stringify(option)}`)
  }
  const user = account(`${etc}/passwd`, userText, 'username')
  // Without a group, the one of the same name, as Docker has it.
  const group = account(`${etc}/group`, groupText ?? user.name, 'groupname')
  const uids = ranges(`${etc}/subuid`, user)
  const gids = ranges(`${etc}/subgid`, group)
  if (uids.length === 0) throw internal(`Can't create ID mappings: no subuid ranges found for user "${user.name}"`)
  if (gids.length === 0) throw internal(`Can't create ID mappings: no subgid ranges found for group "${group.name}"`)
  const map: IdMap = {
    text: `${mapText(uids)}/${mapText(gids)}`,
    root: { uid: uids[0]?.first ?? 0, gid: gids[0]?.first ?? 0 },
  }
  if (map.root.uid === 0 || map.root.gid === 0) {
    throw internal('user namespaces: root cannot be remapped to itself: a range begins with 0')
  }
  return map
}

function account(file: string, text: string, what: 'username' | 'groupname'): Account {
  const wanted = /^\d+$/.test(text) ? Number(text) : undefined
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const [name = '', , id = ''] = line.split(':')
    if (/^\d+$/.test(id) && (wanted === undefined ? name === text : Number(id) === wanted))
      return { name, id: Number(id) }
  }
  const kind = what === 'username' ? 'user' : 'group'
  throw internal(`Error during ${what} lookup for ${JSON.stringify(text)}: no such ${kind}`)
}

/** The lowest first. */
function ranges(file: string, { name, id }: Account): Range[] {
  let text = ''
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw internal(`Can't create ID mappings: ${(error as Error).message}`, error)
  }
  const found = text.split('\n').flatMap((line) => {
    const [owner, first = '', size = ''] = line.trim().split(':')
    if (owner !== name && owner !== String(id)) return []
    if (!/^\d+$/.test(first) || !/^\d+$/.test(size)) throw internal(`${file}: cannot parse ${JSON.stringify(line)}`)
    return Number(size) > 0 ? [{ first: Number(first), size: Number(size) }] : []
  })
  return found.sort((a, b) => a.first - b.first)
}

/** Ranges one after the other, as the container counts its ids. */
function mapText(all: readonly Range[]): string {
  let inside = 0
  return all
    .map(({ first, size }) => {
      const line = `${inside} ${first} ${size}`
      inside += size
      return line
    })
    .join(',')
}
