import { execFileSync } from 'node:child_process'
import t from 'tap'
import { filesystemName, storageStatus } from './storage-status.ts'

t.test('the backing filesystem is the one that the kernel names', async (t) => {
  for (const path of ['/', '/dev/shm']) {
    const kernel = execFileSync('stat', ['-f', '-c', '%T', path], { encoding: 'utf8' }).trim()
    const names: Record<string, string> = { 'ext2/ext3': 'extfs', overlayfs: 'overlayfs' }
    t.equal(storageStatus(path)[0]?.[1], names[kernel] ?? kernel, path)
  }
})

t.test('a filesystem without a name is said to be unknown', async (t) => {
  t.equal(filesystemName(1), '<unknown>')
})
