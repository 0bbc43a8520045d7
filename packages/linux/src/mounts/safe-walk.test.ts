import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import t from 'tap'
import { walkTree } from './safe-walk.ts'

function temporary(t: { teardown(work: () => void): unknown }): string {
  const directory = realpathSync(mkdtempSync(path.join(tmpdir(), 'walk-')))
  t.teardown(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

async function paths(root: string): Promise<string[]> {
  const found: string[] = []
  for await (const entry of walkTree(root)) found.push(entry.path)
  return found
}

t.test('entries come parents first, siblings in byte order, links unfollowed', async (t) => {
  const root = temporary(t)
  execFileSync('sh', ['-ec', 'mkdir -p b/c a; touch b/c/f b/.h B "é" z; ln -s / b/link; ln -s b a/dir'], { cwd: root })
  t.strictSame(await paths(root), ['B', 'a', 'b', 'z', 'é', 'a/dir', 'b/.h', 'b/c', 'b/link', 'b/c/f'])
  t.strictSame(await paths(path.join(root, 'a')), ['dir'])
})

t.test('more entries than are looked at together', async (t) => {
  const root = temporary(t)
  for (let index = 0; index < 200; index++) writeFileSync(path.join(root, String(index).padStart(3, '0')), '')
  t.equal((await paths(root)).length, 200)
})

t.test('a tree whose directories are swapped for links meanwhile is never left', async (t) => {
  const directory = temporary(t)
  const root = path.join(directory, 'root')
  mkdirSync(path.join(root, 'd/e'), { recursive: true })
  writeFileSync(path.join(root, 'd/e/inside'), '')
  mkdirSync(path.join(directory, 'host/e'), { recursive: true })
  writeFileSync(path.join(directory, 'host/e/secret'), '')
  // Both forms exist in turn, some thousand times a second.
  const script = [
    'import os',
    'os.symlink("../host", "link")',
    'while True:',
    '    os.rename("d", "real"); os.rename("link", "d"); os.rename("d", "link"); os.rename("real", "d")',
  ].join('\n')
  const racer = spawn('python3', ['-c', script], { cwd: root, stdio: 'ignore' })
  t.teardown(() => racer.kill('SIGKILL'))
  let [inside, asLink] = [0, 0]
  // Until both forms were met often: the racer takes a while to start.
  while (inside < 50 || asLink < 50) {
    const found: string[] = []
    for await (const { path: entry, stat } of walkTree(root)) {
      found.push(entry)
      if (entry === 'd' && stat.isSymbolicLink()) asLink += 1
    }
    if (found.some((entry) => entry.endsWith('secret'))) return t.fail(`left the tree: ${found}`)
    if (found.includes('d/e/inside')) inside += 1
  }
  t.pass('it met the link and the directory')
})
