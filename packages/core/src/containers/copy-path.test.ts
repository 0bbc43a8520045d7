import t from 'tap'
import { baseName, copyPath, goFileMode, pathStat, tarPrefix } from './copy-path.ts'

t.test('paths are made absolute and clean; what asks for the content of a directory stays', async (t) => {
  const cases: [asked: string, path: string, name: string, prefix: string][] = [
    ['/', '/', '/', '/'],
    ['.', '/.', '.', './'],
    ['etc', '/etc', 'etc', 'etc/'],
    ['/etc/', '/etc/', 'etc', 'etc/'],
    ['/etc/.', '/etc/.', '.', './'],
    ['/etc/./', '/etc/./', '.', './'],
    ['//etc//passwd', '/etc/passwd', 'passwd', 'passwd/'],
    ['/etc/../bin/sh', '/bin/sh', 'sh', 'sh/'],
    ['/../../etc', '/etc', 'etc', 'etc/'],
  ]
  for (const [asked, path, name, prefix] of cases) {
    t.equal(copyPath(asked), path, `path of ${asked}`)
    t.equal(baseName(copyPath(asked)), name, `name of ${asked}`)
    t.equal(tarPrefix(copyPath(asked)), prefix, `prefix of ${asked}`)
  }
})

t.test('modes are Go’s: type and special bits in their own places', async (t) => {
  const cases: [mode: number, goMode: number][] = [
    [0o100644, 0o644],
    [0o104755, 0o755 + 2 ** 23],
    [0o102755, 0o755 + 2 ** 22],
    [0o041777, 0o777 + 2 ** 31 + 2 ** 20],
    [0o120777, 134_218_239],
    [0o020644, 69_206_436],
    [0o060644, 0o644 + 2 ** 26],
    [0o010644, 33_554_852],
    [0o140755, 0o755 + 2 ** 24],
  ]
  for (const [mode, goMode] of cases) t.equal(goFileMode(mode), goMode, mode.toString(8))
})

t.test('the stat in the header', async (t) => {
  const stat = { sizeBytes: 5, mode: 0o120777, mtimeNs: '1500000000', linkTarget: '/data' }
  t.same(pathStat('/dl', stat), {
    name: 'dl',
    size: 5,
    mode: 134_218_239,
    mtime: '1970-01-01T00:00:01.5Z',
    linkTarget: '/data',
  })
})
