import t from 'tap'
import { resolveUser } from './resolve-user.ts'

const files = {
  passwdText: 'root:x:0:0:root:/root:/bin/sh\nalice:x:1000:1000::/home/alice:/bin/sh\nbob:x:1001:100::/home:/bin/sh\n',
  groupText: 'root:x:0:\nusers:x:100:alice,bob\nwheel:x:10:root,alice\nalice:x:1000:\n',
}
const home = (path: string, ids: { uid: number; gid: number; additionalGids: number[] }) => ({ ...ids, home: path })

t.test('names, numbers and both, as dockerd resolves them', async (t) => {
  const cases: [string, string[], ReturnType<typeof home>][] = [
    ['', [], home('/root', { uid: 0, gid: 0, additionalGids: [0, 10] })],
    ['alice', [], home('/home/alice', { uid: 1000, gid: 1000, additionalGids: [1000, 100, 10] })],
    ['alice:', [], home('/home/alice', { uid: 1000, gid: 1000, additionalGids: [1000, 100, 10] })],
    ['1000', [], home('/home/alice', { uid: 1000, gid: 1000, additionalGids: [1000, 100, 10] })],
    ['alice:wheel', ['users', '4242'], home('/home/alice', { uid: 1000, gid: 10, additionalGids: [10, 100, 4242] })],
    ['1000:77', [], home('/home/alice', { uid: 1000, gid: 77, additionalGids: [77] })],
    [':10', [], home('/root', { uid: 0, gid: 10, additionalGids: [10] })],
    ['4711', [], home('/', { uid: 4711, gid: 0, additionalGids: [0] })],
    ['+5', [], home('/', { uid: 5, gid: 0, additionalGids: [0] })],
  ]
  for (const [spec, groupAdd, expected] of cases) t.strictSame(resolveUser(files, spec, groupAdd), expected, spec)
})

t.test('what cannot be resolved is refused in dockerd’s words', async (t) => {
  const cases: [string, string[], string][] = [
    ['nobody', [], 'unable to find user nobody: no matching entries in passwd file'],
    ['a b', [], 'unable to find user a b: no matching entries in passwd file'],
    ['alice:nogrp', [], 'unable to find group nogrp: no matching entries in group file'],
    ['', ['nogrp'], 'Unable to find group nogrp: no matching entries in group file'],
    ['99999999999', [], 'uids and gids must be in range 0-2147483647'],
    ['-1', [], 'uids and gids must be in range 0-2147483647'],
    ['', ['-3'], 'uids and gids must be in range 0-2147483647'],
  ]
  for (const [spec, groupAdd, message] of cases) {
    t.throws(() => resolveUser(files, spec, groupAdd), { kind: 'internal', message }, spec)
  }
})

t.test('an image without passwd and group files runs as root', async (t) => {
  const nothing = { passwdText: '', groupText: '' }
  t.strictSame(resolveUser(nothing, ''), home('/', { uid: 0, gid: 0, additionalGids: [0] }))
  t.strictSame(resolveUser(nothing, '1:2'), home('/', { uid: 1, gid: 2, additionalGids: [2] }))
})

t.test('a user whose name is a number is not found by it', async (t) => {
  const tricky = { passwdText: '1000:x:5:5::/five:/bin/sh\n', groupText: '' }
  t.equal(resolveUser(tricky, '1000').uid, 1000)
})
