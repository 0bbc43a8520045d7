import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { compileCacheDirectory } from './compile-cache.ts'

function temporaryHome(t: Test): string {
  const home = mkdtempSync(join(tmpdir(), 'home-'))
  t.teardown(() => rmSync(home, { recursive: true }))
  return home
}

t.test('compiled code is kept below the home of the user', async (t) => {
  const home = temporaryHome(t)
  t.equal(compileCacheDirectory({ HOME: home }), join(home, '.cache/docker-ts'))
  mkdirSync(join(home, '.cache'), { mode: 0o700 })
  t.equal(compileCacheDirectory({ HOME: home }), join(home, '.cache/docker-ts'))
  t.equal(compileCacheDirectory({ HOME: '/nonexistent', XDG_CACHE_HOME: home }), join(home, 'docker-ts'))
})

t.test('but nowhere others can write, nor in the home of another user', async (t) => {
  const home = temporaryHome(t)
  t.equal(compileCacheDirectory({ HOME: home }, 12345), undefined)
  chmodSync(home, 0o777)
  t.equal(compileCacheDirectory({ HOME: home }), undefined)
  t.equal(compileCacheDirectory({ HOME: '/nonexistent' }), undefined)
  t.equal(compileCacheDirectory({}), undefined)
})
