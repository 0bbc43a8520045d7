/**
 * From `Config.User` and `HostConfig.GroupAdd` to numbers, by the container's own passwd and group files.
 * The rules are those of runc's user library, which dockerd uses; texts and cases were compared with dockerd 26.
 */
import { internal } from '../errors/engine-error.ts'
import type { OciUser } from './oci-types.ts'

export interface UserFiles {
  /** Content of /etc/passwd in the root filesystem; '' when there is none. */
  passwdText: string
  /** Content of /etc/group; '' when there is none. */
  groupText: string
}

export interface ResolvedUser extends OciUser {
  additionalGids: number[]
  /** Home directory from passwd, `/` without an entry. */
  home: string
}

interface PasswdEntry {
  name: string
  uid: number
  gid: number
  home: string
}

interface GroupEntry {
  name: string
  gid: number
  members: string[]
}

const maxId = 2 ** 31 - 1

/**
 * `userSpec` is `''`, `user`, `uid`, `user:group`, `uid:gid`, `:group`. The primary group comes first in
 * `additionalGids`, since the kernel's group list replaces it for access checks otherwise.
 * Throws internal (Docker's status is 500) in Docker's words for unknown names and numbers out of range.
 */
export function resolveUser(files: UserFiles, userSpec: string, groupAdd: readonly string[] = []): ResolvedUser {
  const [userName = '', groupName = ''] = userSpec.split(':')
  const user = findUser(files.passwdText, userName)
  const groups = parseGroups(files.groupText)
  let { gid } = user
  let supplementary: number[] = []
  if (groupName !== '') {
    gid = findGroup(groups, groupName, `unable to find group ${groupName}`)
  } else if (user.name !== undefined) {
    const name = user.name
    supplementary = groups.filter((group) => group.members.includes(name)).map((group) => group.gid)
  }
  const added = groupAdd.map((name) => findGroup(groups, name, `Unable to find group ${name}`))
  return { uid: user.uid, gid, additionalGids: [gid, ...supplementary, ...new Set(added)], home: user.home }
}

function findUser(passwdText: string, userName: string): { name?: string; uid: number; gid: number; home: string } {
  const uid = parseNumber(userName)
  // A number is always a uid, also when a user has it as a name.
  const matches = (entry: PasswdEntry) =>
    userName === '' ? entry.uid === 0 : uid === undefined ? entry.name === userName : entry.uid === uid
  const entry = parsePasswd(passwdText).find(matches)
  if (entry !== undefined) return entry
  if (userName === '') return { uid: 0, gid: 0, home: '/' }
  if (uid === undefined) {
    throw internal(`unable to find user ${userName}: no matching entries in passwd file`)
  }
  return { uid: checkRange(uid), gid: 0, home: '/' }
}

function findGroup(groups: readonly GroupEntry[], name: string, complaint: string): number {
  const gid = parseNumber(name)
  const group = groups.find((entry) => (gid === undefined ? entry.name === name : entry.gid === gid))
  if (group !== undefined) return group.gid
  if (gid === undefined) throw internal(`${complaint}: no matching entries in group file`)
  return checkRange(gid)
}

function checkRange(id: number): number {
  if (id < 0 || id > maxId) throw internal(`uids and gids must be in range 0-${maxId}`)
  return id
}

function parseNumber(text: string): number | undefined {
  return /^[+-]?\d+$/.test(text) ? Number(text) : undefined
}

function parsePasswd(text: string): PasswdEntry[] {
  return nonEmptyLines(text).map((line) => {
    const [name = '', , uid = '', gid = '', , home = ''] = line.split(':')
    return { name, uid: parseNumber(uid) ?? 0, gid: parseNumber(gid) ?? 0, home: home === '' ? '/' : home }
  })
}

function parseGroups(text: string): GroupEntry[] {
  return nonEmptyLines(text).map((line) => {
    const [name = '', , gid = '', members = ''] = line.split(':')
    return { name, gid: parseNumber(gid) ?? 0, members: members.split(',') }
  })
}

function nonEmptyLines(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
}
