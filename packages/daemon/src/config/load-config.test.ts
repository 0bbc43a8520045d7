import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { cdiDirectories } from './cdi-directories.ts'
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
  t.same(readConfigFile(join(directory, 'none.json'), false), { options: {}, warnings: [] })
  t.same(readConfigFile(file(''), true), { options: {}, warnings: [] })
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

t.test('directives of dockerd that are not served are refused by name, or taken with a warning', async (t) => {
  t.throws(() => readConfigFile(file('{"selinux-enabled": true}'), true), {
    message: /selinux-enabled is not served: /,
  })
  t.throws(() => readConfigFile(file('{"storage-driver": "btrfs"}'), true), {
    message: /storage driver "btrfs" is not served; overlay2 is the only one/,
  })
  t.same(readConfigFile(file('{"containerd": "/x.sock", "iptables": true}'), true), {
    options: {},
    warnings: ['containerd has no effect: there is no containerd below this engine'],
  })
})

t.test('proxies and host-gateway-ip have their own shapes in the file', async (t) => {
  const content = '{"proxies": {"http-proxy": "http://p:1", "no-proxy": "x"}, "host-gateway-ip": "10.0.0.1"}'
  t.same(readConfigFile(file(content), true).options, {
    'http-proxy': 'http://p:1',
    'no-proxy': 'x',
    'host-gateway-ips': ['10.0.0.1'],
  })
  t.throws(() => readConfigFile(file('{"proxies": {"ftp-proxy": "x"}}'), true), { message: /ftp-proxy$/ })
})

t.test('flags with parts of their own are read', async (t) => {
  const { flags } = parseCommandLine(
    [
      ...['--default-address-pool', 'base=10.1.0.0/16,size=24', '--default-network-opt', 'bridge=a.b=1'],
      ...['--default-network-opt', 'bridge=c=d=e', '--feature', 'x=true', '--default-gateway', '10.0.0.1'],
    ],
    '0',
  )
  t.same(flags, {
    'default-address-pools': [{ base: '10.1.0.0/16', size: 24 }],
    'default-network-opts': { bridge: { 'a.b': '1', c: 'd=e' } },
    features: { x: true },
    'default-gateway': '10.0.0.1',
  })
  t.throws(() => parseCommandLine(['--default-address-pool', 'base=10.1.0.0/16'], '0'), { name: 'ConfigError' })
})

t.test('values that contradict each other or mean nothing are refused', async (t) => {
  const wrong: [Parameters<typeof mergeConfig>[0], RegExp][] = [
    [{ bip: '10.0.0.1' }, /invalid bip: invalid CIDR address: 10.0.0.1/],
    [{ bip: '10.0.0.1/24', 'default-gateway': '10.0.1.1' }, /invalid default-gateway: .* is not in the network/],
    [{ bip6: 'fd00::1/64' }, /has IPv6 with ipv6 only/],
    [{ 'default-address-pools': [{ base: '10.0.0.0/16', size: 8 }] }, /invalid default address pool/],
    [{ dns: ['nowhere'] }, /invalid dns/],
    [{ 'registry-mirrors': ['ftp://x'] }, /invalid mirror: unsupported scheme "ftp"/],
    [{ 'insecure-registries': ['http://x'] }, /should not contain '::\/\/'|should not contain ':\/\/'/],
    [{ 'log-driver': 'nope' }, /error looking up logging plugin nope: plugin "nope" not found/],
    [{ 'log-opts': { 'max-size': 'x' } }, /failed to set log opts/],
  ]
  for (const [options, message] of wrong) t.throws(() => mergeConfig(options, {}), { message })
})

t.test('CDI devices are looked for where dockerd looks, elsewhere, or not at all', async (t) => {
  t.same(cdiDirectories({}), ['/etc/cdi', '/var/run/cdi'])
  t.same(cdiDirectories({ features: { cdi: true }, 'cdi-spec-dirs': ['/a', '/b'] }), ['/a', '/b'])
  t.same(cdiDirectories({ 'cdi-spec-dirs': [''] }), [])
  t.same(cdiDirectories({ features: { cdi: false }, 'cdi-spec-dirs': ['/a'] }), [])
})
