import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { readIdMap } from './id-ranges.ts'

const etc = mkdtempSync(join(tmpdir(), 'dts-etc-'))
t.teardown(() => rmSync(etc, { recursive: true }))
const files = {
  passwd: 'root:x:0:0::/:\none:x:1000:1001::/:\nzero:x:1002:1002::/:\nbad:x:1003:1003::/:\nbare:x:1004:1004::/:\n',
  group: 'root:x:0:\none:x:1001:\ntwo:x:1002:\nzero:x:1003:\nbad:x:1004:\nbare:x:1005:\n',
  subuid: 'one:300000:1000\nother:1:1\none:200000:65536\nzero:0:100\nbad:x:1\n',
  subgid: 'one:400000:65536\n1002:500000:65536\nzero:0:100\n',
}
for (const [name, text] of Object.entries(files)) writeFileSync(join(etc, name), text)

t.test('ranges of a user and a group, by name or number, in the order of their numbers', async (t) => {
  const uids = '0 200000 65536,65536 300000 1000'
  const one = { text: `${uids}/0 400000 65536`, root: { uid: 200_000, gid: 400_000 } }
  t.strictSame(readIdMap('one', etc), one)
  t.strictSame(readIdMap('1000', etc), one)
  t.strictSame(readIdMap('1000:1001', etc), one)
  const two = { text: `${uids}/0 500000 65536`, root: { uid: 200_000, gid: 500_000 } }
  t.strictSame(readIdMap('one:two', etc), two)
  t.strictSame(readIdMap('one:1002', etc), two)
})

t.test('what cannot be mapped is told', async (t) => {
  const refuses = (option: string, message: RegExp) => t.throws(() => readIdMap(option, etc), { message }, option)
  refuses('', /^invalid user\/group specification in --userns-remap: ""/)
  refuses('one:two:three', /^invalid user\/group specification/)
  refuses('nobody-here', /^Error during username lookup for "nobody-here": no such user$/)
  refuses('one:none', /^Error during groupname lookup for "none": no such group$/)
  refuses('bare', /^Can't create ID mappings: no subuid ranges found for user "bare"$/)
  refuses('one:bad', /^Can't create ID mappings: no subgid ranges found for group "bad"$/)
  refuses('zero', /root cannot be remapped to itself/)
  refuses('bad', /subuid: cannot parse "bad:x:1"/)
})
