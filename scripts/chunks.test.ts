import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { forgetOldChunks } from './chunks.ts'

t.test('the chunks of the build before are kept, older ones go', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'chunks-'))
  t.teardown(() => rmSync(directory, { recursive: true }))
  mkdirSync(join(directory, 'chunks'))
  const build = (...names: string[]) => {
    for (const name of names) writeFileSync(join(directory, 'chunks', name), name)
    forgetOldChunks(directory, ['dist/dockerd-ts.js', ...names.map((name) => `dist/chunks/${name}`)])
    return readdirSync(join(directory, 'chunks'))
      .filter((name) => name.endsWith('.js'))
      .sort()
  }
  writeFileSync(join(directory, 'chunks/a-0.js'), 'of a build that left no list')
  t.same(build('a-1.js', 'shared.js'), ['a-0.js', 'a-1.js', 'shared.js'])
  t.same(build('a-2.js', 'shared.js'), ['a-1.js', 'a-2.js', 'shared.js'])
  t.same(build('a-2.js', 'shared.js'), ['a-1.js', 'a-2.js', 'shared.js'], 'the same build again')
  t.same(build('a-3.js', 'shared.js'), ['a-2.js', 'a-3.js', 'shared.js'])
  t.same(build('a-4.js'), ['a-3.js', 'a-4.js', 'shared.js'])
  t.same(build('a-5.js'), ['a-4.js', 'a-5.js'])
})
