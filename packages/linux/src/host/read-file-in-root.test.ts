import { execFileSync } from 'node:child_process'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { readFileInRoot } from './read-file-in-root.ts'

const limit = 1000

t.test('reads files by every honest way', async (t) => {
  const root = t.testdir({ etc: { passwd: 'inside' }, usr: { etc: { group: 'groups' } }, deep: { a: {} } })
  symlinkSync('/usr/etc/group', join(root, 'etc/group'))
  symlinkSync('../../etc', join(root, 'deep/a/up'))
  t.equal(readFileInRoot(root, '/etc/passwd', limit), 'inside')
  t.equal(readFileInRoot(root, 'etc/./../etc//passwd', limit), 'inside')
  t.equal(readFileInRoot(root, '/etc/group', limit), 'groups', 'an absolute link starts at the root')
  t.equal(readFileInRoot(root, '/deep/a/up/passwd', limit), 'inside')
  t.equal(readFileInRoot(root, '/etc/passwd', 3), 'ins', 'no more than was asked for')
  t.equal(readFileInRoot(root, '/etc/shadow', limit), undefined)
  t.equal(readFileInRoot(root, '/etc/passwd/x', limit), undefined)
})

t.test('is not led out of the root', async (t) => {
  const outer = t.testdir({ secret: 'outside', root: { etc: {} } })
  const root = join(outer, 'root')
  symlinkSync('../../../../../../secret', join(root, 'etc/passwd'))
  symlinkSync(join(outer, 'secret'), join(root, 'etc/group'))
  symlinkSync('..', join(root, 'up'))
  t.equal(readFileInRoot(root, '/etc/passwd', limit), undefined)
  t.equal(readFileInRoot(root, '/etc/group', limit), undefined)
  t.equal(readFileInRoot(root, '/up/secret', limit), undefined)
  t.equal(readFileInRoot(root, '../../../secret', limit), undefined)
  writeFileSync(join(root, 'secret'), 'inside')
  t.equal(readFileInRoot(root, '/etc/passwd', limit), 'inside', 'the root is its own parent')
})

t.test('does not hang on what is no regular file', async (t) => {
  const root = t.testdir({})
  execFileSync('mkfifo', [join(root, 'fifo')])
  mkdirSync(join(root, 'directory'))
  symlinkSync('loop', join(root, 'loop'))
  t.equal(readFileInRoot(root, '/fifo', limit), undefined)
  t.equal(readFileInRoot(root, '/directory', limit), undefined)
  t.equal(readFileInRoot(root, '/loop', limit), undefined)
})
