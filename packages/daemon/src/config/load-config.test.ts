import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { parseCommandLine } from './command-line.ts'
import { checkFlags, mergeConfig, readConfigFile } from './load-config.ts'

const directory = mkdtempSync(join(tmpdir(), 'dts-config-'))
t.teardown(() => rmSync(directory, { recursive: true }))
function file(content: string): string {
  const path = join(directory, `${Math.random()}.json`)
  writeFileSync(path, content)
  return path
}

t.test('a directive that no option has is named, as dockerd names it', async (t) => {
  t.throws(() => readConfigFile(file('{"no-such-thing": 1}'), true), {
    message: /the following directives don't match any configuration option: no-such-thing$/,
  })
})

t.test('a wrong type, broken JSON and a missing named file are errors; an unnamed missing file is not', async (t) => {
  t.throws(() => readConfigFile(file('{"debug": "yes"}'), true), { message: /debug: / })
  t.throws(() => readConfigFile(file('{'), true), { message: /unable to configure the Docker daemon with file/ })
  t.throws(() => readConfigFile(join(directory, 'none.json'), true), { message: /no such file/ })
  t.same(readConfigFile(join(directory, 'none.json'), false), {})
  t.same(readConfigFile(file(''), true), {})
})

t.test('the same directive as flag and in the file is refused', async (t) => {
  t.throws(() => mergeConfig({ bridge: 'a' }, { bridge: 'b' }), {
    message: /specified both as a flag and in the configuration file: bridge: \(from flag: "a", from file: "b"\)/,
  })
})

t.test('runtimes of both are joined, debug raises the log level', async (t) => {
  const config = mergeConfig({ debug: true, runtimes: { a: { path: '/a' } } }, { runtimes: { b: { path: '/b' } } })
  t.same(Object.keys(config.runtimes ?? {}).sort(), ['a', 'b'])
  t.equal(config['log-level'], 'debug')
})

t.test("flags take dockerd's names and shapes", async (t) => {
  const { flags, configFileNamed } = parseCommandLine(
    [
      '-H',
      'unix:///a',
      '--host=fd://',
      '--icc=false',
      '-D',
      '--log-opt',
      'max-size=1m',
      '--add-runtime',
      'x=/bin/x',
      '--default-shm-size',
      '1g',
      '--default-ulimit',
      'nofile=10:20',
      '--mtu',
      '1400',
    ],
    '0',
  )
  t.same(flags, {
    hosts: ['unix:///a', 'fd://'],
    icc: false,
    debug: true,
    'log-opts': { 'max-size': '1m' },
    runtimes: { x: { path: '/bin/x' } },
    'default-shm-size': 1024 ** 3,
    'default-ulimits': { nofile: { Name: 'nofile', Soft: 10, Hard: 20 } },
    mtu: 1400,
  })
  t.equal(configFileNamed, false)
})

t.test('values are checked in one place for flags and file', async (t) => {
  t.throws(() => checkFlags({ 'log-level': 'loud' }), { message: /--log-level/ })
  t.throws(() => mergeConfig({ 'exec-opts': ['native.cgroupdriver=other'] }, {}), { message: /invalid exec-opt/ })
  t.throws(() => mergeConfig({ labels: ['nokey'] }, {}), { message: 'bad attribute format: nokey' })
})
