import t from 'tap'
import { mountHolding, parseMountTable, readMountTable } from './mount-table.ts'

const table = parseMountTable(
  [
    '22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw',
    '30 22 0:27 / /mnt/with\\040blank rw master:7 - tmpfs tmpfs rw',
    '31 22 0:28 / /mnt/both rw shared:9 master:7 - tmpfs a\\134b rw',
    '32 22 0:29 / /mnt/private rw - overlay overlay rw,lowerdir=a:b - x',
    '33 32 0:30 / /mnt/private rw shared:3 - tmpfs tmpfs rw',
    'noise',
    '',
  ].join('\n'),
)

t.test('the table is read with escapes and propagation', async (t) => {
  t.strictSame(
    table.map(({ mountPoint, fsType, source, shared, slave }) => [mountPoint, fsType, source, shared, slave]),
    [
      ['/', 'ext4', '/dev/vda', true, false],
      ['/mnt/with blank', 'tmpfs', 'tmpfs', false, true],
      ['/mnt/both', 'tmpfs', 'a\\b', true, true],
      ['/mnt/private', 'overlay', 'overlay', false, false],
      ['/mnt/private', 'tmpfs', 'tmpfs', true, false],
    ],
  )
})

t.test('a path lies on the deepest mount, the last of several at one place', async (t) => {
  const at = (path: string) => mountHolding(table, path)
  t.equal(at('/mnt/with blank/x')?.mountPoint, '/mnt/with blank')
  t.equal(at('/mnt/private/x')?.fsType, 'tmpfs')
  t.equal(at('/mnt/privateer')?.mountPoint, '/')
})

t.test('this machine’s own table has a root', async (t) => {
  t.ok((await readMountTable()).some((entry) => entry.mountPoint === '/'))
})
